// What connect() can be told, and what it assumes otherwise.

import type { BackoffOptions } from "./backoff.js";
import { systemClock, type Clock } from "./clock.js";
import { browserNetwork, type Network } from "./network.js";
import type { QueueOptions } from "./outgoing.js";
import { platformWebSocket, type WebSocketClass } from "./socket.js";
import type { LostReason, RpcError } from "./errors.js";

/**
 * - `connecting`: no session yet; the first connection, or a new session in place of a lost one.
 * - `open`: calls go out at once.
 * - `detached`: the connection is gone, the session is not; it is being resumed, calls wait.
 * - `resumed`: passing state between `detached` and `open`.
 * - `lost`: this session is over; `connecting` follows if a new one takes its place (option `reopen`).
 */
export type SessionState = "connecting" | "open" | "detached" | "resumed" | "lost";

/** Why a session is over. */
export interface Lost {
  /**
   * - `refused`: the server does not know the session any more, or does not believe that it is ours.
   * - `expired`: no connection for longer than the server keeps a session.
   * - `superseded`: it was resumed elsewhere, say in another tab (close code 4512).
   * - `ended`: the server ended it or does not want us (close codes 4500-4999), or refused to open one.
   * - `protocol`: the two sides do not agree on what was sent; never seen with a correct server.
   * - `closed`: by `close()`.
   */
  reason: LostReason;
  message: string;
  /** Close code, where there was one. */
  code?: number;
  /** The server's refusal, where there was one. */
  error?: RpcError;
}

/** What a state handler is told beside the state. */
export interface StateDetail {
  /** detached, or connecting after a failed attempt: the close code, 1006 if there was none. */
  code?: number;
  /** With `code`: the server's words, or the platform's; "" where there are none (browsers say nothing). */
  reason?: string;
  /** With `code`: milliseconds until the next attempt. The state is told again each time one has failed. */
  retryIn?: number;
  /** resumed: true if no message was lost, false if `gap` events tell which were. */
  recovered?: boolean;
  /** lost: why. */
  lost?: Lost;
}

/** What resumes a session. The token is a secret: whoever has it is this client. */
export interface Credentials {
  code: string;
  epoch: string;
  token: string;
  /** Number of the last message received. */
  received: number;
}

export interface ConnectOptions {
  /** WebSocket class, where the platform has none (Node before 22: `import WebSocket from "ws"`). */
  WebSocket?: WebSocketClass | undefined;
  /** `auth` of session.open, or what computes it anew for each session. */
  auth?: unknown | (() => unknown);
  /** `data` of session.open: kept with the session, told by session.info. */
  data?: unknown;
  /** Name and version of the application, for the server's log. */
  client?: { name?: string; version?: string } | undefined;
  /** Credentials of an earlier page: resume that session instead of opening one. */
  resume?: Credentials | undefined;
  /**
   * Whether a new session is opened when one is lost. Default: if it was refused, expired or in disorder, but not if
   * it was superseded or ended by the server. Never asked after `close()`.
   */
  reopen?: boolean | ((lost: Lost) => boolean) | undefined;
  /** Time for connect() to get the first session, attempts included, ms. 0: for ever. Default 30,000. */
  timeout?: number | undefined;
  /** Default timeout of a call, ms. 0: none. Default 30,000. */
  callTimeout?: number | undefined;
  /** Time for one attempt, from the socket to the opened session, ms. Default 10,000. */
  connectTimeout?: number | undefined;
  /** Something was sent and nothing came for so long: the connection is replaced, ms. 0: never. Default 10,000. */
  silence?: number | undefined;
  /** Nothing came for so long: a `ping` call examines the connection, ms. 0: never. Default: the server's ping_ms. */
  keepalive?: number | undefined;
  /** Waits between attempts. */
  backoff?: BackoffOptions | undefined;
  /** Bounds of what was not confirmed by the server. Beyond: QueueFull. */
  queue?: QueueOptions | undefined;
  /** How far an async iterator may fall behind, messages. Default 1024. */
  buffer?: number | undefined;
  /** Keep to the server's message rate instead of being refused. Default true. */
  pace?: boolean | undefined;
  /** Heard from before the first attempt on; afterwards `session.onState` does the same. */
  onState?: ((state: SessionState, detail: StateDetail) => void) | undefined;
  /** Called whenever credentials changed that a later page might resume with; save them synchronously. */
  onCredentials?: ((credentials: Credentials) => void) | undefined;
  /**
   * Errors that have no caller: what handlers throw, and why a subscription could not be taken over into a new session.
   * Default: `reportError`, or the console.
   */
  onError?: ((error: unknown) => void) | undefined;
  /** Time. Default: the platform's. */
  clock?: Clock | undefined;
  /** Random numbers in [0, 1), for waits and call ids. Default: Math.random. */
  random?: (() => number) | undefined;
  /** Hints about the network; null for none. Default: the browser's events. */
  network?: Network | null | undefined;
}

/** @internal Options with nothing left open. */
export interface Settings {
  WebSocket: WebSocketClass;
  auth: unknown;
  data: unknown;
  client: { name?: string; version?: string } | undefined;
  resume: Credentials | undefined;
  reopen: (lost: Lost) => boolean;
  timeout: number;
  callTimeout: number;
  connectTimeout: number;
  silence: number;
  keepalive: number | undefined;
  backoff: { base: number; cap: number; stable: number };
  queue: { messages: number; bytes: number };
  buffer: number;
  pace: boolean;
  report: (error: unknown) => void;
  clock: Clock;
  random: () => number;
  network: Network | null;
}

const REOPEN: ReadonlySet<LostReason> = new Set<LostReason>(["refused", "expired", "protocol"]);

/** @internal */
export function settings(options: ConnectOptions): Settings {
  const WebSocket = options.WebSocket ?? platformWebSocket();
  if (!WebSocket) throw new TypeError("no WebSocket here: pass a class as option WebSocket");
  const { reopen } = options;
  return {
    WebSocket,
    auth: options.auth,
    data: options.data,
    client: options.client,
    resume: options.resume,
    reopen: typeof reopen === "function" ? reopen : (lost) => reopen ?? REOPEN.has(lost.reason),
    timeout: options.timeout ?? 30_000,
    callTimeout: options.callTimeout ?? 30_000,
    connectTimeout: options.connectTimeout ?? 10_000,
    silence: options.silence ?? 10_000,
    keepalive: options.keepalive,
    backoff: {
      base: options.backoff?.base ?? 500,
      cap: options.backoff?.cap ?? 30_000,
      stable: options.backoff?.stable ?? 10_000,
    },
    queue: { messages: options.queue?.messages ?? 1024, bytes: options.queue?.bytes ?? 1 << 20 },
    buffer: options.buffer ?? 1024,
    pace: options.pace ?? true,
    report: options.onError ?? reportError,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    network: options.network === undefined ? browserNetwork : options.network,
  };
}

function reportError(error: unknown): void {
  const report = (globalThis as { reportError?: (error: unknown) => void }).reportError;
  if (report) report(error);
  else console.error(error);
}
