// A promise that is kept or broken once, and breaks by itself after a time.

import { Timer, type Clock } from "./clock.js";

export class Patience {
  readonly promise: Promise<void>;
  private settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  private readonly timer: Timer;

  /** After `ms` (0: never) `onEnd` is called; it should reject(). */
  constructor(clock: Clock, ms: number, onEnd: () => void) {
    this.promise = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.timer = new Timer(clock, onEnd);
    if (ms > 0) this.timer.set(ms);
  }

  /** True if this settled it. */
  resolve(): boolean {
    const settle = this.take();
    settle?.resolve();
    return settle !== undefined;
  }

  reject(error: unknown): void {
    this.take()?.reject(error);
  }

  private take(): typeof this.settle {
    const { settle } = this;
    this.settle = undefined;
    this.timer.clear();
    return settle;
  }
}
