// The shapes of the wire contract (docs/protocol.md) that this package reads. No behaviour but two predicates.

/** Subprotocol name offered in the handshake. */
export const SUBPROTOCOL = "hubbub.v1";

/** At the latest after so many counted messages, or so much time, a receiver tells its count. */
export const ACK_MESSAGES = 64;
export const ACK_MS = 1000;

/** What the server allows; see docs/protocol.md. */
export interface ServerLimits {
  message_bytes: number;
  batch_items: number;
  topics: number;
  rate_per_s: number;
  rate_burst?: number;
  ping_ms: number;
  replay: { messages: number; bytes: number; ms: number };
}

export interface ServerInfo {
  name: string;
  version: string;
  time: string;
}

/** Messages `from` to `to` (inclusive, counted from 1) that will never come. */
export interface Missing {
  from: number;
  to: number;
  /** Answers to this client's calls may have been among them. */
  replies?: boolean;
}

/** Result of session.open and session.resume. */
export interface Opened {
  session: { code: string; epoch: string; token: string; ttl_ms: number };
  resumed: boolean;
  recovered?: boolean;
  sent: number;
  received: number;
  missing?: Missing;
  limits: Partial<ServerLimits>;
  server?: Partial<ServerInfo>;
}

/** Any JSON-RPC message; which members are there tells what it is. */
export interface Message {
  id?: unknown;
  method?: unknown;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: Record<string, unknown> };
}

const UNCOUNTED = new Set(["session.ack", "session.opened", "session.draining", "session.closing", "session.gap"]);

/** Notifications that concern the connection rather than the session take no number. */
export function isUncounted(message: Message): boolean {
  return typeof message.method === "string" && UNCOUNTED.has(message.method) && message.id === undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True if the result has what a session needs. */
export function isOpened(value: unknown): value is Opened {
  if (!isObject(value) || !isObject(value.session)) return false;
  const { code, epoch, token } = value.session;
  return (
    [code, epoch, token].every((member) => typeof member === "string") &&
    Number.isSafeInteger(value.sent) &&
    Number.isSafeInteger(value.received)
  );
}

/** True if `value` is a non-empty range of message numbers. */
export function isMissing(value: unknown): value is Missing {
  return (
    isObject(value) &&
    Number.isSafeInteger(value.from) &&
    Number.isSafeInteger(value.to) &&
    (value.from as number) >= 1 &&
    (value.from as number) <= (value.to as number)
  );
}
