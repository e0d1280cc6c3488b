// Counts the messages of the server that take a number, and says when the count is to be told.
//
// Invariant: while attached, a message counted is told at the latest ACK_MESSAGES messages or ACK_MS later.

import { Timer, type Clock } from "./clock.js";
import { ACK_MESSAGES, ACK_MS } from "./protocol.js";

export class Incoming {
  private count = 0;
  private told = 0;
  private readonly timer: Timer;

  /** `tell` sends the count. */
  constructor(
    clock: Clock,
    private readonly tell: (received: number) => void,
  ) {
    this.timer = new Timer(clock, () => this.flush());
  }

  get received(): number {
    return this.count;
  }

  restart(received: number): void {
    this.stop();
    this.count = received;
    this.told = received;
  }

  add(): void {
    this.count++;
  }

  /** Messages up to `number` will never come. */
  skipTo(number: number): void {
    this.count = Math.max(this.count, number);
  }

  /** To be called when a message is dealt with: tells the count now, or soon. */
  settle(): void {
    if (this.count - this.told >= ACK_MESSAGES) this.flush();
    else if (this.count > this.told && !this.timer.armed) this.timer.set(ACK_MS);
  }

  flush(): void {
    this.timer.clear();
    this.told = this.count;
    this.tell(this.count);
  }

  stop(): void {
    this.timer.clear();
  }
}
