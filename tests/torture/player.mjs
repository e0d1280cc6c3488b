// Player: one client of the run. Behind the cutting proxy it increments a counter of its own by calls and
// notifications, writes to two others, listens to topics, and notes in the ledger what does not add up.

import { setTimeout as sleep } from "node:timers/promises";
import { Stream } from "./ledger.mjs";

const MAILBOX_FULL = -32027;
const IN_FLIGHT_MAX = 12;
const SUBSCRIBE_TRIES = 50;
const LATER_MS = 60;
const BUSY_MS = 20; // pause when so many calls are in flight

// Numbered payloads carry some filling, so that frames have many sizes; it must arrive as it was.
export const padding = (n) => "#".repeat(n % 23 === 0 ? 1500 : (n * 37) % 90);

export class Player {
  #ledger;
  #random;
  #rate;
  #session;
  #running = null;
  #stopping = false;
  #closing = false;

  calls = 0; // issued or notified on our counter: the value it must have in the end
  outstanding = 0; // calls that have not settled
  unknown = 0; // calls that ended as OutcomeUnknown
  announced = 0; // messages that gaps spoke of
  peers = []; // players we write to
  sent = new Map(); // player -> last number we gave to a message for it
  excused = new Map(); // player -> numbers that need not arrive: its mailbox was full, or nobody knows
  topics = new Map(); // topic -> Stream
  letters = new Map(); // player -> Stream, of those who write to us

  // `connect` opens a session; `rate` is in operations a second.
  constructor({ index, ledger, random, rate }) {
    this.index = index;
    this.counter = `c${index}`;
    this.#ledger = ledger;
    this.#random = random;
    this.#rate = rate;
  }

  get code() {
    return this.#session.code;
  }

  get state() {
    return this.#session.state;
  }

  async open(connect, topics) {
    this.#session = await connect();
    this.#session.onState((state, ...details) => this.#onState(state, details));
    this.#session.on("gap", (gap) => this.#onGap(gap));
    for (const topic of topics) {
      const stream = new Stream(`${this.counter} on ${topic}`, this.#ledger);
      this.topics.set(topic, stream);
      await this.#subscribe(topic, stream);
    }
  }

  // Until it is known that it was done: where rings are too small, the answer may be lost.
  async #subscribe(topic, stream) {
    for (let tried = 1; ; ++tried) {
      try {
        return await this.#session.subscribe(topic, {}, (_data, message) => this.#onTopic(stream, message));
      } catch (error) {
        if (error.name !== "OutcomeUnknown" || tried === SUBSCRIBE_TRIES) throw error;
        this.unknown += 1;
      }
    }
  }

  // After everybody is open: who writes to whom.
  writeTo(peer) {
    this.peers.push(peer);
    this.sent.set(peer, 0);
    this.excused.set(peer, new Set());
    peer.letters.set(this, new Stream(`${this.counter} to ${peer.counter}`, this.#ledger));
  }

  // The last number written to `peer`, and those that need not arrive.
  lettersTo(peer) {
    return [this.sent.get(peer), this.excused.get(peer)];
  }

  start() {
    const byCode = new Map([...this.letters].map(([player, stream]) => [player.code, stream]));
    this.#session.on("session.message", (params) => this.#onLetter(byCode, params));
    this.#running = this.#run();
  }

  // Issues nothing more; what is in flight goes on.
  async stop() {
    this.#stopping = true;
    await this.#running;
  }

  async close() {
    this.#closing = true;
    await this.#session?.close();
  }

  async #run() {
    while (!this.#stopping && this.#session.state !== "lost") {
      if (this.outstanding < IN_FLIGHT_MAX) this.#act();
      else await sleep(BUSY_MS);
      // In bursts: now and then several without a pause.
      if (this.#random.chance(0.7)) await sleep((this.#random.next() * 2000 * 0.7) / this.#rate);
    }
  }

  #act() {
    const kind = this.#random.weighted([
      [45, "add"],
      [25, "later"],
      [10, "notify"],
      [20, "send"],
    ]);
    if (kind === "send") return this.#send();
    const expected = ++this.calls;
    const params = { counter: this.counter, n: 1 };
    if (kind === "notify") {
      this.#ledger.counts.notifications += 1;
      this.#session.notify("counter.add", params);
      return undefined;
    }
    this.#ledger.counts.calls += 1;
    if (kind === "later") {
      this.#ledger.counts.deferred += 1;
      params.ms = this.#random.between(0, LATER_MS);
    }
    return this.#track(this.#session.call(`counter.${kind}`, params), (value) => this.#isNth(value, expected));
  }

  #isNth(value, expected) {
    if (value !== expected) this.#ledger.error(`${this.counter}: call ${expected} was answered ${value}`);
  }

  #send() {
    const peer = this.peers[this.#random.between(0, this.peers.length - 1)];
    const n = this.sent.get(peer) + 1;
    this.sent.set(peer, n);
    this.#ledger.counts.sends += 1;
    const sent = this.#session.send(peer.code, { n, pad: padding(n) });
    this.#track(
      sent,
      (status) => {
        if (status === "queued") this.#ledger.counts.queued += 1;
        else if (status !== "delivered") this.#ledger.error(`${this.counter}: session.send was answered ${status}`);
      },
      (error) => {
        const full = error.code === MAILBOX_FULL;
        if (full) this.#ledger.counts.mailbox_full += 1;
        this.excused.get(peer).add(n);
        return full;
      },
    );
  }

  // `expected(error)` is true if the error is one that may come.
  async #track(call, then, expected = () => false) {
    this.outstanding += 1;
    try {
      then(await call);
    } catch (error) {
      const known = error.name !== "OutcomeUnknown";
      if (!known) this.unknown += 1;
      if (!expected(error) && known) {
        this.#ledger.error(`${this.counter}: a call failed: ${error.name} ${error.message}`);
      }
    } finally {
      this.outstanding -= 1;
    }
  }

  #onState(state, details) {
    if (state === "resumed") this.#ledger.counts.resumes += 1;
    if (state !== "lost" || this.#closing) return;
    this.#ledger.counts.sessions_lost += 1;
    this.#ledger.example(`${this.counter}: session ${this.code} was lost: ${JSON.stringify(details)}`);
  }

  #onGap(gap) {
    this.#ledger.counts.gaps += 1;
    this.#ledger.counts.missing += gap.to - gap.from + 1;
    this.announced += gap.to - gap.from + 1;
  }

  #onTopic(stream, { offset, data }) {
    this.#ledger.counts.topic_messages += 1;
    if (offset !== data.n) this.#ledger.error(`${stream.name}: number ${data.n} has offset ${offset}`);
    this.#hear(stream, data);
  }

  #onLetter(byCode, { from, data }) {
    this.#ledger.counts.direct_messages += 1;
    const stream = byCode.get(from);
    if (stream) this.#hear(stream, data);
    else this.#ledger.error(`${this.counter}: a message from ${from}, who does not write to us`);
  }

  #hear(stream, { n, pad }) {
    if (pad !== padding(n)) this.#ledger.error(`${stream.name}: number ${n} arrived damaged`);
    stream.hear(n);
  }
}
