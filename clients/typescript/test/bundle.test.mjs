// The one-file build is minified: what applications see of it must not be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

test("errors have their names also where a minifier has renamed the classes", async () => {
  const entry = fileURLToPath(new URL("../src/index.ts", import.meta.url));
  const options = { bundle: true, format: "esm", target: "es2022", minify: true, write: false };
  const { outputFiles } = await build({ entryPoints: [entry], ...options });
  const bundle = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const names = ["HubbubError", "OutcomeUnknown", "QueueFull", "RpcError", "SessionLost", "TimeoutError"];
  for (const name of names) {
    assert.notEqual(bundle[name].name, name, "this build was to be minified");
    assert.equal(new bundle[name]("x", "y").name, name);
  }
});
