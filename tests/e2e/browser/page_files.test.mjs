// What the page's files promise before any browser sees them: small, nothing inline, nothing from elsewhere, no markup
// from text. These are checked on the sources, which are embedded as they are.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../../../hubbub/server/page/", import.meta.url);
const BUNDLE = "hubbub-client.js"; // not written by hand; bundle.test.mjs is about it
const BUNDLE_BYTES_MAX = 40 * 1024;
const BYTES_MAX = 72 * 1024; // of all others together
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), "utf8") }));
const named = (ending) => files.filter(({ name }) => name.endsWith(ending));

const bytesOf = (some) => some.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

test("all files together stay small", () => {
  const bundle = bytesOf(files.filter(({ name }) => name === BUNDLE));
  assert.ok(bundle > 0 && bundle <= BUNDLE_BYTES_MAX, `${BUNDLE}: ${bundle} bytes`);
  assert.ok(bytesOf(files) - bundle <= BYTES_MAX, `the others: ${bytesOf(files) - bundle} bytes`);
});

test("nothing is inline: the page works under a policy without unsafe-inline", () => {
  for (const { name, text } of named(".html")) {
    assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)/, name);
    assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=/, name);
  }
});

test("nothing comes from another host", () => {
  for (const { name, text } of files) {
    const elsewhere = text.replaceAll("http://www.w3.org/2000/svg", "").match(/(?:https?:|wss?:)?\/\/[a-z0-9.-]+\.[a-z]+/gi);
    assert.equal(elsewhere, null, `${name}: ${elsewhere}`);
  }
});

test("text never becomes markup or code", () => {
  for (const { name, text } of named(".js")) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/, name);
  }
});
