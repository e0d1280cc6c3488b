// ResumePanel: shows that the session survives its connections, live, and lets a person end them. The figures are the
// wire's (tally.js); the buttons break what wire.js can break.

import { element } from "./log.js";

const DARK_MS = 5_000;
const RENDER_MS = 200;

const FACTS = {
  sent: ["Sent", (tally) => tally.sent],
  received: ["Received", (tally) => tally.received],
  unconfirmed: ["Unconfirmed", (tally) => tally.unconfirmed],
  resumes: ["Resumed", (tally) => `${tally.resumes} ×`],
  replayed: ["Replayed", (tally) => tally.replayed],
  fromHistory: ["From history", (tally) => tally.fromHistory],
  missing: ["Lost", (tally) => tally.missing],
  recovered: ["Recovered", (tally) => ({ true: "all", false: "not all" })[tally.recovered] ?? "–"],
};

export class ResumePanel {
  #session;
  #wire;
  #find;
  #numbers = new Map(); // name of the fact -> its element
  #attempts = 0; // since the session was detached
  #detachedAt = 0; // 0: it is not
  #detachedMs = 0; // all times together
  #retryAt = undefined;
  #lightAt = 0;
  #renderTimer = 0;

  constructor(session, wire, find) {
    this.#session = session;
    this.#wire = wire;
    this.#find = find;
    for (const [name, [label]] of Object.entries(FACTS)) this.#addFact(name, label);
    this.#addFact("detached", "Detached");
    find("cut").onclick = () => wire.cut();
    find("dark").onclick = () => this.#goDark();
    wire.addEventListener("changed", () => this.#renderSoon());
    wire.addEventListener("attempt", () => this.#onAttempt());
    session.addEventListener("state", (event) => this.#onState(event.detail));
    setInterval(() => this.#render(), RENDER_MS);
    this.#render();
  }

  #addFact(name, label) {
    const box = element("div", "");
    const number = element("dd", "");
    box.dataset.fact = name;
    box.append(element("dt", label), number);
    this.#find("facts").append(box);
    this.#numbers.set(name, number);
  }

  #goDark() {
    this.#lightAt = performance.now() + DARK_MS;
    this.#wire.goDark(DARK_MS);
  }

  #onAttempt() {
    this.#attempts += 1;
    this.#retryAt = undefined;
  }

  #onState({ name, retryAt }) {
    const now = performance.now();
    if (name === "detached" && !this.#detachedAt) this.#detachedAt = now;
    if (name === "detached") this.#retryAt = retryAt;
    if (name === "resumed" || name === "open" || name === "lost") {
      if (this.#detachedAt) this.#detachedMs += now - this.#detachedAt;
      this.#detachedAt = this.#attempts = 0;
      this.#retryAt = undefined;
    }
    this.#render();
  }

  #renderSoon() {
    this.#renderTimer ||= setTimeout(() => this.#render(), 50);
  }

  #render() {
    clearTimeout(this.#renderTimer);
    this.#renderTimer = 0;
    const { tally, dark } = this.#wire;
    for (const [name, [, read]] of Object.entries(FACTS)) show(this.#numbers.get(name), String(read(tally)));
    const detached = this.#detachedAt ? performance.now() - this.#detachedAt : 0;
    show(this.#numbers.get("detached"), seconds(this.#detachedMs + detached));
    show(this.#find("retry"), this.#sentence(detached));
    const open = this.#session.state === "open";
    this.#find("cut").disabled = !open;
    this.#find("dark").disabled = !this.#session.lives || dark;
    const left = Math.max(1, Math.ceil((this.#lightAt - performance.now()) / 1_000));
    show(this.#find("dark"), dark ? `Dark for ${left} s` : `Go dark for ${DARK_MS / 1_000} s`);
  }

  // What happens while the session is detached. The client waits for a network that the browser says is not there.
  #sentence(detached) {
    if (!this.#detachedAt) return "";
    const wait = this.#retryAt === undefined ? undefined : this.#retryAt - Date.now();
    let next = `attempt ${this.#attempts}`;
    if (!navigator.onLine) next = "waits for the network";
    else if (wait !== undefined) next = `again in ${seconds(Math.max(0, wait))}`;
    return `for ${seconds(detached)} · ${next}`;
  }
}

export function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}

// Untouched text is not laid out again.
function show(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
