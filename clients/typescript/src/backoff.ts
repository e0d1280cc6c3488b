// Exponential back-off with full jitter: any wait from 0 to the current ceiling is equally likely, which spreads
// clients that were cut at the same moment better than any narrower choice.

export interface BackoffOptions {
  /** Ceiling of the first wait, ms. Default 500. */
  base?: number | undefined;
  /** Ceiling of all waits, ms. Default 30,000. */
  cap?: number | undefined;
  /** A connection that lived this long, ms, sets the ceiling back to `base`. Default 10,000. */
  stable?: number | undefined;
}

export class Backoff {
  private attempt = 0;

  constructor(
    private readonly base: number,
    private readonly cap: number,
    private readonly random: () => number,
  ) {}

  /** The wait before the next attempt, ms. */
  next(): number {
    const ceiling = Math.min(this.cap, this.base * 2 ** Math.min(this.attempt++, 30));
    return this.random() * ceiling;
  }

  reset(): void {
    this.attempt = 0;
  }
}
