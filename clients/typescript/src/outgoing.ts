// The client's own messages that the server has not confirmed yet, in order, as the exact texts that were or will
// be sent. After a cut they are sent again from the number the server has.
//
// Invariants: entry i was or will be message number `acked + 1 + i`; only the first `numbered` entries were ever
// written to a socket, and those are never removed but by a confirmation; the bounds hold after every push.

import { QueueFull } from "./errors.js";

export interface QueueOptions {
  /** Messages not confirmed by the server, sent or not. Default 1024. */
  messages?: number | undefined;
  /** Their bytes in UTF-8. Default 1 MiB. */
  bytes?: number | undefined;
}

/** One message. `number` is 0 until it is first written. */
export interface Entry {
  readonly text: string;
  readonly bytes: number;
  number: number;
}

export class Outgoing {
  private entries: Entry[] = [];
  private bytes = 0;
  private ackedCount = 0;
  private numbered = 0; // entries ever written
  private cursor = 0; // entries written to the present connection
  private blamed = { times: 0, acked: -1 };

  constructor(private readonly bounds: { messages: number; bytes: number }) {}

  /** Messages the server is known to have. */
  get acked(): number {
    return this.ackedCount;
  }

  /** Number of the last message ever written. */
  get written(): number {
    return this.ackedCount + this.numbered;
  }

  /** True if the server has not confirmed something that this connection carried. */
  get unconfirmed(): boolean {
    return this.cursor > 0;
  }

  get length(): number {
    return this.entries.length;
  }

  push(text: string, bytes: number): Entry {
    if (this.entries.length >= this.bounds.messages)
      throw new QueueFull(`${this.entries.length} messages wait for the server, allowed are queue.messages`);
    if (this.bytes + bytes > this.bounds.bytes)
      throw new QueueFull(`${this.bytes} bytes wait for the server; ${bytes} more would exceed queue.bytes`);
    const entry = { text, bytes, number: 0 };
    this.entries.push(entry);
    this.bytes += bytes;
    return entry;
  }

  /** Takes a message back that was never written. False if it was: then it is the server's. */
  withdraw(entry: Entry): boolean {
    if (entry.number !== 0) return false;
    const index = this.entries.indexOf(entry, this.numbered);
    if (index < 0) return false;
    this.entries.splice(index, 1);
    this.bytes -= entry.bytes;
    return true;
  }

  /** The next message for the present connection, if there is one; the caller writes it. */
  next(): Entry | undefined {
    const entry = this.entries[this.cursor];
    if (!entry) return undefined;
    this.cursor++;
    if (this.cursor > this.numbered) {
      this.numbered = this.cursor;
      entry.number = this.written;
    }
    return entry;
  }

  get pending(): boolean {
    return this.cursor < this.entries.length;
  }

  /** The server has `received` messages. False if that cannot be. */
  ack(received: number): boolean {
    if (received > this.ackedCount + this.cursor) return false;
    this.trim(received);
    return true;
  }

  /**
   * A new connection: everything after `received` is to be written again. False if the server's count cannot be.
   * With `adopt` nothing was ever written by this object, and it takes over the server's count (a page reload).
   */
  resumeAt(received: number, adopt = false): boolean {
    if (adopt && this.written === 0) this.ackedCount = received;
    if (received < this.ackedCount || received > this.written) return false;
    this.trim(received);
    this.cursor = 0;
    return true;
  }

  /** The connection is gone. */
  detach(): void {
    this.cursor = 0;
  }

  /** The server closed for our fault. Returns how often it did without having taken anything in between. */
  blame(): number {
    this.blamed = { acked: this.acked, times: this.blamed.acked === this.acked ? this.blamed.times + 1 : 1 };
    return this.blamed.times;
  }

  private trim(received: number): void {
    const count = received - this.ackedCount;
    if (count <= 0) return;
    for (const entry of this.entries.splice(0, count)) this.bytes -= entry.bytes;
    this.ackedCount = received;
    this.numbered -= count;
    this.cursor = Math.max(0, this.cursor - count);
  }
}

/** Length of a string in UTF-8. JSON.stringify leaves no lone surrogates. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : unit >= 0xd800 && unit <= 0xdfff ? 1 : 2;
  }
  return bytes;
}
