// The public face of a session. All behaviour is in core.ts and topics.ts.

import type { CallOptions } from "./calls.js";
import type { Core } from "./core.js";
import type { Credentials, Lost, SessionState, StateDetail } from "./options.js";
import type { ServerInfo, ServerLimits } from "./protocol.js";
import type { PresenceEvent, Subscription, SubscribeOptions, TopicHandler, TopicMessage } from "./subscription.js";

/** Messages of the server that never come, because it had to let them go. */
export interface Gap {
  from: number;
  to: number;
  /** Answers to calls may have been among them; those calls were or will be rejected with OutcomeUnknown. */
  replies: boolean;
}

/** Notifications of the server, and events of this package, by name. */
export interface Events {
  /** Somebody sent to this session's code. */
  "session.message": (message: { from: string; data: any }) => void;
  /** Somebody spoke to every session. */
  "hub.message": (message: { data: any }) => void;
  /** Any topic's message; `subscribe` with a handler is mostly handier. */
  "topic.message": (message: TopicMessage<any>) => void;
  "topic.presence": (event: PresenceEvent) => void;
  /** The server will shut down; the session resumes elsewhere by itself. */
  "session.draining": (notice: { retry_after_ms?: number }) => void;
  state: (state: SessionState, detail: StateDetail) => void;
  gap: (gap: Gap) => void;
  credentials: (credentials: Credentials) => void;
}

/** A session: one identity at the server, over as many connections as it takes. Made by `connect`. */
export class Session {
  /** @internal */
  constructor(private readonly core: Core) {}

  /** The address others send to, such as `happy-panda-42`. Another one after a lost session; "" if there is none. */
  get code(): string {
    return this.core.credentials?.code ?? "";
  }

  get state(): SessionState {
    return this.core.state;
  }

  /** True if the present session was resumed by its last connection, false if that opened it. */
  get resumed(): boolean {
    return this.core.resumed;
  }

  /** False if messages were lost since the connection before: `gap` events tell, or will tell, which. */
  get recovered(): boolean {
    return this.core.recovered;
  }

  /** Why there is no session any more and none will come; undefined while there is hope. */
  get lost(): Lost | undefined {
    return this.core.gone;
  }

  /** What the server allows. */
  get limits(): Partial<ServerLimits> {
    return this.core.opened?.limits ?? {};
  }

  get server(): Partial<ServerInfo> {
    return this.core.opened?.server ?? {};
  }

  /**
   * Calls a method and waits for its result. JSON-RPC wants params that are an object or an array.
   *
   * Rejects with RpcError (the server's answer), TimeoutError, the signal's reason, QueueFull (never queued),
   * SessionLost (never sent) or OutcomeUnknown (sent, and the answer will never be known). While detached, calls wait
   * and are sent when the session is resumed. A call runs at most once.
   */
  call<Result = any>(method: string, params?: object, options: CallOptions = {}): Promise<Result> {
    return this.core.call(method, params, options) as Promise<Result>;
  }

  /** Sends a notification: there is no answer, but it arrives, in order and once, as long as the session lives. */
  notify(method: string, params?: object): void {
    this.core.notify(method, params);
  }

  /**
   * Calls `handler` with the params of each notification of that name, or at the event of that name. Returns what ends
   * it. A handler is not awaited; what it throws goes to option `onError`.
   */
  on<Name extends keyof Events>(name: Name, handler: Events[Name]): () => void;
  on(method: string, handler: (params: any) => void): () => void;
  on(name: string, handler: (...values: any[]) => void): () => void {
    return this.core.emitter.on(name, handler);
  }

  /** The same as `on("state", handler)`. */
  onState(handler: (state: SessionState, detail: StateDetail) => void): () => void {
    return this.core.emitter.on("state", handler);
  }

  /**
   * Subscribes to a topic. Resolves when the server has agreed; the messages then go to the handler, and to whoever
   * iterates over the subscription.
   */
  subscribe<T = any>(topic: string, handler: TopicHandler<T>): Promise<Subscription<T>>;
  subscribe<T = any>(topic: string, options?: SubscribeOptions, handler?: TopicHandler<T>): Promise<Subscription<T>>;
  subscribe<T = any>(
    topic: string,
    options: SubscribeOptions | TopicHandler<T> = {},
    handler?: TopicHandler<T>,
  ): Promise<Subscription<T>> {
    const only = typeof options === "function";
    return this.core.topics.subscribe(
      topic,
      only ? {} : options,
      (only ? options : handler) as TopicHandler | undefined,
    ) as Promise<Subscription<T>>;
  }

  /** Publishes to a topic; resolves to the message's place in it. */
  publish(topic: string, data: unknown, options: CallOptions = {}): Promise<{ epoch: string; offset: number }> {
    return this.call("topic.publish", { topic, data }, options);
  }

  /** Sends to another session. `queued`: it is detached now and gets the message when it resumes. */
  async send(code: string, data: unknown, options: CallOptions = {}): Promise<"delivered" | "queued"> {
    const { status } = await this.call<{ status: "delivered" | "queued" }>("session.send", { to: code, data }, options);
    return status;
  }

  /**
   * What a later page needs to resume this session, at this moment; undefined while there is none. The token changes
   * with each resume, so save what `on("credentials")` or option `onCredentials` tells, and see the README for what
   * that can and cannot do.
   */
  credentials(): Credentials | undefined {
    return this.core.credentials;
  }

  /**
   * Ends the session at the server and here. Calls that wait are rejected. Resolves when the connection is closed. While
   * detached nobody can tell the server: it keeps the session, as a member of its topics too, for its grace time.
   */
  close(): Promise<void> {
    return this.core.close();
  }
}
