// Time, as the only thing in this package that knows it. Tests pass their own.

/** Monotonic time and timers, in milliseconds. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The platform's timers, and `performance.now()`, which no clock step disturbs. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 0x7fffffff)),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** One timer that can be set again: at most one is ever pending. */
export class Timer {
  private pending: unknown;

  constructor(
    private readonly clock: Clock,
    private readonly callback: () => void,
  ) {}

  get armed(): boolean {
    return this.pending !== undefined;
  }

  set(ms: number): void {
    this.clear();
    this.pending = this.clock.setTimeout(() => {
      this.pending = undefined;
      this.callback();
    }, ms);
  }

  clear(): void {
    if (this.pending === undefined) return;
    this.clock.clearTimeout(this.pending);
    this.pending = undefined;
  }
}
