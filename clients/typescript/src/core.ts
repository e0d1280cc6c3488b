// The session's engine: keeps one session alive over many connections, and counts messages so that nothing is lost or
// done twice. The public face is session.ts; what a connection is stands in connection.ts.
//
// Invariants: `connection` is set <=> an attempt or an open connection exists; counts belong to `credentials` and are
// reset with them; once `gone` is set nothing is sent, queued or planned any more.

import { Calls, type CallOptions, type Settle } from "./calls.js";
import { Timer } from "./clock.js";
import { Connection, type End } from "./connection.js";
import { Emitter } from "./emitter.js";
import { QueueFull, RpcError, SessionLost, TimeoutError } from "./errors.js";
import { Gate } from "./gate.js";
import { Identity } from "./identity.js";
import { Incoming } from "./incoming.js";
import type { NetworkEvent } from "./network.js";
import type { Credentials, Lost, SessionState, Settings, StateDetail } from "./options.js";
import { Outgoing, utf8Length, type Entry } from "./outgoing.js";
import { Pacer } from "./pacer.js";
import { Patience } from "./patience.js";
import { isObject, isOpened, isUncounted, type Message, type Opened } from "./protocol.js";
import { Reconnector } from "./reconnector.js";
import { Replay, type Skipped } from "./replay.js";
import { Topics } from "./topics.js";
import { verdict } from "./verdict.js";
import { Watchdog } from "./watchdog.js";

/** Events of this package; a server's notifications of these names cannot be listened to. */
const LOCAL = new Set(["state", "gap", "credentials"]);
const REQUEST_TOO_BIG = -32007;

export class Core {
  readonly emitter: Emitter;
  readonly topics: Topics;
  state: SessionState = "connecting";
  opened: Opened | undefined;
  gone: Lost | undefined;

  private readonly calls: Calls;
  private readonly incoming: Incoming;
  private readonly reconnector: Reconnector;
  private readonly watchdog: Watchdog;
  private readonly pacer: Pacer;
  private readonly expiry: Timer;
  private readonly gate: Gate<Message | undefined>;
  private readonly replay = new Replay();
  private readonly identity: Identity;
  private readonly nonce: string;
  private outgoing: Outgoing;
  private connection: Connection | undefined;
  private first: Patience | undefined; // set from start() on
  private unwatch: () => void = () => {};
  private lastId = 0;
  private failure = "no attempt has ended"; // why there is no connection, for people
  private farewell: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private readonly settings: Settings,
  ) {
    const { clock, random } = settings;
    this.emitter = new Emitter((error) => this.report(error));
    this.calls = new Calls(clock, (id, entry) => this.abandonCall(id, entry));
    this.topics = new Topics(
      (method, params, settle, timeout) => this.request(method, params, settle, { timeout }),
      this.emitter,
      (error) => this.report(error),
      clock,
      settings.buffer,
    );
    this.incoming = new Incoming(clock, (received) => this.sendAck(received));
    this.outgoing = new Outgoing(settings.queue);
    this.reconnector = new Reconnector(clock, settings.backoff, random, () => this.dial());
    this.watchdog = new Watchdog(
      clock,
      settings.silence,
      () => this.probe(),
      () => this.connection?.abandon(`nothing heard for ${settings.silence} ms`),
    );
    this.pacer = new Pacer(clock, () => this.flush());
    const expired: Lost = { reason: "expired", message: "no connection within its grace time" };
    this.expiry = new Timer(clock, () => this.lose(expired));
    this.gate = new Gate(clock, (message) => this.take(message));
    this.nonce = Math.floor(random() * 36 ** 6).toString(36);
    this.identity = new Identity(settings);
    if (settings.resume) this.incoming.restart(settings.resume.received);
  }

  /** Resolves when the first session is open. */
  start(): Promise<void> {
    const { clock, timeout, network } = this.settings;
    this.first = new Patience(clock, timeout, () => {
      const error = new TimeoutError("connect", false, timeout, this.failure);
      this.first?.reject(error);
      this.lose({ reason: "closed", message: error.message });
    });
    this.unwatch = network?.watch((event) => this.onNetwork(event)) ?? this.unwatch;
    this.setState("connecting");
    this.dial();
    return this.first.promise;
  }

  get credentials(): Credentials | undefined {
    return this.identity.credentials(this.incoming.received);
  }

  get resumed(): boolean {
    return this.opened?.resumed === true;
  }

  /** Whether the last resume brought everything back. */
  get recovered(): boolean {
    return this.opened?.recovered ?? this.opened?.missing === undefined;
  }

  call(method: string, params: object | undefined, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => this.request(method, params, { resolve, reject }, options));
  }

  /** Like call(), for those who rely on the order of answers. Throws what keeps it from being queued. */
  request(method: string, params: object | undefined, settle: Settle, options: CallOptions): void {
    this.checkPresent(method);
    options.signal?.throwIfAborted();
    const id = `${this.nonce}.${++this.lastId}`;
    const entry = this.enqueue({ id, method, params });
    const timeout = options.timeout ?? this.settings.callTimeout;
    this.calls.add(id, method, entry, settle, { ...options, timeout });
    this.flush();
  }

  notify(method: string, params: object | undefined): void {
    this.checkPresent(method);
    this.enqueue({ method, params });
    this.flush();
  }

  close(): Promise<void> {
    if (this.gone) return this.farewell ?? Promise.resolve();
    const { connection } = this;
    const id = `${this.nonce}.close`;
    this.farewell =
      connection?.leave(id, JSON.stringify({ jsonrpc: "2.0", id, method: "session.close" })) ?? Promise.resolve();
    this.lose({ reason: "closed", message: "closed by this client" });
    return this.farewell;
  }

  // --- connections

  private dial(): void {
    const { WebSocket, clock, connectTimeout } = this.settings;
    try {
      const connection: Connection = new Connection(WebSocket, this.identity.address(this.url), clock, connectTimeout, {
        opening: () => this.identity.openingRequest(this.incoming.received),
        answered: (answer, method) => this.onAnswered(connection, answer, method),
        message: (message) => this.onMessage(message),
        draining: (params) => this.onDraining(params),
        ended: (end) => this.onEnded(end),
      });
      this.connection = connection;
    } catch (error) {
      this.first?.reject(error);
      this.lose({ reason: "ended", message: String(error) }, { final: true });
    }
  }

  private onAnswered(connection: Connection, answer: Message, method: string): boolean {
    if (answer.error) return this.onRefused(connection, RpcError.from(answer.error, method), method);
    if (!isOpened(answer.result)) connection.abandon(`the answer to ${method} makes no sense`);
    else if (method === "session.open") this.onOpened(answer.result);
    else this.onResumed(answer.result);
    return false;
  }

  /** True if the connection shall try again with another request. */
  private onRefused(connection: Connection, error: RpcError, method: string): boolean {
    if (error.retryable) {
      this.reconnector.holdOff(error.retryAfter ?? 0);
      connection.abandon(error.message);
      return false;
    }
    if (method === "session.open") {
      this.first?.reject(error);
      this.lose({ reason: "ended", message: error.message, error }, { final: true });
      return false;
    }
    this.lose({ reason: "refused", message: error.message, error }, { keep: true });
    return this.gone === undefined;
  }

  private onOpened(result: Opened): void {
    this.incoming.restart(0);
    this.outgoing.resumeAt(0);
    this.attach(result);
    this.flush();
    if (this.attached) this.setState("open");
  }

  private onResumed(result: Opened): void {
    if (!this.outgoing.resumeAt(result.received, this.identity.inherited))
      return this.lose({ reason: "protocol", message: `the server claims ${result.received} messages of ours` });
    this.replay.begin(result.sent, result.received);
    const skipped = this.skip(result.missing);
    this.attach(result);
    this.incoming.flush(); // confirms the new token
    if (skipped) this.emitter.emit("gap", skipped);
    if (!this.attached) return; // a handler closed it
    this.settleDoubt();
    this.flush();
    if (this.state !== "connecting") this.setState("resumed", { recovered: this.recovered });
    if (this.attached) this.setState("open");
  }

  /** What opening and resuming have in common. */
  private attach(result: Opened): void {
    this.identity.confirm(result);
    this.opened = result;
    this.expiry.clear();
    this.reconnector.connected();
    this.watchdog.start(this.settings.keepalive ?? result.limits?.ping_ms ?? 0);
    const { rate_per_s = 0, rate_burst } = result.limits ?? {};
    this.pacer.start(this.settings.pace ? rate_per_s : 0, rate_burst);
    if (this.first?.resolve()) this.gate.close();
    this.emitter.emit("credentials", this.credentials);
  }

  private get attached(): boolean {
    return this.connection?.usable === true;
  }

  private onEnded(end: End): void {
    this.detach();
    const { code, reason, retryAfter = 0 } = end;
    this.failure = reason || `connection closed with ${code}`;
    this.reconnector.holdOff(retryAfter);
    const final = verdict(end, () => this.outgoing.blame());
    if (final) return this.lose({ reason: final, code, message: this.failure });
    const ttl = this.opened?.session.ttl_ms ?? 0;
    const ping = this.opened?.limits?.ping_ms ?? 0;
    // The server may notice a cut two pings late, and keeps the session for ttl_ms from then on.
    if (this.credentials && ttl > 0 && ping > 0 && !this.expiry.armed) this.expiry.set(ttl + 2 * ping);
    const retryIn = this.reconnector.schedule();
    this.setState(this.state === "connecting" ? "connecting" : "detached", { code, reason, retryIn });
  }

  private detach(): void {
    this.connection = undefined;
    this.gate.clear();
    this.incoming.stop();
    this.watchdog.stop();
    this.pacer.stop();
    this.outgoing.detach();
  }

  private onDraining(params: unknown): void {
    if (isObject(params) && typeof params.retry_after_ms === "number") this.reconnector.holdOff(params.retry_after_ms);
    this.emitter.emit("session.draining", params);
  }

  private onNetwork(event: NetworkEvent): void {
    if (event === "offline") return this.reconnector.wentOffline();
    this.reconnector.hurry(event === "online");
    this.probe();
  }

  /** Sends something that must be answered, so that silence means something. */
  private probe(): void {
    if (!this.attached || this.outgoing.unconfirmed) return;
    const nothing = (): void => {};
    ifThereIsRoom(() => this.request("ping", undefined, { resolve: nothing, reject: nothing }, { timeout: 0 }));
  }

  // --- messages in

  private onMessage(message: Message | undefined): void {
    this.gate.put(message);
    this.watchdog.heard(this.outgoing.unconfirmed);
  }

  /** False if the connection ended over it. */
  private take(message: Message | undefined): boolean {
    const { connection } = this;
    if (message && isUncounted(message)) {
      this.onConnectionNotice(message);
    } else {
      this.incoming.add();
      this.dispatch(message);
    }
    if (this.connection !== connection) return false;
    this.settleDoubt();
    this.incoming.settle();
    return true;
  }

  private onConnectionNotice({ method, params }: Message): void {
    if (!isObject(params)) return;
    if (method === "session.gap") {
      const skipped = this.skip(params.missing);
      if (skipped) this.emitter.emit("gap", skipped);
    }
    if (method !== "session.ack") return;
    const { received } = params;
    if (!Number.isSafeInteger(received) || !this.outgoing.ack(received as number))
      this.lose({ reason: "protocol", message: `the server claims ${String(received)} messages of ours` });
  }

  private dispatch(message: Message | undefined): void {
    if (!message) return;
    const { id, method, params } = message;
    if (typeof method === "string") {
      if (method === "topic.message") this.topics.onMessage(params);
      if (method === "topic.presence") this.topics.onPresence(params);
      if (!LOCAL.has(method)) this.emitter.emit(method, params);
    } else if (isObject(message.error)) {
      const error = RpcError.from(message.error, this.calls.method(id));
      // Without an id the server could not even read what it complains about.
      if (!this.calls.reject(id, error) && id === null) this.report(error);
    } else {
      this.calls.resolve(id, message.result);
    }
  }

  /** Counts messages that will never come. Undefined if there are none. */
  private skip(missing: unknown): Skipped | undefined {
    const skipped = this.replay.gap(missing, this.incoming.received, this.outgoing.acked);
    if (skipped) this.incoming.skipTo(skipped.to);
    return skipped;
  }

  /** Once the replay is over, an answer that has not come is one that was let go. */
  private settleDoubt(): void {
    const upTo = this.replay.takeDoubt(this.incoming.received);
    if (upTo > 0) this.calls.doubt(upTo);
  }

  // --- messages out

  private enqueue(message: { id?: string; method: string; params: object | undefined }): Entry {
    if (message.params !== undefined && (typeof message.params !== "object" || message.params === null))
      throw new TypeError(`${message.method}: params must be an object or an array`);
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    const bytes = utf8Length(text);
    const limit = this.opened?.limits?.message_bytes ?? 0;
    if (limit > 0 && bytes > limit)
      throw new RpcError(
        REQUEST_TOO_BIG,
        `the message has ${bytes} bytes, the server takes ${limit}`,
        { retryable: false, limit: "limits.message_bytes" },
        message.method,
      );
    return this.outgoing.push(text, bytes);
  }

  private flush(): void {
    let sent = false;
    while (this.attached && this.outgoing.pending && this.pacer.take()) {
      const entry = this.outgoing.next()!;
      this.connection!.send(entry.text);
      sent = true;
    }
    if (sent) this.watchdog.asked();
  }

  // Credentials first: what is confirmed to the server is never older than what a later page resumes with.
  private sendAck(received: number): void {
    this.emitter.emit("credentials", this.credentials);
    const ack = { jsonrpc: "2.0", method: "session.ack", params: { received } };
    if (this.attached) this.connection!.send(JSON.stringify(ack));
  }

  private abandonCall(id: string, entry: Entry): void {
    if (!this.outgoing.withdraw(entry) && !this.gone) ifThereIsRoom(() => this.notify("$/cancelRequest", { id }));
  }

  private checkPresent(method: string): void {
    if (this.gone) throw new SessionLost(this.gone.reason, `${method}: no session: ${this.gone.message}`);
  }

  // --- beginnings and ends

  /** The session is over. `keep`: its connection is good for another. `final`: nobody is asked about another. */
  private lose(lost: Lost, { keep = false, final = false } = {}): void {
    const { connection } = this;
    const reopening = !final && lost.reason !== "closed" && this.wantsAnother(lost);
    if (!reopening) this.gone = lost;
    this.detach();
    if (keep && reopening) this.connection = connection;
    else connection?.drop();
    this.expiry.clear();
    this.reconnector.cancel();
    this.forget(lost);
    if (reopening) this.topics.resubscribe();
    else this.end(lost);
    this.setState("lost", { lost });
    if (this.gone) return;
    this.setState("connecting");
    if (!this.gone && !keep) this.reconnector.schedule();
  }

  /** Everything that belonged to the session's identity. */
  private forget(lost: Lost): void {
    this.identity.forget();
    this.replay.reset();
    this.incoming.restart(0);
    this.outgoing = new Outgoing(this.settings.queue);
    this.calls.lose(lost.reason, lost.message);
  }

  private end(lost: Lost): void {
    const error = new SessionLost(lost.reason, lost.message);
    this.unwatch();
    this.reconnector.stop();
    this.topics.finish(error);
    this.first?.reject(error);
  }

  private wantsAnother(lost: Lost): boolean {
    try {
      return this.settings.reopen(lost);
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  private setState(state: SessionState, detail: StateDetail = {}): void {
    this.state = state;
    this.emitter.emit("state", state, detail);
  }

  private report(error: unknown): void {
    try {
      this.settings.report(error);
    } catch {
      // there is nobody left to tell
    }
  }
}

/** For messages that help but are not needed. */
function ifThereIsRoom(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof QueueFull)) throw error;
  }
}
