// The example that the project's README shows: it is examples/resume.ts, word for word, it has the right types, and it
// does what it says against the real server (skipped without HUBBUB_BIN). `npm run build` first.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const source = readFileSync(here("../../../examples/resume.ts"), "utf8");
const work = here("../build/example");

test("the README shows examples/resume.ts", () => {
  const readme = readFileSync(here("../../../README.md"), "utf8");
  const code = source.slice(source.indexOf("import "));
  assert.ok(readme.includes("```ts\n" + code + "```"), "README.md and examples/resume.ts differ");
});

test("it has the right types", () => {
  mkdirSync(work, { recursive: true });
  writeFileSync(`${work}/resume.ts`, source);
  const compilerOptions = {
    ...JSON.parse(readFileSync(here("../tsconfig.build.json"), "utf8")).compilerOptions,
    noEmit: true,
    rootDir: "../..",
    paths: { "@hubbub/client": ["../../dist/index.d.ts"] },
  };
  writeFileSync(`${work}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ["resume.ts"] }));
  writeFileSync(`${work}/package.json`, JSON.stringify({ type: "module" }));
  const tsc = here("../node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", work], { encoding: "utf8", stdio: "pipe" });
});

const skip = !process.env.HUBBUB_BIN;
test("it says who it is, hears its own publication and gets its answer", { skip }, async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  const flags = ["serve", "--listen", `127.0.0.1:${port}`];
  const hub = spawn(process.env.HUBBUB_BIN, flags, { stdio: ["ignore", "ignore", "pipe"] });
  try {
    const lines = createInterface({ input: hub.stderr });
    for await (const line of lines) if (line.includes("listening")) break;
    hub.stderr.resume();
    mkdirSync(work, { recursive: true });
    const program = transformSync(source, { loader: "ts", format: "esm", target: "es2022" })
      .code.replace("@hubbub/client", here("../dist/index.js"))
      .replace("ws://127.0.0.1:8080/ws", `ws://127.0.0.1:${port}/ws`);
    const before = 'import { WebSocket } from "ws";\nglobalThis.WebSocket ??= WebSocket;\n';
    writeFileSync(`${work}/resume.mjs`, before + program);
    const output = execFileSync(process.execPath, [`${work}/resume.mjs`], { encoding: "utf8", timeout: 30_000 });
    assert.match(output, /I am [a-z]+-[a-z]+-\d+/);
    assert.match(output, /1 \{ text: 'hello from /);
    assert.match(output, /\{ a: 1 \}/);
  } finally {
    hub.kill();
    await once(hub, "exit");
  }
});
