// Hub: the server under test. HUBBUB_URL names one that runs already; else HUBBUB_BIN names the program, started here on
// a free port and stopped here. What the program wrote to stderr is part of every failure's message.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const START_MS = 20_000;
const STOP_MS = 30_000;
const LINES_KEPT = 40;

export class Hub {
  url = process.env.HUBBUB_URL;
  owned = !this.url;
  #program = process.env.HUBBUB_BIN;
  #address = "127.0.0.1:0";
  #child = null;
  #lines = [];

  // Starts the program, the second time on the port of the first.
  async start() {
    if (!this.owned) return;
    if (!this.#program) throw new Error("set HUBBUB_BIN to the hubbub program, or HUBBUB_URL to a running server");
    const args = ["serve", "--listen", this.#address, "--set", "server.drain_period=100ms"];
    this.#child = spawn(this.#program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#address = await within(START_MS, this.#listening(this.#child), () => this.#story("did not listen"));
    this.url = `http://${this.#address}/`;
  }

  // Ends it as a crash would: no farewell, no close frames.
  async kill() {
    await this.#end("SIGKILL");
  }

  // Ends it as an administrator would. A leak or a sanitizer's finding shows in the exit code.
  async stop() {
    const code = await this.#end("SIGTERM");
    if (code !== 0) throw new Error(this.#story(`exit code ${code}`));
  }

  async #end(signal) {
    const child = this.#child;
    this.#child = null;
    if (!child) return 0;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(this.#story("died by itself"));
    const exit = once(child, "exit");
    child.kill(signal);
    const [code] = await within(STOP_MS, exit, () => {
      child.kill("SIGKILL");
      return this.#story(`did not end on ${signal}`);
    });
    return code;
  }

  #listening(child) {
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(this.#story(`ended with ${code} before listening`))));
      createInterface({ input: child.stderr }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > LINES_KEPT) this.#lines.shift();
        const address = /\blistening\b.*\baddress="?([^\s"]+)/.exec(line)?.[1];
        if (address) resolve(address);
      });
    });
  }

  #story(what) {
    return `the server ${what}; its last lines:\n${this.#lines.join("\n")}`;
  }
}

async function within(ms, promise, story) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(story())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
