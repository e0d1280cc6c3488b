// Forms: what a person asks of the hub. Call any method, subscribe and publish, send to a session, broadcast. Each form
// shows its own outcome; the log shows everything. Which topics are subscribed is the business of topics.js.

import { element } from "./log.js";
import { option } from "./topics.js";
import { parseJson } from "./wire.js";

// Methods offered from the start, with params to begin from. CODE stands for the session's own code.
const METHODS = {
  __proto__: null, // a method may be called "constructor"
  ping: "",
  echo: '{"hello": "world"}',
  "session.info": "",
  "session.send": '{"to": "CODE", "data": "hello"}',
  "topic.subscribe": '{"topic": "news"}',
  "topic.unsubscribe": '{"topic": "news"}',
  "topic.publish": '{"topic": "news", "data": {"text": "hello"}}',
  "topic.history": '{"topic": "news", "limit": 10}',
  "topic.presence": '{"topic": "news"}',
  "hub.stats": "",
  "hub.broadcast": '{"data": "hello, everyone"}',
  "rpc.discover": "",
};
// The other forms: method, members of its params (the field of each has the id FORM-MEMBER), and what success is called.
const ASKS = {
  publish: ["topic.publish", ["topic", "data"], (result) => `published, offset ${write(result?.offset)}`],
  send: ["session.send", ["to", "data"], (result) => String(result?.status ?? "sent")],
  broadcast: ["hub.broadcast", ["data"], (result) => `sent to ${write(result?.sessions) || "all"} sessions`],
};
const COLOURED_MAX = 50_000; // characters; longer results are shown plain

export class Forms {
  #session;
  #find;
  #topics;
  #template = METHODS.echo; // what the params field was filled with
  #discovered = false;

  // `find` gives an element by id.
  constructor(session, topics, find) {
    this.#session = session;
    this.#topics = topics;
    this.#find = find;
    this.#initCall();
    for (const name of Object.keys(ASKS)) this.#onSubmit(name, () => this.#ask(name));
    this.#onSubmit("subscribe", () => this.#subscribe());
    session.addEventListener("opened", () => this.#discover());
  }

  // Fills the address of "send to session" and goes to its text.
  answer(code) {
    this.#find("send-to").value = code;
    this.#find("send-data").focus();
  }

  #initCall() {
    const method = this.#find("call-method");
    const params = this.#find("call-params");
    params.value = this.#template;
    this.#offerMethods(Object.keys(METHODS));
    method.oninput = () => this.#fillTemplate();
    params.oninput = () => this.#checkParams();
    params.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#find("call").requestSubmit();
    };
    this.#onSubmit("call", async () => {
      if (method.value.trim() === "") return this.#missing("call", method, "Which method?");
      if (!this.#checkParams()) return params.focus();
      const outcome = await this.#session.call(method.value.trim(), params.value.trim());
      showOutcome(this.#find("call-outcome"), outcome, { full: true });
    });
  }

  #onSubmit(name, run) {
    this.#find(name).addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
  }

  // Reads the fields (data as JSON or text, all others as text), calls, and shows what came of it.
  async #ask(name) {
    const [method, keys, praise] = ASKS[name];
    const members = [];
    for (const key of keys) {
      const field = this.#find(`${name}-${key}`);
      if (key !== "data" && field.value.trim() === "") return this.#missing(name, field, "This field is needed.");
      members.push(`"${key}":${key === "data" ? jsonOrText(field.value) : JSON.stringify(field.value.trim())}`);
    }
    const outcome = await this.#session.call(method, `{${members.join(",")}}`);
    showOutcome(this.#find(`${name}-outcome`), outcome, { summary: outcome.error ? "" : praise(outcome.result) });
  }

  async #subscribe() {
    const field = this.#find("subscribe-topic");
    const topic = field.value.trim();
    if (topic === "") return this.#missing("subscribe", field, "This field is needed.");
    const outcome = await this.#topics.subscribe(topic, {});
    this.showSubscribed(outcome, "subscribed");
    if (outcome.error) return;
    this.#find("publish-topic").value ||= topic; // who subscribes to a topic wants to publish there next
    field.value = "";
  }

  showSubscribed(outcome, praise) {
    showOutcome(this.#find("subscribe-outcome"), outcome, { summary: outcome.error ? "" : praise });
  }

  #missing(name, field, text) {
    field.setAttribute("aria-invalid", "true");
    this.#find(`${name}-outcome`).replaceChildren(element("p", text, "bad"));
    field.focus();
    field.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
  }

  #fillTemplate() {
    const params = this.#find("call-params");
    const next = METHODS[this.#find("call-method").value.trim()];
    if (next === undefined || (params.value !== "" && params.value !== this.#template)) return;
    this.#template = params.value = next.replace("CODE", this.#session.code || "happy-panda-42");
    this.#checkParams();
  }

  // Says whether the params may be sent. What is JSON but no object or array may: the answer is worth seeing.
  #checkParams() {
    const params = this.#find("call-params");
    const note = this.#find("call-note");
    let text = "";
    let valid = true;
    try {
      const value = params.value.trim() === "" ? {} : JSON.parse(params.value);
      if (value === null || typeof value !== "object") text = "JSON-RPC wants an object or an array here.";
    } catch (error) {
      valid = false;
      text = error.message;
    }
    note.textContent = text;
    if (valid) params.removeAttribute("aria-invalid");
    else params.setAttribute("aria-invalid", "true");
    return valid;
  }

  #offerMethods(names) {
    this.#find("methods").replaceChildren(...names.map((name) => option(name)));
  }

  async #discover() {
    if (this.#discovered) return;
    const { result } = await this.#session.call("rpc.discover", "", { quiet: true });
    const names = (result?.methods ?? []).map((method) => method?.name).filter((name) => typeof name === "string");
    this.#discovered = names.length > 0;
    this.#offerMethods([...new Set([...Object.keys(METHODS), ...names])]);
  }
}

// Compact JSON of any value, for one line.
export function write(value) {
  return value === undefined ? "" : JSON.stringify(value);
}

function jsonOrText(text) {
  try {
    parseJson(text);
    return text.trim();
  } catch {
    return JSON.stringify(text);
  }
}

function showOutcome(box, { result, error, ms }, { full = false, summary = "" }) {
  const good = error === undefined;
  const line = element("p", "", good ? "good" : "bad");
  line.append(element("b", good ? summary || "result" : `error ${error.code}`), " ");
  if (!good) line.append(String(error.message), " ");
  line.append(element("small", `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`));
  const shown = good ? result : error.data;
  const pretty = full && shown !== undefined ? [prettyJson(shown)] : [];
  box.replaceChildren(line, ...pretty);
}

// JSON on many lines, coloured by spans.
function prettyJson(value) {
  const text = JSON.stringify(value, null, 2);
  const pre = element("pre", "");
  pre.tabIndex = 0;
  if (text.length > COLOURED_MAX) {
    pre.textContent = text;
    return pre;
  }
  let end = 0;
  for (const match of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g)) {
    pre.append(text.slice(end, match.index));
    const kind = match[2] ? "json-name" : match[1] ? "json-text" : "json-value";
    pre.append(element("span", match[1] ?? match[0], kind), match[2] ?? "");
    end = match.index + match[0].length;
  }
  pre.append(text.slice(end));
  return pre;
}
