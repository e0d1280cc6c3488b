// What a resume brings back, and what it cannot: gaps in the server's messages, and the calls whose answers may have
// been in them.
//
// Invariant: a call is doubted only once the replay is over, because its answer may still be among the messages that
// were kept.

import { isMissing } from "./protocol.js";

export interface Skipped {
  from: number;
  to: number;
  replies: boolean;
}

export class Replay {
  private end = 0; // the replay of the last resume ends with this number
  private had = 0; // own messages the server had at that resume
  private doubtful = 0; // answers to own messages up to this number may be lost

  /** A resume was answered: the server has `sent` messages for us and `received` of ours. */
  begin(sent: number, received: number): void {
    this.end = sent;
    this.had = received;
  }

  reset(): void {
    this.end = this.had = this.doubtful = 0;
  }

  /**
   * The server says that messages are missing. `received`: our count so far. `acked`: own messages the server has.
   * Undefined if that is no news.
   */
  gap(missing: unknown, received: number, acked: number): Skipped | undefined {
    if (!isMissing(missing) || missing.to <= received) return undefined;
    const replies = missing.replies === true;
    if (replies) this.doubtful = Math.max(this.doubtful, missing.to <= this.end ? this.had : acked);
    return { from: Math.max(missing.from, received + 1), to: missing.to, replies };
  }

  /** Own message number up to which calls that are still unanswered must be given up now; 0 if none. */
  takeDoubt(received: number): number {
    if (received < this.end) return 0;
    const number = this.doubtful;
    this.doubtful = 0;
    return number;
  }
}
