// Calls that wait for their answer. Each settles exactly once: by the answer, its timeout, its signal, or the end of
// all hope for an answer.
//
// Invariant: an id is in the table <=> its call is unsettled. Settling happens synchronously, so that whoever relies
// on the order of answers and notifications sees the order of the wire.

import type { Clock } from "./clock.js";
import { OutcomeUnknown, SessionLost, TimeoutError, type LostReason } from "./errors.js";
import type { Entry } from "./outgoing.js";

export interface CallOptions {
  /** Milliseconds until the call is given up with TimeoutError; 0 for never. Default: option callTimeout. */
  timeout?: number | undefined;
  /** Gives the call up with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface Settle {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface PendingCall extends Settle {
  readonly method: string;
  readonly entry: Entry;
  release: () => void;
}

export class Calls {
  private readonly pending = new Map<string, PendingCall>();

  /** `abandon` is told of a call that its caller gave up. */
  constructor(
    private readonly clock: Clock,
    private readonly abandon: (id: string, entry: Entry) => void,
  ) {}

  get size(): number {
    return this.pending.size;
  }

  /** The method of a call that waits. */
  method(id: unknown): string | undefined {
    return typeof id === "string" ? this.pending.get(id)?.method : undefined;
  }

  add(id: string, method: string, entry: Entry, settle: Settle, { timeout = 0, signal }: CallOptions): void {
    const timer =
      timeout > 0
        ? this.clock.setTimeout(
            () => this.giveUp(id, (call) => new TimeoutError(method, call.entry.number > 0, timeout)),
            timeout,
          )
        : undefined;
    const aborted = (): void => this.giveUp(id, () => signal?.reason);
    signal?.addEventListener("abort", aborted);
    const release = (): void => {
      if (timer !== undefined) this.clock.clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
    this.pending.set(id, { ...settle, method, entry, release });
  }

  /** False if nobody waits for that id (any more). */
  resolve(id: unknown, result: unknown): boolean {
    const call = this.take(id);
    call?.resolve(result);
    return call !== undefined;
  }

  reject(id: unknown, error: unknown): boolean {
    const call = this.take(id);
    call?.reject(error);
    return call !== undefined;
  }

  /** The answers to calls with message numbers up to `number` may be lost: whoever still waits is told so. */
  doubt(number: number): void {
    for (const [id, call] of [...this.pending])
      if (call.entry.number > 0 && call.entry.number <= number)
        this.reject(id, new OutcomeUnknown(call.method, false, "the server had to let the answer go"));
  }

  /** The session is over. */
  lose(reason: LostReason, message: string): void {
    for (const [id, call] of [...this.pending])
      this.reject(
        id,
        call.entry.number > 0
          ? new OutcomeUnknown(call.method, true, message)
          : new SessionLost(reason, `${call.method}: never sent: ${message}`),
      );
  }

  private giveUp(id: string, error: (call: PendingCall) => unknown): void {
    const call = this.take(id);
    if (!call) return;
    this.abandon(id, call.entry);
    call.reject(error(call));
  }

  private take(id: unknown): PendingCall | undefined {
    if (typeof id !== "string") return undefined;
    const call = this.pending.get(id);
    if (!call) return undefined;
    this.pending.delete(id);
    call.release();
    return call;
  }
}
