// Publisher: publishes numbered messages on all topics at a steady rate, over a connection that nobody cuts. It alone
// publishes, so the offset of the n-th message of a topic must be n.

import { setTimeout as sleep } from "node:timers/promises";
import { padding } from "./player.mjs";

const TICK_MS = 10;

export class Publisher {
  #session;
  #ledger;
  #random;
  #rate;
  #running = null;
  #stopping = false;
  #pending = new Set();

  // `rate` is in messages a second over all topics.
  constructor({ session, ledger, random, topics, rate }) {
    this.#session = session;
    this.#ledger = ledger;
    this.#random = random;
    this.#rate = rate;
    this.sent = new Map(topics.map((topic) => [topic, 0])); // topic -> last number
  }

  start() {
    this.#running = this.#run();
  }

  // Returns when all it published is confirmed.
  async stop() {
    this.#stopping = true;
    await this.#running;
    await Promise.all(this.#pending);
  }

  async #run() {
    const topics = [...this.sent.keys()];
    const began = Date.now();
    for (let published = 0; !this.#stopping; await sleep(TICK_MS)) {
      for (const due = ((Date.now() - began) * this.#rate) / 1000; published < due; ++published) {
        const confirmed = this.#publish(topics[this.#random.between(0, topics.length - 1)]);
        this.#pending.add(confirmed);
        confirmed.finally(() => this.#pending.delete(confirmed));
      }
    }
  }

  async #publish(topic) {
    const n = this.sent.get(topic) + 1;
    this.sent.set(topic, n);
    this.#ledger.counts.published += 1;
    try {
      const { offset } = await this.#session.publish(topic, { n, pad: padding(n) });
      if (offset !== n) this.#ledger.error(`${topic}: message ${n} was published as ${offset}`);
    } catch (error) {
      this.#ledger.error(`${topic}: message ${n} was not published: ${error.message}`);
    }
  }
}
