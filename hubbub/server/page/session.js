// Session: one hub session over a WebSocket in plain mode, and a tiny JSON-RPC 2.0 client on it. It reconnects by itself,
// with full jitter, and each connection is a new session. It knows nothing of the document.
//
// Events (detail): state {name, code?, reason?, retryAt?} · opened {the params of session.opened} · notification {method,
// params} · call {method, params} and reply {method, params, outcome} for calls that are not quiet · sent {bytes} ·
// received {bytes}. Params are JSON text, so that what a person typed goes out byte for byte.

export const TIMEOUT = -32002;
const NOT_CONNECTED = -32020;
const OPEN_TIMEOUT_MS = 10_000;
const CALL_TIMEOUT_MS = 15_000;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 30_000;
const STEADY_MS = 10_000; // a connection this old resets the back-off

const encoder = new TextEncoder();
const bytesOf = (text) => encoder.encode(text).length;

// Numbers keep the digits they came with where the browser can (JSON.rawJSON): 1.0 and 2^64 are shown as they are.
export function parseJson(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_name, value, context) =>
    typeof value === "number" && context?.source !== undefined && context.source !== String(value)
      ? JSON.rawJSON(context.source)
      : value,
  );
}

export class Session extends EventTarget {
  code = "";
  state = "closed";
  #url;
  #socket = null;
  #pending = new Map(); // id -> {settle, timer}
  #nextId = 1;
  #attempt = 0;
  #openedAt = 0;
  #openTimer = 0;
  #retryTimer = 0;
  #farewell = {}; // what session.draining and session.closing said: a close frame's reason can be lost

  constructor(url) {
    super();
    this.#url = url;
  }

  connect() {
    this.#forget();
    this.#farewell = {};
    this.#openedAt = 0;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onclose = (event) => this.#onClose(event.code, event.reason);
    this.#openTimer = setTimeout(() => this.drop("no session opened in time"), OPEN_TIMEOUT_MS);
    this.#setState({ name: "connecting" });
  }

  // Closes and stays closed until connect().
  disconnect() {
    this.#forget();
    this.#settleAll("disconnected");
    this.#setState({ name: "closed", code: 1000, reason: "disconnected" });
  }

  // Gives up a connection that no longer answers, and retries.
  drop(reason) {
    this.#forget();
    this.#onClose(1006, reason);
  }

  // Resolves, never rejects, to {result, ms} or {error: {code, message, data?}, ms}; ms is the round trip. A quiet call
  // makes no call and reply events.
  call(method, params = "", { quiet = false } = {}) {
    const started = performance.now();
    const text = (id) =>
      `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}${params && `,"params":${params}`}}`;
    if (!quiet) this.#emit("call", { method, params });
    return new Promise((resolve) => {
      const settle = (answer) => {
        const outcome = { ...answer, ms: performance.now() - started };
        if (!quiet) this.#emit("reply", { method, params, outcome });
        resolve(outcome);
      };
      if (this.state !== "open") return settle({ error: { code: NOT_CONNECTED, message: "not connected" } });
      this.#send(text(this.#expect(settle)));
    });
  }

  #expect(settle) {
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      this.#settle(id, { error: { code: TIMEOUT, message: `no reply in ${CALL_TIMEOUT_MS / 1000} s` } });
    }, CALL_TIMEOUT_MS);
    this.#pending.set(id, { settle, timer });
    return id;
  }

  #send(text) {
    this.#socket.send(text);
    this.#emit("sent", { bytes: bytesOf(text) });
  }

  #onMessage(text) {
    this.#emit("received", { bytes: bytesOf(text) });
    let message;
    try {
      message = parseJson(text);
    } catch {
      this.#emit("notification", { method: "not JSON", params: text });
      return;
    }
    for (const item of Array.isArray(message) ? message : [message]) this.#onItem(item);
  }

  #onItem(item) {
    if (item?.method === undefined) return this.#onReply(item);
    if (item.method === "session.opened") return this.#onOpened(item.params);
    if (item.method === "session.draining") this.#farewell.retry_after_ms = item.params?.retry_after_ms;
    if (item.method === "session.closing") this.#farewell = { ...item.params };
    this.#emit("notification", { method: item.method, params: item.params });
  }

  #onReply(item) {
    if (item && "error" in item) {
      // An error without an id answers something the hub could not read: show it, nobody waits for it.
      if (item.id === null) this.#emit("notification", { method: "error", params: item.error });
      else this.#settle(item.id, { error: item.error });
    } else {
      this.#settle(item?.id, { result: item?.result });
    }
  }

  #onOpened(params) {
    clearTimeout(this.#openTimer);
    this.#openedAt = performance.now();
    this.code = params.session.code;
    this.#setState({ name: "open" });
    this.#emit("opened", params);
  }

  #onClose(code, reason) {
    const lasted = this.#openedAt ? performance.now() - this.#openedAt : 0;
    if (lasted > STEADY_MS) this.#attempt = 0;
    this.#forget();
    this.#settleAll("connection closed before the reply");
    const why = { code: this.#farewell.code ?? code, reason: reason || this.#farewell.reason || "" };
    // 4500-4999 mean stop: only a person can change what the hub refused.
    const retryAt = why.code >= 4500 && why.code <= 4999 ? undefined : this.#retryLater();
    this.#setState({ name: "closed", ...why, retryAt });
  }

  // Full jitter: a uniform draw up to a ceiling that doubles, after what the hub asked for. Returns when, by Date.now().
  #retryLater() {
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(this.#attempt++, 10));
    const wait = (this.#farewell.retry_after_ms ?? 0) + Math.random() * ceiling;
    this.#retryTimer = setTimeout(() => this.connect(), wait);
    return Date.now() + wait;
  }

  #settle(id, answer) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    waiting.settle(answer);
  }

  #settleAll(message) {
    this.code = "";
    this.state = "closed"; // before settling: who calls again at once must not reach a dead socket
    for (const id of [...this.#pending.keys()]) this.#settle(id, { error: { code: NOT_CONNECTED, message } });
  }

  #forget() {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #setState(detail) {
    this.state = detail.name;
    this.#emit("state", detail);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
