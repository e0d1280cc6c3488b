// ServerProcess: the program under torture. Started on a free port, watched through its log, and held to account at
// the end: it lived all the time, leaves with status 0 after SIGTERM, and no sanitizer wrote a report.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const DEADLINE_MS = 30_000;
const LINES_KEPT = 60;
const SANITIZER = /ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:/;

export class ServerProcess {
  #child;
  #closed;
  #report = "";

  lines = []; // the last of its log
  warnings = new Map(); // text of the event -> how often
  address = ""; // HOST:PORT

  static async start(program, settings) {
    const server = new ServerProcess();
    await server.#start(program, settings);
    return server;
  }

  get alive() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  // Resident memory in MiB.
  memory() {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
  }

  // Values of /metrics by name, labels and all.
  async metrics() {
    const response = await fetch(`http://${this.address}/metrics`);
    const values = new Map();
    for (const line of (await response.text()).split("\n")) {
      const [, name, value] = /^([a-z_:]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      if (name) values.set(name, Number(value));
    }
    return values;
  }

  // What is wrong with how it ended; empty if nothing is.
  async stop() {
    if (!this.alive) return `the server died: ${this.#howEnded()}`;
    this.#child.kill("SIGTERM");
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, DEADLINE_MS, "late");
    });
    const how = await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    if (how === "late") {
      this.#child.kill("SIGKILL");
      return "the server did not leave after SIGTERM";
    }
    if (this.#child.exitCode !== 0) return `the server left badly: ${this.#howEnded()}`;
    return this.#report && `a sanitizer found something: ${this.#report}`;
  }

  kill() {
    this.#child?.kill("SIGKILL");
  }

  #howEnded() {
    return `exit code ${this.#child.exitCode}, signal ${this.#child.signalCode} ${this.#report}`;
  }

  #start(program, settings) {
    // HUBBUB_* variables are the server's configuration: what this run is told by them is not meant for it.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HUBBUB_")));
    env.ASAN_OPTIONS ??= "exitcode=99:quarantine_size_mb=16";
    env.UBSAN_OPTIONS ??= "halt_on_error=1:print_stacktrace=1";
    env.TSAN_OPTIONS ??= "exitcode=99:halt_on_error=1";
    const args = ["--listen", "127.0.0.1:0", ...settings.flatMap((setting) => ["--set", setting])];
    this.#child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#closed = new Promise((resolve) => this.#child.once("close", resolve));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${program} does not listen`)), DEADLINE_MS);
      this.#child.once("error", reject);
      this.#child.once("close", () => reject(new Error(`${program} ended:\n${this.lines.join("\n")}`)));
      createInterface({ input: this.#child.stderr }).on("line", (line) => {
        this.#onLine(line);
        if (this.address) clearTimeout(timer), resolve();
      });
    });
  }

  #onLine(line) {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    if (SANITIZER.test(line)) this.#report ||= line;
    if (!this.address) this.address = /\blistening\b.*\baddress="?([^\s"]+)/.exec(line)?.[1] ?? "";
    const event = /^\S+ (?:warn|WARN|error|ERROR)\w* +(.*?)(?: [a-z_.]+=.*)?$/.exec(line)?.[1];
    if (event) this.warnings.set(event, (this.warnings.get(event) ?? 0) + 1);
  }
}
