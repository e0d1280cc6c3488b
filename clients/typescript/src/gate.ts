// Holds messages back for the rest of the task in which connect() resolves, so that whoever awaits it can add handlers
// first: with some sockets several messages come in one task. What is held was not counted, so a cut loses nothing.

import { Timer, type Clock } from "./clock.js";

export class Gate<T> {
  private held: T[] | undefined;
  private readonly timer: Timer;

  /** `pass` takes one message; false: no more of them. */
  constructor(
    clock: Clock,
    private readonly pass: (item: T) => boolean,
  ) {
    this.timer = new Timer(clock, () => this.open());
  }

  /** Holds from now on until the next task. */
  close(): void {
    this.held = [];
    this.timer.set(0);
  }

  put(item: T): void {
    if (this.held) this.held.push(item);
    else this.pass(item);
  }

  /** Forgets what is held. */
  clear(): void {
    this.held = undefined;
    this.timer.clear();
  }

  private open(): void {
    const items = this.held ?? [];
    this.held = undefined;
    for (const item of items) if (!this.pass(item)) return;
  }
}
