// Every way a call can fail, one class each, so that an application decides by `instanceof`. The question that
// matters after a failure is "was it done?", and each class answers it.

/** What all errors of this package have in common. */
export class HubbubError extends Error {
  static {
    this.prototype.name = "HubbubError"; // written out, here and below: minifiers rename classes
  }

  constructor(message: string) {
    super(message);
  }
}

/** The `data` member of a server's error, as far as the protocol defines it. */
export interface RpcErrorData {
  /** The same call may succeed later. */
  retryable?: boolean;
  /** Not before this many milliseconds. */
  retry_after_ms?: number;
  /** The limit that was hit. */
  limit?: unknown;
  /** The parameter that was wrong. */
  field?: string;
  [member: string]: unknown;
}

/** The server answered with an error: the call was received and refused, or its handler failed. */
export class RpcError extends HubbubError {
  static {
    this.prototype.name = "RpcError";
  }

  constructor(
    /** JSON-RPC error code; the protocol's are listed in the README. */
    readonly code: number,
    message: string,
    readonly data?: RpcErrorData,
    /** The method that was called. */
    readonly method?: string,
  ) {
    super(message);
  }

  /** @internal Reads the `error` member of a message. */
  static from(error: { code?: unknown; message?: unknown; data?: unknown }, method?: string): RpcError {
    const { code, message, data } = error;
    const known = typeof data === "object" && data !== null;
    return new RpcError(Number(code), String(message), known ? (data as RpcErrorData) : undefined, method);
  }

  /** True if the server says that the same call may succeed later. */
  get retryable(): boolean {
    return this.data?.retryable === true;
  }

  /** Milliseconds to wait before the call is made again, if the server said so. */
  get retryAfter(): number | undefined {
    const ms = this.data?.retry_after_ms;
    return typeof ms === "number" ? ms : undefined;
  }
}

/**
 * The call was sent and its answer will never be known: the session was lost, or its answer was among messages
 * that the server had to let go. It may have been done or not, never twice.
 */
export class OutcomeUnknown extends HubbubError {
  static {
    this.prototype.name = "OutcomeUnknown";
  }

  constructor(
    readonly method: string,
    /** True: the session is over. False: it lives, and the server did receive the call, but its answer is gone. */
    readonly sessionLost: boolean,
    why: string,
  ) {
    super(`${method}: outcome unknown: ${why}`);
  }
}

/** No answer within the call's timeout. The server was asked to cancel it, if it had been sent at all. */
export class TimeoutError extends HubbubError {
  static {
    this.prototype.name = "TimeoutError";
  }

  constructor(
    readonly method: string,
    /** False: the message never left, so it was certainly not done. */
    readonly sent: boolean,
    ms: number,
    why = "never sent",
  ) {
    super(`${method}: no answer within ${ms} ms${sent ? "" : ` (${why})`}`);
  }
}

/** Why a session ended; see {@link Lost}. */
export type LostReason = "refused" | "expired" | "superseded" | "ended" | "protocol" | "closed";

/** There is no session any more, or it ended before the message left: it was certainly not done. */
export class SessionLost extends HubbubError {
  static {
    this.prototype.name = "SessionLost";
  }

  constructor(
    readonly reason: LostReason,
    message: string,
  ) {
    super(message);
  }
}

/** A bounded queue is full. The message was not queued and will not be sent. */
export class QueueFull extends HubbubError {
  static {
    this.prototype.name = "QueueFull";
  }
}
