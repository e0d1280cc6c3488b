// A model of the server: sessions, counting, rings, resume, gaps and a few methods, written from the protocol's text
// and strict about it. Whatever a client does that the contract forbids lands in `violations`.
//
// It has no sockets: a Wire carries texts both ways, and the world between decides what arrives.

export interface Wire {
  url: string;
  send(text: string): void;
  close(code: number, reason: string): void;
}

type Json = Record<string, any>;

interface RingEntry {
  number: number;
  text: string | undefined; // undefined: a hole
  reply: boolean;
}

export class ServerSession {
  received = 0;
  sent = 0;
  acked = 0;
  wire: Wire | undefined;
  token = "";
  previous = ""; // valid until the client's first message
  confirmed = true;
  unacknowledged = 0;
  readonly ring: RingEntry[] = [];
  /** Every counted text of the client, in order. */
  readonly log: string[] = [];
  readonly topics = new Set<string>();

  constructor(
    readonly code: string,
    readonly epoch: string,
  ) {}
}

interface Topic {
  epoch: string;
  messages: { offset: number; data: unknown }[];
  offset: number;
}

export class FakeServer {
  readonly sessions = new Map<string, ServerSession>();
  readonly violations: string[] = [];
  readonly topics = new Map<string, Topic>();
  /** Params of each execution of `work` and `later`, by session code. */
  readonly done: { code: string; params: any }[] = [];
  readonly openings: Json[] = [];
  deferred: { session: ServerSession; id: unknown; params: unknown }[] = [];
  cancelled: unknown[] = [];
  limits: Json = { message_bytes: 65536, rate_per_s: 0, ping_ms: 25000 };
  ringMessages = 1024;
  historyMessages = 256;
  ackEvery = 64;
  refuseTopics = false;
  /** A text with this in it is taken for a breach of the WebSocket protocol. */
  poison: string | undefined;
  /** Answers the next opening requests with these errors. */
  refusals: Json[] = [];
  private readonly attached = new Map<Wire, ServerSession>();
  private serial = 0;

  /** The server loses its memory, as by a restart. */
  forget(): void {
    this.sessions.clear();
    this.attached.clear();
    this.topics.clear();
    this.deferred = [];
  }

  session(code: string): ServerSession {
    const session = this.sessions.get(code);
    if (!session) throw new Error(`no session ${code}`);
    return session;
  }

  onText(wire: Wire, text: string): void {
    const session = this.attached.get(wire);
    const message = JSON.parse(text) as Json;
    if (!session) return this.onOpening(wire, message);
    if (this.poison && text.includes(this.poison)) {
      this.onGone(wire);
      return wire.close(1009, "too big");
    }
    if (!session.confirmed) {
      session.confirmed = true;
      session.previous = "";
    }
    if (message.method === "session.ack" && message.id === undefined) return this.onAck(session, message.params);
    session.received++;
    session.log.push(text);
    if (++session.unacknowledged >= this.ackEvery) this.sendAck(session);
    this.dispatch(session, message);
  }

  /** The wire is gone, whoever cut it. */
  onGone(wire: Wire): void {
    const session = this.attached.get(wire);
    this.attached.delete(wire);
    if (session) session.wire = undefined;
  }

  /** The timer of the contract: what came is confirmed. */
  sendAcks(): void {
    for (const session of this.sessions.values()) if (session.wire && session.unacknowledged > 0) this.sendAck(session);
  }

  /** Sends a counted notification. */
  push(session: ServerSession, method: string, params: unknown): void {
    this.count(session, JSON.stringify({ jsonrpc: "2.0", method, params }), false);
  }

  /** Sends what takes no number. */
  notice(session: ServerSession, method: string, params: unknown): void {
    session.wire?.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  close(session: ServerSession, code: number, reason: string, retryAfter?: number): void {
    const { wire } = session;
    if (!wire) return;
    this.notice(session, "session.closing", { code, reason, retry_after_ms: retryAfter });
    this.onGone(wire);
    wire.close(code, reason);
  }

  answerDeferred(index = 0): void {
    const [call] = this.deferred.splice(index, 1);
    if (call) this.reply(call.session, call.id, { result: call.params });
  }

  publish(name: string, data: unknown): void {
    const topic = this.topic(name);
    const offset = ++topic.offset;
    topic.messages.push({ offset, data });
    if (topic.messages.length > this.historyMessages) topic.messages.shift();
    for (const session of this.sessions.values())
      if (session.topics.has(name)) this.push(session, "topic.message", { topic: name, offset, data });
  }

  topic(name: string): Topic {
    let topic = this.topics.get(name);
    if (!topic) this.topics.set(name, (topic = { epoch: `t${++this.serial}`, messages: [], offset: 0 }));
    return topic;
  }

  private onOpening(wire: Wire, { id, method, params }: Json): void {
    this.openings.push({ method, params });
    const refusal = this.refusals.shift();
    if (refusal) return wire.send(JSON.stringify({ jsonrpc: "2.0", id, error: refusal }));
    if (method === "session.open") this.open(wire, id);
    else if (method === "session.resume") this.resume(wire, id, params);
    else this.violations.push(`first message ${method}`);
  }

  private open(wire: Wire, id: unknown): void {
    const n = ++this.serial;
    const session = new ServerSession(`calm-crab-${n}`, `epoch-${n}`);
    session.token = this.newToken();
    this.sessions.set(session.code, session);
    this.attach(wire, session);
    wire.send(JSON.stringify({ jsonrpc: "2.0", id, result: this.opened(session, false) }));
  }

  private resume(wire: Wire, id: unknown, params: Json): void {
    const session = this.sessions.get(params.code);
    const known = session && session.epoch === params.epoch;
    const unused = known && !session.confirmed && params.token === session.previous;
    if (!known || (params.token !== session.token && !unused)) {
      const error = { code: -32021, message: "no such session", data: { retryable: false } };
      return wire.send(JSON.stringify({ jsonrpc: "2.0", id, error }));
    }
    if (params.received > session.sent || params.received < session.acked)
      this.violations.push(`resume at ${params.received}, sent ${session.sent}, acked ${session.acked}`);
    if (session.wire) this.close(session, 4512, "superseded");
    session.previous = params.token;
    session.confirmed = false;
    session.token = this.newToken();
    this.trim(session, params.received);
    this.attach(wire, session);
    this.replay(wire, id, session, params.received);
  }

  private attach(wire: Wire, session: ServerSession): void {
    session.wire = wire;
    session.unacknowledged = 0;
    this.attached.set(wire, session);
  }

  private replay(wire: Wire, id: unknown, session: ServerSession, received: number): void {
    // Holes stay in the ring until the client has confirmed that it knows them: this reply may be lost, too.
    const present = session.ring.findIndex((entry) => entry.text !== undefined);
    const front = present < 0 ? [...session.ring] : session.ring.slice(0, present);
    const rest = session.ring.slice(front.length);
    const recovered = front.length === 0 && rest.every((entry) => entry.text !== undefined);
    const missing = front.length > 0 ? range(front) : undefined;
    if (missing && missing.from !== received + 1) this.violations.push("the model lost count");
    const result = { ...this.opened(session, true), recovered, missing, replayed: { ring: rest.length, history: 0 } };
    wire.send(JSON.stringify({ jsonrpc: "2.0", id, result }));
    let holes: RingEntry[] = [];
    for (const entry of rest) {
      if (entry.text === undefined) {
        holes.push(entry);
        continue;
      }
      if (holes.length > 0) this.notice(session, "session.gap", { missing: range(holes) });
      holes = [];
      wire.send(entry.text);
    }
    if (holes.length > 0) this.notice(session, "session.gap", { missing: range(holes) });
  }

  private opened(session: ServerSession, resumed: boolean): Json {
    const { code, epoch, token, sent, received } = session;
    return {
      session: { code, epoch, token, ttl_ms: 120000 },
      resumed,
      sent,
      received,
      limits: this.limits,
      server: { name: "model", version: "1", time: "" },
    };
  }

  private onAck(session: ServerSession, { received }: Json): void {
    if (received > session.sent) this.violations.push(`ack ${received} of ${session.sent}`);
    if (received < session.acked) this.violations.push(`ack ${received} after ${session.acked}`);
    this.trim(session, received);
  }

  private trim(session: ServerSession, received: number): void {
    session.acked = Math.max(session.acked, received);
    while (session.ring.length > 0 && session.ring[0]!.number <= session.acked) session.ring.shift();
  }

  private sendAck(session: ServerSession): void {
    session.unacknowledged = 0;
    this.notice(session, "session.ack", { received: session.received });
  }

  private count(session: ServerSession, text: string, reply: boolean): void {
    session.ring.push({ number: ++session.sent, text, reply });
    this.enforce(session);
    session.wire?.send(text);
  }

  // Attached: the oldest goes. Detached: the oldest that is no reply goes.
  private enforce(session: ServerSession): void {
    const kept = session.ring.filter((entry) => entry.text !== undefined);
    if (kept.length <= this.ringMessages) return;
    const victim = session.wire ? kept[0] : kept.find((entry) => !entry.reply);
    if (victim) victim.text = undefined;
  }

  private reply(session: ServerSession, id: unknown, body: Json): void {
    this.count(session, JSON.stringify({ jsonrpc: "2.0", id, ...body }), true);
  }

  private dispatch(session: ServerSession, { id, method, params }: Json): void {
    const result = this.run(session, id, method, params);
    if (id !== undefined && result) this.reply(session, id, result);
  }

  // Params of one item stand for that item: [7] is answered with 7.
  private run(session: ServerSession, id: unknown, method: string, given: any): Json | undefined {
    const params = Array.isArray(given) && given.length === 1 ? given[0] : given;
    switch (method) {
      case "work":
        this.done.push({ code: session.code, params });
        return { result: params };
      case "later":
        this.done.push({ code: session.code, params });
        this.deferred.push({ session, id, params });
        return undefined;
      case "ping":
      case "echo":
        return { result: params ?? null };
      case "fail":
        return { error: { code: params.code, message: "as wished", data: params.data } };
      case "$/cancelRequest":
        this.cancelled.push(params.id);
        return undefined;
      case "topic.subscribe":
        if (this.refuseTopics) return { error: { code: -32024, message: "not allowed" } };
        return this.subscribe(session, id, params);
      case "topic.unsubscribe":
        return { result: { unsubscribed: session.topics.delete(params.topic) } };
      case "topic.publish":
        this.publish(params.topic, params.data);
        return { result: { epoch: this.topic(params.topic).epoch, offset: this.topic(params.topic).offset } };
      case "session.send":
        return { result: { status: this.sessions.get(params.to)?.wire ? "delivered" : "queued" } };
      case "session.close":
        this.reply(session, id, { result: null });
        this.sessions.delete(session.code);
        this.close(session, 1000, "closed by the client");
        return undefined;
      default:
        return { error: { code: -32601, message: "no such method" } };
    }
  }

  private subscribe(session: ServerSession, id: unknown, { topic: name, since, last }: Json): undefined {
    const topic = this.topic(name);
    const known = since && since.epoch === topic.epoch;
    const wanted = since
      ? topic.messages.filter((m) => !known || m.offset > since.offset)
      : last === undefined
        ? []
        : topic.messages.slice(-last);
    const recovered = since ? Boolean(known) && wanted.length === topic.offset - since.offset : undefined;
    session.topics.add(name);
    this.reply(session, id, { result: { epoch: topic.epoch, offset: topic.offset, recovered } });
    for (const { offset, data } of wanted) this.push(session, "topic.message", { topic: name, offset, data });
    return undefined;
  }

  private newToken(): string {
    return `token-${++this.serial}`;
  }
}

function range(holes: RingEntry[]): Json {
  return {
    from: holes[0]!.number,
    to: holes[holes.length - 1]!.number,
    replies: holes.some((entry) => entry.reply),
  };
}
