// Time that stands still until a test moves it, and the chance that follows from a seed.

import type { Clock } from "../src/index.js";

interface Pending {
  at: number;
  order: number;
  callback: () => void;
}

export class FakeClock implements Clock {
  private time = 0;
  private order = 0;
  private readonly timers = new Map<number, Pending>();

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    this.timers.set(++this.order, { at: this.time + ms, order: this.order, callback });
    return this.order;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as number);
  }

  get pending(): number {
    return this.timers.size;
  }

  /** Time of the next timer, if any. */
  get next(): number | undefined {
    return this.first()?.at;
  }

  /** Runs timers up to `ms` from now, in order, giving promises their turn in between. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (let first = this.first(); first && first.at <= end; first = this.first()) {
      this.time = Math.max(this.time, first.at);
      this.timers.delete(first.order);
      first.callback();
      await settle();
    }
    this.time = end;
  }

  private first(): Pending | undefined {
    let best: Pending | undefined;
    for (const timer of this.timers.values())
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer;
    return best;
  }
}

/** Lets all promise reactions run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Mulberry32: the same seed, the same numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}
