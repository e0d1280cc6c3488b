// Decides when the next connection is tried: after a jittered wait, never before the server said, not while the
// platform says it is offline, and at once when it says it is back.
//
// Invariant: at most one attempt is pending. It does not open sockets itself.

import { Backoff } from "./backoff.js";
import { Timer, type Clock } from "./clock.js";

export class Reconnector {
  private readonly backoff: Backoff;
  private readonly attempt: Timer;
  private readonly settled: Timer;
  private waiting = false;
  private offline = false;
  private notBefore = 0;

  constructor(
    private readonly clock: Clock,
    options: { base: number; cap: number; stable: number },
    random: () => number,
    private readonly dial: () => void,
  ) {
    this.backoff = new Backoff(options.base, options.cap, random);
    this.stable = options.stable;
    this.attempt = new Timer(clock, () => this.go());
    this.settled = new Timer(clock, () => this.backoff.reset());
  }

  private readonly stable: number;

  /** The server's wish: no attempt within the next `ms`. */
  holdOff(ms: number): void {
    this.notBefore = Math.max(this.notBefore, this.clock.now() + ms);
  }

  /** Plans the next attempt. Returns the wait in ms. */
  schedule(): number {
    this.settled.clear();
    this.waiting = true;
    const wait = Math.max(0, this.notBefore - this.clock.now()) + this.backoff.next();
    if (!this.offline) this.attempt.set(wait);
    return wait;
  }

  /** A session is open on the connection. */
  connected(): void {
    this.cancel();
    this.notBefore = 0;
    this.settled.set(this.stable);
  }

  cancel(): void {
    this.waiting = false;
    this.attempt.clear();
  }

  stop(): void {
    this.cancel();
    this.settled.clear();
  }

  wentOffline(): void {
    this.offline = true;
    this.attempt.clear();
  }

  /** The network or the user is back: a pending attempt is made now, or as soon as the server allows. */
  hurry(online: boolean): void {
    if (online) this.offline = false;
    if (!this.waiting || this.offline) return;
    const wait = this.notBefore - this.clock.now();
    if (wait > 0) this.attempt.set(wait);
    else this.go();
  }

  private go(): void {
    this.cancel();
    this.dial();
  }
}
