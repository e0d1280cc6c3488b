// Hub: the server under test. HUBBUB_URL names one that runs already (http://HOST:PORT); else HUBBUB_BIN names the
// program, started here on a free port for each test file and stopped, with its exit code checked, at the end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { after, before } from "node:test";

const BUILT = fileURLToPath(new URL("../../../build/dev/hubbub", import.meta.url));
const DEADLINE_MS = 30_000;
const SANITIZER = /ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer/;

// `const hub = useHub()` at the top of a test file; hub.url is set when the tests run.
export function useHub(settings = []) {
  const hub = { url: "", wsUrl: "" };
  let child = null;
  const lines = [];
  before(async () => {
    hub.url = process.env.HUBBUB_URL ?? "";
    if (!hub.url) {
      child = launch(["limits.rate_per_s=0", "server.drain_period=100ms", ...settings]);
      hub.url = `http://${await within(listening(child, lines), () => story(lines))}`;
    }
    hub.wsUrl = `${hub.url.replace(/^http/, "ws").replace(/\/$/, "")}/ws`;
  });
  after(async () => {
    if (!child) return;
    if (child.exitCode !== null) throw new Error(`the server died\n${story(lines)}`);
    const ended = once(child, "close");
    child.kill("SIGTERM");
    const [code] = await within(ended, () => story(lines));
    const report = lines.find((line) => SANITIZER.test(line));
    if (code !== 0 || report) throw new Error(`exit code ${code}\n${story(lines)}`);
  });
  return hub;
}

function launch(settings) {
  // HUBBUB_* variables are the server's configuration: what this test run is told by them is not meant for it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HUBBUB_")));
  const args = ["serve", "--listen", "127.0.0.1:0", ...settings.flatMap((setting) => ["--set", setting])];
  return spawn(process.env.HUBBUB_BIN ?? BUILT, args, { env, stdio: ["ignore", "ignore", "pipe"] });
}

function listening(child, lines) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`ended with ${code} before listening\n${story(lines)}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      const address = /\blistening\b.*\baddress="?([^\s"]+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
  });
}

const story = (lines) => `its last lines:\n${lines.slice(-40).join("\n")}`;

// The promise's value, or a failure that tells what was waited for.
export async function within(promise, what, ms = DEADLINE_MS) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${typeof what === "function" ? what() : what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
