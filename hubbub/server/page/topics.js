// Topics: which topics the page subscribes to, as chips, and who else is there. The client keeps the subscriptions alive
// over cuts and lost sessions; a new client, made by a person or by a reload, gets them from here.

import { element } from "./log.js";

const MEMBERS_SHOWN = 12;

export class Topics {
  #session;
  #find;
  #wanted; // names: kept while there is no session
  #held = new Map(); // name -> {subscription, count, members}
  #onRemove;

  // `names`: topics of an earlier page. `onRemove(outcome)`: a person removed a chip.
  constructor(session, find, names, onRemove) {
    this.#session = session;
    this.#find = find;
    this.#wanted = new Set(names);
    this.#onRemove = onRemove;
    session.addEventListener("opened", () => this.#onOpened());
    session.addEventListener("state", (event) => this.#onState(event.detail));
    session.addEventListener("reply", (event) => this.#onReply(event.detail));
    session.addEventListener("notification", ({ detail: { method, params } }) => {
      if (method === "topic.presence") this.#onPresence(params);
    });
  }

  get names() {
    return [...this.#wanted];
  }

  // Subscribes, and remembers the topic. False if the hub refused.
  async hold(topic, options) {
    return (await this.subscribe(topic, options)).error === undefined;
  }

  // The same, with the outcome.
  async subscribe(topic, options = { quiet: true }) {
    if (this.#held.has(topic)) return { result: position(this.#held.get(topic).subscription), ms: 0 };
    const { result, error, ms } = await this.#session.subscribe(topic, options);
    if (error) return { error, ms };
    if (this.#held.has(topic)) this.#session.unsubscribe(result, { quiet: true });
    else this.#held.set(topic, { subscription: result, count: undefined, members: [] });
    this.#wanted.add(topic);
    this.#show();
    this.#askPresence(topic);
    return { result: position(result), ms };
  }

  async #release(topic, options) {
    const held = this.#held.get(topic);
    this.#held.delete(topic);
    this.#wanted.delete(topic);
    this.#show();
    if (held) return this.#session.unsubscribe(held.subscription, options);
  }

  async #onOpened() {
    this.#held.clear();
    for (const topic of this.#wanted) {
      const { error } = await this.subscribe(topic);
      if (!this.#session.lives) return;
      if (error) this.#wanted.delete(topic);
    }
    this.#show();
  }

  #onState({ name }) {
    if (name === "open") for (const topic of this.#held.keys()) this.#askPresence(topic);
  }

  // A call by hand may change the subscriptions, too: the chips and the client follow.
  #onReply({ method, params, outcome, own }) {
    if (own || outcome.error || (method !== "topic.subscribe" && method !== "topic.unsubscribe")) return;
    const given = JSON.parse(params || "{}");
    const topic = Array.isArray(given) ? given[0] : given.topic;
    if (typeof topic !== "string") return;
    if (method === "topic.subscribe") this.subscribe(topic);
    else this.#release(topic, { quiet: true });
  }

  async #askPresence(topic) {
    const { result } = await this.#session.call("topic.presence", JSON.stringify({ topic }), { quiet: true });
    const held = this.#held.get(topic);
    if (!held || !Number.isSafeInteger(result?.count)) return;
    held.count = result.count;
    held.members = Array.isArray(result.members) ? result.members.map(String) : [];
    this.#show();
  }

  #onPresence(params) {
    const held = this.#held.get(params?.topic);
    if (!held) return;
    const members = new Set(held.members);
    for (const code of params.left ?? []) members.delete(code);
    for (const code of params.joined ?? []) members.add(code);
    held.count = params.count;
    held.members = [...members];
    this.#show();
    if (params.more) this.#askPresence(params.topic);
  }

  #show() {
    this.#find("chips").replaceChildren(...[...this.#held.keys()].map((topic) => this.#chip(topic)));
    this.#find("topic-names").replaceChildren(...[...this.#held.keys()].map((topic) => option(topic)));
  }

  #chip(topic) {
    const { count, members } = this.#held.get(topic);
    const chip = element("li", "", "chip");
    const remove = element("button", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", `Unsubscribe from ${topic}`);
    remove.onclick = async () => {
      const outcome = await this.#release(topic);
      this.#find("subscribe-topic").focus(); // the button that had the focus is gone
      this.#onRemove(outcome);
    };
    const here = element("small", count === undefined ? "" : `${count} here`);
    here.title = `${members.slice(0, MEMBERS_SHOWN).join("\n")}${members.length > MEMBERS_SHOWN ? "\n…" : ""}`;
    chip.append(element("span", topic), here, remove);
    return chip;
  }
}

export function option(value) {
  const made = document.createElement("option");
  made.value = value;
  return made;
}

function position({ epoch, offset }) {
  return { epoch, offset };
}
