// Session: the page's view of the TypeScript client. It turns promises into outcomes, everything that happens into
// events, and begins anew when a person asks for it. Resuming, counting and waiting are the client's business.
//
// Events (detail): state {name, code?, reason?, retryAt?, lost?, detachedMs?, recovered?} · opened: a client's first
// session is open · notification {method, params} · call {method, params} and reply {method, params, outcome, own} for
// calls that are not quiet; `own`: made by subscribe() or unsubscribe(). Params are JSON text, so that what a person
// typed goes out digit by digit.

import { connect, RpcError } from "./hubbub-client.js";
import { parseJson } from "./wire.js";

const BACKOFF = { base: 500, cap: 10_000 };
const NOT_CONNECTED = -32020;

export class Session extends EventTarget {
  state = "connecting";
  #url;
  #wire;
  #client = null; // from the first open session to the end of the last
  #resume; // credentials until there is a client to ask
  #heard = new Set(["session.message", "hub.message", "topic.message", "topic.presence", "session.draining"]);
  #detachedAt = 0;

  // `resume`: credentials that an earlier page left, if any.
  constructor(url, wire, resume) {
    super();
    this.#url = url;
    this.#wire = wire;
    this.#resume = resume;
    wire.addEventListener("received", (event) => this.#onMessage(event.detail.message));
  }

  get code() {
    return this.#client?.code ?? "";
  }

  // True while calls make sense: at once or, while detached, later.
  get lives() {
    return this.#client !== null;
  }

  credentials() {
    return this.#client ? this.#client.credentials() : this.#resume;
  }

  async connect() {
    const first = { name: "connecting" };
    this.#setState(first);
    try {
      this.#client = await connect(this.#url, {
        WebSocket: this.#wire.WebSocket,
        client: { name: "page" },
        resume: this.#resume,
        timeout: 0,
        backoff: BACKOFF,
        onState: (name, detail) => this.#onState(name, detail),
        onError: (error) => this.#emit("notification", { method: "error", params: describe(error) }),
      });
    } catch {
      return; // the state "lost" has told why
    }
    this.#resume = undefined;
    for (const method of this.#heard) this.#listen(method);
    this.#client.on("gap", ({ from, to }) => {
      this.#emit("notification", { method: "messages lost", params: { from, to } });
    });
    this.#setState({ name: "open", resumed: this.#client.resumed, recovered: this.#client.recovered });
    this.#emit("opened");
  }

  // Ends the session at the hub; connect() opens another.
  end() {
    this.#client?.close();
  }

  // Resolves, never rejects, to {result, ms} or {error: {code, message, data?}, ms}; ms is the round trip. While detached
  // a call waits. A quiet call makes no call and reply events; timeout 0: none.
  call(method, params = "", { quiet = false, timeout = undefined } = {}) {
    return this.#tell({ method, params, quiet }, async (client) => {
      const result = await client.call(method, params ? parseJson(params) : undefined, { timeout });
      return this.#wire.exact("result", result);
    });
  }

  // Like a call; the result is the client's subscription. The messages come as notifications.
  subscribe(topic, { quiet = false } = {}) {
    const params = JSON.stringify({ topic });
    return this.#tell({ method: "topic.subscribe", params, quiet, own: true }, (client) =>
      client.subscribe(topic, { presence: true }, () => {}),
    );
  }

  unsubscribe(subscription, { quiet = false } = {}) {
    const params = JSON.stringify({ topic: subscription.topic });
    return this.#tell({ method: "topic.unsubscribe", params, quiet, own: true }, () => subscription.unsubscribe());
  }

  async #tell({ method, params, quiet, own = false }, run) {
    const started = performance.now();
    if (!quiet) this.#emit("call", { method, params });
    const outcome = await this.#outcome(run);
    outcome.ms = performance.now() - started;
    if (!quiet) this.#emit("reply", { method, params, outcome, own });
    return outcome;
  }

  async #outcome(run) {
    if (!this.#client) return { error: { code: NOT_CONNECTED, message: "no session" } };
    try {
      return { result: await run(this.#client) };
    } catch (error) {
      const described = describe(error);
      if (described.data !== undefined) described.data = this.#wire.exact("error", { ...described }).data;
      return { error: described };
    }
  }

  // The client hands out notifications by name. Whatever a hub may send is to be seen here.
  #onMessage({ id, method, params }) {
    if (typeof method !== "string" || id !== undefined) return;
    if (method === "session.closing") this.#emit("notification", { method, params });
    if (this.#heard.has(method)) return;
    this.#heard.add(method);
    if (this.#client) this.#listen(method);
  }

  #listen(method) {
    this.#client.on(method, (params) => {
      this.#emit("notification", { method, params: this.#wire.exact("params", params) });
    });
  }

  #onState(name, detail) {
    // The first two are told by connect(): only then is there a client.
    if (!this.#client && name !== "lost") return;
    if (name === "detached" && this.state !== "detached") this.#detachedAt = performance.now();
    if (name === "lost" && this.#client?.lost) this.#client = null;
    const { retryIn } = detail;
    this.#setState({
      ...detail,
      name,
      retryAt: retryIn === undefined ? undefined : Date.now() + retryIn,
      detachedMs: name === "resumed" ? performance.now() - this.#detachedAt : undefined,
    });
  }

  #setState(detail) {
    this.state = detail.name;
    this.#emit("state", detail);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

// The hub's refusals have a number; the client's own errors have a name.
function describe(error) {
  if (error instanceof RpcError) return { code: error.code, message: error.message, data: error.data };
  return { code: error?.name ?? "Error", message: String(error?.message ?? error) };
}
