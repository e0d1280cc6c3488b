// What an async iterator has not taken yet. Bounded: a reader that falls behind by more is told so by an exception
// after it has read what there is, rather than by memory running out.

import { QueueFull } from "./errors.js";

export class MessageBuffer<T> implements AsyncIterableIterator<T> {
  private items: T[] = [];
  private readers: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = [];
  private finished = false;
  private error: unknown;

  /** `onLeave` is called when the reader has left its loop, or is too far behind to go on. */
  constructor(
    private readonly limit: number,
    private readonly onLeave: () => void,
  ) {}

  push(item: T): void {
    if (this.finished) return;
    const reader = this.readers.shift();
    if (reader) return reader.resolve({ value: item, done: false });
    if (this.items.length < this.limit) return void this.items.push(item);
    this.finish(new QueueFull(`the iterator fell ${this.limit} messages behind (option buffer)`));
    this.onLeave();
  }

  /** No more will come. With an error, the reader gets it once it has read the rest. */
  finish(error?: unknown): void {
    if (this.finished) return;
    this.finished = true;
    this.error = error;
    if (this.readers.length === 0) return;
    const [first, ...others] = this.readers;
    this.readers = [];
    if (error === undefined) first!.resolve({ value: undefined, done: true });
    else first!.reject(this.takeError());
    for (const reader of others) reader.resolve({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.items.length > 0) return Promise.resolve({ value: this.items.shift()!, done: false });
    if (this.error !== undefined) return Promise.reject(this.takeError());
    if (this.finished) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
  }

  /** The reader left its loop. */
  return(): Promise<IteratorResult<T>> {
    this.items = [];
    this.error = undefined;
    this.finish();
    this.onLeave();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private takeError(): unknown {
    const error = this.error;
    this.error = undefined;
    return error;
  }
}
