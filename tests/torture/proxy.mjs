// CuttingProxy: a TCP proxy on loopback that gives every connection a plan, and by it an end, drawn from a seeded
// generator. A plan fires after a number of bytes in one direction or after a time, whichever comes first. The next
// connection goes through at once, until the wanted number of cuts is reached: then the proxy only forwards.
//
// What a plan can be (KINDS): nothing of it is gentle, and none of it is something a network cannot do.

import net from "node:net";
import { FrameMeter } from "./frame_meter.mjs";
import { Random } from "./random.mjs";

export const KINDS = {
  refuse: "reset as soon as it is accepted",
  handshake: "cut inside the HTTP upgrade, either way",
  reset: "RST to both sides",
  finish: "FIN to both sides",
  half: "FIN one way; the other goes on for a while",
  stall: "nothing is taken from either side for a while, then RST",
  swallow: "bytes are taken and thrown away for a while, then RST",
  ghost: "RST to the client; the server's side stays open for a while",
  orphan: "RST to the server; the client's side stays open for a while",
  late: "RST to the client; what it had sent reaches the server later",
  slow: "every chunk is late, in bursts, then RST",
  drip: "one byte at a time, then RST",
};

const WEIGHTS = [
  [2, "refuse"],
  [6, "handshake"],
  [22, "reset"],
  [14, "finish"],
  [6, "half"],
  [8, "stall"],
  [8, "swallow"],
  [9, "ghost"],
  [5, "orphan"],
  [10, "late"],
  [6, "slow"],
  [4, "drip"],
];
const HANDSHAKE_BYTES = 230; // a little more than either side's head
const BYTES = [20, 50_000];
const LIFE_MS = [10, 2_000];
const LINGER_MS = [5, 150];
const GOODBYE_MS = 300; // after FINs, both sides are reset if they have not closed by themselves
const DRIPPED_BYTES = 400; // of one connection

// A socket that has begun to end cannot be reset (EINVAL): Node would then neither close it nor say "close", and spin at
// its own exit over the handle that is left.
function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function drawPlan(random) {
  const kind = random.weighted(WEIGHTS);
  const early = kind === "handshake";
  return {
    kind,
    way: random.chance(0.5) ? "up" : "down",
    at: early ? random.between(0, HANDSHAKE_BYTES) : HANDSHAKE_BYTES + random.skewed(...BYTES),
    lifeMs: early ? LIFE_MS[1] : random.skewed(...LIFE_MS),
    lingerMs: random.skewed(...LINGER_MS),
    politely: random.chance(0.3), // handshake: FIN instead of RST
    random,
  };
}

// One direction: where from, where to, how far, and what is held back.
class Way {
  bytes = 0;
  meter = new FrameMeter();
  busy = false; // a chunk is on its way: the next must not overtake it
  held = []; // "late": taken from the client, not given to the server yet

  constructor(name, from, to) {
    Object.assign(this, { name, from, to });
  }
}

class Pair {
  #proxy;
  #plan; // null: only forward
  #state = "open"; // open -> cut -> closed; what "cut" does with bytes depends on the plan's kind
  #timers = new Set();
  #dripped = 0;

  constructor(proxy, client, server, plan) {
    this.#proxy = proxy;
    this.#plan = plan;
    this.client = client;
    this.server = server;
    this.up = new Way("up", client, server);
    this.down = new Way("down", server, client);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => this.#onClosed(socket));
    }
    for (const way of [this.up, this.down]) this.#attach(way);
    if (plan) this.#after(plan.lifeMs, () => this.#cut());
  }

  // No more harm: a plan that has not fired never will, one that has is brought to its end.
  heal() {
    if (this.#state === "open") this.#plan = null;
    else this.#resetBoth();
  }

  destroy() {
    this.#resetBoth();
  }

  #attach(way) {
    way.from.on("data", (chunk) => this.#onData(way, chunk));
    way.from.on("end", () => way.to.end());
    way.to.on("drain", () => way.busy || way.from.resume());
  }

  #onData(way, chunk) {
    const shape = this.#state === "open" ? this.#plan?.kind : undefined;
    if (shape === "slow") this.#slowly(way, chunk);
    else if (shape === "drip" && this.#dripped < DRIPPED_BYTES) this.#drip(way, chunk, 0);
    else this.#arrive(way, chunk);
  }

  // Bytes that have come as far as this; what becomes of them depends on what became of the connection meanwhile.
  #arrive(way, chunk) {
    if (this.#state === "open") this.#forward(way, chunk);
    else if (this.#state === "cut") this.#afterCut(way, chunk);
  }

  // Gives on what the plan allows; the byte after that is never seen.
  #forward(way, chunk) {
    const room = this.#plan?.way === way.name ? this.#plan.at - way.bytes : Infinity;
    const part = chunk.length < room ? chunk : chunk.subarray(0, Math.max(0, room));
    this.#write(way, part);
    if (chunk.length < room) return;
    this.#cut();
    if (part.length < chunk.length) this.#afterCut(way, chunk.subarray(part.length));
  }

  #write(way, bytes) {
    if (bytes.length === 0 || way.to.destroyed || way.to.writableEnded) return;
    way.bytes += bytes.length;
    way.meter.take(bytes);
    if (!way.to.write(bytes)) way.from.pause();
  }

  #slowly(way, chunk) {
    this.#hold(way);
    const { random } = this.#plan;
    this.#after(random.chance(0.3) ? random.between(5, 40) : random.between(0, 4), () => {
      this.#release(way);
      this.#arrive(way, chunk);
    });
  }

  #drip(way, chunk, at) {
    this.#hold(way);
    setImmediate(() => {
      if (at === chunk.length || this.#state !== "open" || this.#dripped >= DRIPPED_BYTES) {
        this.#release(way);
        if (at < chunk.length) this.#arrive(way, chunk.subarray(at));
        return;
      }
      this.#dripped += 1;
      this.#arrive(way, chunk.subarray(at, at + 1));
      this.#drip(way, chunk, at + 1);
    });
  }

  #hold(way) {
    way.busy = true;
    way.from.pause();
  }

  #release(way) {
    way.busy = false;
    way.from.resume();
  }

  #afterCut(way, chunk) {
    const { kind } = this.#plan;
    if (kind === "late" && way === this.up) way.held.push(chunk);
    else if (kind === "half" && way.name !== this.#plan.way) this.#write(way, chunk);
    // else: lost, as what the peer's kernel took before a reset is
  }

  #cut() {
    if (this.#state !== "open" || !this.#plan) return;
    this.#state = "cut";
    const { kind, lingerMs, way, politely } = this.#plan;
    this.#proxy.counted(kind, [this.up.meter.place, this.down.meter.place]);
    if (kind === "finish" || (kind === "handshake" && politely)) this.#finishBoth();
    else if (kind === "half") this.#finishOne(way, lingerMs);
    else if (kind === "stall") this.#stall(lingerMs);
    else if (kind === "swallow") this.#after(lingerMs, () => this.#resetBoth());
    else if (kind === "ghost") this.#leaveOne(this.client, lingerMs);
    else if (kind === "orphan") this.#leaveOne(this.server, lingerMs);
    else if (kind === "late") this.#deliverLate(lingerMs);
    else this.#resetBoth();
  }

  #finishBoth() {
    this.client.end();
    this.server.end();
    this.#after(GOODBYE_MS, () => this.#resetBoth());
  }

  #finishOne(name, lingerMs) {
    this[name].to.end();
    this.#after(lingerMs, () => this.#resetBoth());
  }

  #stall(lingerMs) {
    this.client.pause();
    this.server.pause();
    this.#after(lingerMs, () => this.#resetBoth());
  }

  #leaveOne(gone, lingerMs) {
    reset(gone);
    this.#after(lingerMs, () => this.#resetBoth());
  }

  // The client is cut off first; its last bytes arrive when it may long have come back on another connection.
  #deliverLate(lingerMs) {
    this.#after(Math.ceil(lingerMs / 4), () => reset(this.client));
    this.#after(lingerMs, () => {
      for (const chunk of this.up.held) this.#write(this.up, chunk);
      this.#finishBoth();
    });
  }

  #resetBoth() {
    for (const socket of [this.client, this.server]) {
      if (!socket.destroyed) reset(socket);
    }
  }

  // A side that went away by itself takes the other with it, unless the plan keeps that one.
  #onClosed(socket) {
    const other = socket === this.client ? this.server : this.client;
    if (this.#state !== "cut" && !other.destroyed) {
      if (socket.errored) reset(other);
      else other.destroySoon();
    }
    if (!this.client.destroyed || !this.server.destroyed) return;
    this.#state = "closed";
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#proxy.gone(this);
  }

  #after(ms, then) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }
}

export class CuttingProxy {
  #server;
  #pairs = new Set();
  #target;
  #seed;
  #healed;

  connections = 0;
  cuts = 0;
  byKind = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));
  byPlace = { head: 0, frame: 0, between: 0 };

  // `target` is HOST:PORT. With `cuts` 0 it only forwards.
  constructor({ target, seed, cuts }) {
    const colon = target.lastIndexOf(":");
    this.#target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    this.#seed = seed;
    this.cutsWanted = cuts;
    this.#healed = cuts === 0;
  }

  // HOST:PORT of the proxy.
  async listen() {
    this.#server = net.createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    await new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `127.0.0.1:${this.#server.address().port}`;
  }

  // From now on it only forwards; connections that are being cut end now.
  heal() {
    this.#healed = true;
    for (const pair of [...this.#pairs]) pair.heal();
  }

  get healed() {
    return this.#healed;
  }

  get open() {
    return this.#pairs.size;
  }

  async close() {
    for (const pair of [...this.#pairs]) pair.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  // Of a pair: it was cut where its two directions stood at `places`.
  counted(kind, places) {
    this.cuts += 1;
    this.byKind[kind] += 1;
    this.byPlace[places.includes("head") ? "head" : places.includes("frame") ? "frame" : "between"] += 1;
    if (this.cuts >= this.cutsWanted && !this.#healed) setImmediate(() => this.heal());
  }

  gone(pair) {
    this.#pairs.delete(pair);
  }

  #accept(client) {
    const plan = this.#healed ? null : drawPlan(Random.of(this.#seed, this.connections));
    this.connections += 1;
    if (plan?.kind === "refuse") {
      this.counted("refuse", ["head"]);
      client.on("error", () => {});
      reset(client);
      return;
    }
    const server = net.connect({ ...this.#target, allowHalfOpen: true });
    this.#pairs.add(new Pair(this, client, server, plan));
  }
}
