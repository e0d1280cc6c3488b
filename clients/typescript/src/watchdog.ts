// Notices a connection that is dead without saying so. The server's pings are invisible to a browser, so silence is
// judged by what must come: whatever was sent is confirmed within about a second, by an answer or by session.ack.
//
// Two clocks: something is unconfirmed and nothing at all was heard for `silence` -> the connection is given up.
// Nothing was heard for `keepalive` -> `onIdle` sends something that must be answered.

import { Timer, type Clock } from "./clock.js";

export class Watchdog {
  private heardAt = 0;
  private askedAt: number | undefined;
  private running = false;
  private readonly timer: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly silence: number,
    private readonly onIdle: () => void,
    private readonly onSilent: () => void,
  ) {
    this.timer = new Timer(clock, () => this.check());
  }

  private keepalive = 0;

  /** `keepalive` 0: an idle connection is not examined. */
  start(keepalive: number): void {
    this.running = true;
    this.keepalive = keepalive;
    this.heardAt = this.clock.now();
    this.askedAt = undefined;
    this.arm();
  }

  stop(): void {
    this.running = false;
    this.timer.clear();
  }

  /** Something came. `waiting`: more must come. */
  heard(waiting: boolean): void {
    if (!this.running) return;
    this.heardAt = this.clock.now();
    this.askedAt = waiting ? this.heardAt : undefined;
    if (waiting && !this.timer.armed) this.arm();
  }

  /** Something was sent that must be confirmed. */
  asked(): void {
    if (!this.running || this.askedAt !== undefined) return;
    this.askedAt = this.clock.now();
    this.arm();
  }

  private check(): void {
    const now = this.clock.now();
    if (this.silence > 0 && this.askedAt !== undefined && now - this.askedAt >= this.silence) {
      this.stop();
      return this.onSilent();
    }
    if (this.keepalive > 0 && this.askedAt === undefined && now - this.heardAt >= this.keepalive) this.onIdle();
    if (this.running) this.arm();
  }

  private arm(): void {
    this.timer.clear();
    const now = this.clock.now();
    if (this.askedAt !== undefined) {
      if (this.silence > 0) this.timer.set(Math.max(1, this.askedAt + this.silence - now));
    } else if (this.keepalive > 0) {
      this.timer.set(Math.max(1, this.heardAt + this.keepalive - now));
    }
  }
}
