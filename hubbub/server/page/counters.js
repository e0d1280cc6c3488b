// Counters: what this page has sent and received, the round trip, and the hub's own numbers where it may ask for them.
// Messages and bytes count everything on the wire; calls and errors only what a person asked for.

import { element } from "./log.js";

const PING_MS = 5_000;
const STATS_MS = 2_000;
const RENDER_MS = 250;

const TILES = {
  messagesIn: "Messages in",
  messagesOut: "Messages out",
  bytesIn: "Bytes in",
  bytesOut: "Bytes out",
  calls: "Calls",
  errors: "Errors",
  roundTrip: "Round trip",
};
// From the result of hub.stats.
const STATS = {
  sessions: ["Sessions", ({ sessions }) => sessions?.attached + sessions?.detached],
  connected: ["Connected", ({ sessions }) => sessions?.attached],
  topics: ["Topics", ({ topics }) => topics],
};

export class Counters {
  #session;
  #wire;
  #connection = 0; // number of the present one: a round trip over two says nothing
  #values = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, calls: 0, errors: 0, roundTrip: "–" };
  #tiles = new Map(); // name -> {box, number}
  #statsRefused = false; // of this session: hub.stats is a privilege, so do not ask again
  #renderTimer = 0;

  constructor(session, wire, find) {
    this.#session = session;
    this.#wire = wire;
    for (const [name, label] of Object.entries(TILES)) this.#addTile(find("counters"), name, label);
    for (const [name, [label]] of Object.entries(STATS)) this.#addTile(find("counters"), name, label);
    this.#render();
    this.#watch();
    setInterval(() => this.#ping(), PING_MS);
    setInterval(() => this.#askStats(), STATS_MS);
  }

  #addTile(list, name, label) {
    const box = element("div", "");
    const number = element("dd", "");
    box.dataset.counter = name;
    box.hidden = name in STATS;
    box.append(element("dt", label), number);
    list.append(box);
    this.#tiles.set(name, { box, number });
  }

  #watch() {
    const on = (source, name, change) =>
      source.addEventListener(name, (event) => {
        change(this.#values, event.detail);
        this.#renderTimer ||= setTimeout(() => this.#render(), RENDER_MS);
      });
    on(this.#wire, "received", (values, { bytes }) => {
      values.messagesIn += 1;
      values.bytesIn += bytes;
    });
    on(this.#wire, "sent", (values, { bytes }) => {
      values.messagesOut += 1;
      values.bytesOut += bytes;
    });
    on(this.#session, "call", (values) => (values.calls += 1));
    on(this.#session, "reply", (values, { outcome }) => (values.errors += outcome.error ? 1 : 0));
    on(this.#wire, "attempt", () => (this.#connection += 1));
    on(this.#session, "state", (values, { name }) => {
      values.roundTrip = "–";
      if (name === "open") this.#ping();
    });
    this.#session.addEventListener("opened", () => {
      this.#statsRefused = false;
      this.#askStats();
    });
  }

  async #ping() {
    if (this.#session.state !== "open") return;
    const connection = this.#connection;
    const { error, ms } = await this.#session.call("ping", "", { quiet: true });
    if (error || connection !== this.#connection) return;
    this.#values.roundTrip = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    this.#render();
  }

  async #askStats() {
    if (this.#session.state !== "open" || this.#statsRefused || document.hidden) return;
    const { result, error } = await this.#session.call("hub.stats", "", { quiet: true });
    if (error && this.#session.state === "open") this.#statsRefused = true;
    for (const [name, [, read]] of Object.entries(STATS)) {
      const { box, number } = this.#tiles.get(name);
      const value = read(result ?? {});
      box.hidden = !Number.isFinite(value);
      if (!box.hidden) number.textContent = value.toLocaleString("en");
    }
  }

  #render() {
    this.#renderTimer = 0;
    for (const [name, value] of Object.entries(this.#values)) {
      const text = name.startsWith("bytes") ? size(value) : value.toLocaleString("en");
      this.#tiles.get(name).number.textContent = text;
    }
  }
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const [unit, by] = bytes < 1024 ** 2 ? ["KiB", 1024] : bytes < 1024 ** 3 ? ["MiB", 1024 ** 2] : ["GiB", 1024 ** 3];
  return `${(bytes / by).toFixed(1)} ${unit}`;
}
