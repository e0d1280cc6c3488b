// The torture run: the real server, real clients and a proxy between them that cuts TCP at any byte. At the end every
// counter must equal the calls that were made, and every stream must be complete and in order, or a gap announced.
// `node tests/torture/torture.mjs --help`

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { judge } from "./judge.mjs";
import { Ledger } from "./ledger.mjs";
import { Player } from "./player.mjs";
import { CuttingProxy } from "./proxy.mjs";
import { Publisher } from "./publisher.mjs";
import { Random } from "./random.mjs";
import { printReport } from "./report.mjs";
import { ServerProcess } from "./server_process.mjs";

const TOPICS = ["news", "scores", "moves", "chat", "prices", "weather"];
const TOPICS_EACH = 3;
const SETTLED_EVERY_MS = 25;
const PATIENCE_MS = 10_000; // in which nothing moves
const PROGRESS_MS = 5_000;
const LAST_RESORT_S = 120; // beyond --max-seconds
const SETTINGS = [
  "limits.rate_per_s=0",
  "limits.ip_connections=0",
  "limits.ip_connects_per_s=0",
  "limits.calls_in_flight=256",
  "server.drain_period=100ms",
];
const USAGE = `usage: torture.mjs [OPTIONS]
  --cuts N          connections to cut (500)
  --seed S          of the plans; without it one is drawn, and printed (timing is not seeded)
  --clients C       clients behind the proxy (40)
  --rate R          operations a second of each client (60); topics get as many messages a second in all
  --server PROGRAM  torture_server (build/dev/tests/torture_server)
  --client MODULE   what to use in place of the SDK (clients/typescript/dist/index.js)
  --set KEY=VALUE   configuration of the server, as of \`hubbub serve\`
  --gaps            the server's rings may be too small: losses are accepted if they are announced exactly
  --max-seconds T   give up cutting after T s (600)
  --json            print the result as JSON too`;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      cuts: { type: "string", default: "500" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      clients: { type: "string", default: "40" },
      rate: { type: "string", default: "60" },
      server: { type: "string", default: here("../../build/dev/tests/torture_server") },
      client: { type: "string", default: "" },
      set: { type: "string", multiple: true, default: [] },
      gaps: { type: "boolean", default: false },
      "max-seconds": { type: "string", default: "600" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  for (const name of ["cuts", "seed", "clients", "rate", "max-seconds"]) {
    values[name] = Number(values[name]);
    if (!Number.isFinite(values[name]) || values[name] < 0) throw new Error(`--${name} must be a number`);
  }
  if (values.clients < 3) throw new Error("--clients must be at least 3");
  return values;
}

class Run {
  constructor(options, sdk) {
    Object.assign(this, { options, sdk, ledger: new Ledger(), players: [] });
  }

  async open() {
    const { options, sdk, ledger } = this;
    this.server = await ServerProcess.start(options.server, [...SETTINGS, ...options.set]);
    this.proxy = new CuttingProxy({ target: this.server.address, seed: options.seed, cuts: options.cuts });
    const proxied = `ws://${await this.proxy.listen()}/ws`;
    this.direct = await sdk.connect(`ws://${this.server.address}/ws`, sdk.options(false));
    const random = Random.of(options.seed, -1);
    this.publisher = new Publisher({ session: this.direct, ledger, random, topics: TOPICS, rate: options.rate });
    for (let index = 0; index < options.clients; ++index) {
      const rate = options.rate;
      this.players.push(new Player({ index, ledger, random: Random.of(options.seed, -2 - index), rate }));
    }
    const opening = this.players.map((player) => {
      const topics = Array.from({ length: TOPICS_EACH }, (_, n) => TOPICS[(player.index + n) % TOPICS.length]);
      return player.open(() => sdk.connect(proxied, sdk.options(player.index % 2 === 1)), topics);
    });
    await Promise.all(opening);
    for (const player of this.players) {
      for (const step of [1, 2]) player.writeTo(this.players[(player.index + step) % this.players.length]);
    }
  }

  // Traffic and cuts, until there were enough of them or time is up.
  async torment() {
    this.began = performance.now();
    this.memoryBefore = this.server.memory();
    for (const actor of [this.publisher, ...this.players]) actor.start();
    let told = this.began;
    while (this.proxy.cuts < this.options.cuts && this.server.alive && this.seconds < this.options["max-seconds"]) {
      await sleep(SETTLED_EVERY_MS);
      if (performance.now() - told < PROGRESS_MS) continue;
      told = performance.now();
      console.error(`${this.seconds.toFixed(0)} s: ${this.proxy.cuts} cuts, ${this.ledger.counts.calls} calls`);
    }
    this.cutting = this.seconds;
  }

  // No more cuts and nothing new: what is under way must arrive. Over when all is there, or nothing moves any more.
  async settle() {
    this.proxy.heal();
    await Promise.all([this.publisher, ...this.players].map((actor) => actor.stop()));
    let moved = performance.now();
    for (let before = this.progress(); !this.quiet() && performance.now() - moved < PATIENCE_MS; ) {
      await sleep(SETTLED_EVERY_MS);
      const now = this.progress();
      if (now !== before) moved = performance.now();
      before = now;
    }
    await sleep(4 * SETTLED_EVERY_MS); // for what should not come
    this.settling = this.seconds - this.cutting;
    this.memoryAfter = this.server.memory();
  }

  progress() {
    const { topic_messages, direct_messages } = this.ledger.counts;
    return topic_messages + direct_messages - this.players.reduce((sum, player) => sum + player.outstanding, 0);
  }

  quiet() {
    return this.players.every((player) => {
      if (player.outstanding > 0) return false;
      const topics = [...player.topics].some(([topic, stream]) => stream.isBehind(this.publisher.sent.get(topic)));
      const letters = [...player.letters].some(([from, stream]) => stream.isBehind(...from.lettersTo(player)));
      return !topics && !letters;
    });
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }

  async close() {
    await Promise.allSettled([...this.players, this.direct].map((session) => session?.close()));
    await this.proxy?.close();
  }
}

async function main() {
  if (process.argv.includes("--help")) return console.log(USAGE);
  const options = readOptions();
  const run = new Run(options, await loadSdk(options.client));
  setTimeout(() => giveUp(run), (options["max-seconds"] + LAST_RESORT_S) * 1000).unref();
  process.once("exit", () => run.server?.kill());
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));
  try {
    await run.open();
    await run.torment();
    await run.settle();
    const verdict = await judge(run);
    printReport(run, verdict, options);
    process.exitCode = verdict.passed ? 0 : 1;
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

// Something that should have its own bound has none.
function giveUp(run) {
  console.log(run.server?.lines.join("\n"));
  console.log("torture: no end in sight: FAILED\n# pass 0\n# fail 1");
  process.exit(1);
}

// The SDK as built, over the `ws` package, with pauses between tries that suit a network that heals at once.
async function loadSdk(module) {
  const client = new URL("../../clients/typescript/", import.meta.url);
  const { connect } = await import(module ? resolve(module) : new URL("dist/index.js", client));
  const { default: WebSocket } = await import(new URL("node_modules/ws/wrapper.mjs", client));
  class Uncompressed extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { perMessageDeflate: false });
    }
  }
  const options = (compressed) => ({
    WebSocket: compressed ? WebSocket : Uncompressed,
    backoff: { base: 4, cap: 100, stable: 20 },
    silence: 3_000,
    callTimeout: 0, // no call may hang, so no clock may hide that one does
    client: { name: "torture", version: "1" },
    reopen: false,
  });
  return { connect, options };
}

await main();
