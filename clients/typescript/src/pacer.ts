// Keeps to the server's message rate, because what exceeds it is refused: a queue that built up while the client was
// away must not be lost in one burst. At most one second's worth goes at once, or what the server takes in a burst.

import { Timer, type Clock } from "./clock.js";

export class Pacer {
  private rate = 0;
  private burst = 1;
  private tokens = 0;
  private filledAt = 0;
  private readonly timer: Timer;

  /** `resume` is called when the next message may go. */
  constructor(
    private readonly clock: Clock,
    resume: () => void,
  ) {
    this.timer = new Timer(clock, resume);
  }

  /** A new connection. `perSecond` 0: no limit. `burst`: what the server takes at once, if it told. */
  start(perSecond: number, burst = perSecond): void {
    this.timer.clear();
    this.rate = perSecond;
    this.burst = Math.max(1, Math.min(perSecond, burst));
    this.tokens = this.burst;
    this.filledAt = this.clock.now();
  }

  stop(): void {
    this.timer.clear();
  }

  /** True if one message may go now. Otherwise `resume` will be called. */
  take(): boolean {
    if (this.rate <= 0) return true;
    const now = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) * this.rate) / 1000);
    this.filledAt = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return true;
    }
    if (!this.timer.armed) this.timer.set(Math.ceil(((1 - this.tokens) * 1000) / this.rate));
    return false;
  }
}
