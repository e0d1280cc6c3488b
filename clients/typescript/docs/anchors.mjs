// Makes the links of docs/api/README.md lead where GitHub puts its anchors: the generator numbers them in its own way, and
// counts members that are table rows. `npm run docs` runs this after it.
import { readFileSync, writeFileSync } from "node:fs";

const page = new URL("api/README.md", import.meta.url);
const text = readFileSync(page, "utf8").replace(/<a id="[^"]*"><\/a> ?/g, "");

const slug = (heading) =>
  heading
    .replace(/[`*\\]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, "")
    .trim()
    .replaceAll(" ", "-");

const seen = new Map();
const anchors = new Map(); // a type's name: the anchor of its heading
for (const [, depth, heading] of text.matchAll(/^(#+) (.*)$/gm)) {
  const name = slug(heading);
  const repeated = seen.get(name) ?? 0;
  seen.set(name, repeated + 1);
  if (depth.length === 3) anchors.set(name, repeated ? `${name}-${repeated}` : name);
}
const fixed = text.replace(/\]\(#([a-z0-9_-]+?)(?:-\d+)?\)/g, (link, name) =>
  anchors.has(name) ? `](#${anchors.get(name)})` : link,
);
writeFileSync(page, fixed);
