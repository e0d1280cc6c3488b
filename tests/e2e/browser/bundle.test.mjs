// The page's copy of the TypeScript client is what clients/typescript builds: building the server needs no Node, so the
// bundle is in the repository (docs/adr/0010), and here is what keeps it from falling behind.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CLIENT = fileURLToPath(new URL("../../../clients/typescript/", import.meta.url));
const BUNDLE = new URL("../../../hubbub/server/page/hubbub-client.js", import.meta.url);

// The bundling step of the client's own build script, with another place to write to.
function bundleArguments(outfile) {
  const { scripts } = JSON.parse(readFileSync(join(CLIENT, "package.json"), "utf8"));
  const step = scripts.build.split("&&").map((part) => part.trim()).find((part) => part.startsWith("esbuild "));
  assert.ok(step, "the client's build script has no esbuild step");
  const flags = step.split(/\s+/).slice(1).filter((word) => !word.startsWith("--outfile="));
  return [...flags, `--outfile=${outfile}`, "--log-level=warning"];
}

test("the bundle in the page is the one that the client's sources make", () => {
  const folder = mkdtempSync(join(tmpdir(), "hubbub-bundle-"));
  try {
    const made = join(folder, "hubbub-client.js");
    execFileSync(join(CLIENT, "node_modules/.bin/esbuild"), bundleArguments(made), { cwd: CLIENT });
    const same = readFileSync(made).equals(readFileSync(BUNDLE));
    assert.ok(same, "hubbub/server/page/hubbub-client.js is old: run ./dev page");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
