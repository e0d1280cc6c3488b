// One reader of one topic: a handler, async iterators, or both, and the position it has reached.
//
// Invariant: messages are delivered in the order of their offsets, each at most once; whatever is skipped is told to
// the gap handler. The wire is the business of topics.ts.

import { MessageBuffer } from "./buffer.js";
import type { Emitter } from "./emitter.js";

/** A place in a topic's history: everything up to `offset` has been seen. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface TopicMessage<T = unknown> {
  topic: string;
  offset: number;
  data: T;
}

/** Members that came and went since the last event; `more`: not all are listed, ask `topic.presence`. */
export interface PresenceEvent {
  topic: string;
  count: number;
  joined?: string[];
  left?: string[];
  more?: boolean;
}

/** Offsets that this subscription will not get. */
export interface TopicGap {
  topic: string;
  from: number;
  to: number;
}

export interface SubscribeOptions {
  /** Begin after this position, if the server's history reaches back that far; `recovered` tells. */
  since?: Position | undefined;
  /** Begin with the last n messages of the history. Not together with `since`. */
  last?: number | undefined;
  /** Be told who comes and goes, by this handler or by `session.on("topic.presence")`. */
  presence?: boolean | ((event: PresenceEvent) => void) | undefined;
  /** Called where messages are missing in between. */
  gap?: ((gap: TopicGap) => void) | undefined;
  /**
   * Called when a new session has taken the place of a lost one and is subscribed, before what was missed comes.
   * `recovered: false`: not all of it comes (a restarted server knows nothing of before), so begin afresh.
   */
  rejoined?: ((event: { topic: string; recovered: boolean }) => void) | undefined;
  /** What an async iterator may fall behind, messages. Default: option buffer. */
  buffer?: number | undefined;
}

export type TopicHandler<T = unknown> = (data: T, message: TopicMessage<T>) => void;

/** @internal */
export interface SubscriptionSetup {
  topic: string;
  options: SubscribeOptions;
  handler: TopicHandler | undefined;
  buffer: number;
  emitter: Emitter;
  leave: (subscription: Subscription) => Promise<void>;
}

/**
 * A live subscription, made by `session.subscribe`. It lives on when the session is resumed, and when a lost session
 * is replaced by a new one, where it goes on from its position.
 */
export class Subscription<T = unknown> implements AsyncIterable<TopicMessage<T>> {
  readonly topic: string;
  private current: Position = { epoch: "", offset: 0 };
  private recoveredState: boolean | undefined;
  private contiguous = false; // the next offset is known: another one means a gap
  private ended = false;
  private early: MessageBuffer<TopicMessage<T>> | undefined;
  private readonly buffers = new Set<MessageBuffer<TopicMessage<T>>>();

  /** @internal */
  constructor(private readonly setup: SubscriptionSetup) {
    this.topic = setup.topic;
    // Without a handler the iterator is the only reader: nothing may be lost before its loop begins.
    if (!setup.handler) this.early = this.newBuffer();
  }

  /** The topic's epoch; offsets of different epochs have nothing to do with each other. */
  get epoch(): string {
    return this.current.epoch;
  }

  /** Offset of the last message delivered, or where the subscription began. */
  get offset(): number {
    return this.current.offset;
  }

  /** Epoch and offset, as `since` takes them. */
  get position(): Position {
    return { ...this.current };
  }

  /**
   * With `since`, and after a new session replaced a lost one: whether every message after the position came or
   * will come. Undefined where nothing was asked for.
   */
  get recovered(): boolean | undefined {
    return this.recoveredState;
  }

  /** False after `unsubscribe`, and when the session is lost for good. */
  get active(): boolean {
    return !this.ended;
  }

  /** Ends the subscription. Loops over it end. */
  unsubscribe(): Promise<void> {
    return this.setup.leave(this as Subscription);
  }

  /**
   * Reads messages as they come. Leaving the loop ends the subscription unless it has a handler as well. A reader that
   * falls more than the buffer behind gets QueueFull once it has read what there is, and has then left; a lost session
   * ends the loop with SessionLost.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<TopicMessage<T>> {
    const buffer = this.early ?? this.newBuffer();
    this.early = undefined;
    return buffer;
  }

  /** @internal */
  get wantsPresence(): boolean {
    return this.setup.options.presence !== undefined && this.setup.options.presence !== false;
  }

  /** @internal The server's answer: `begin` is what precedes the first message. */
  start(begin: Position, recovered: boolean | undefined, contiguous: boolean): void {
    this.current = { ...begin };
    this.recoveredState = recovered;
    this.contiguous = contiguous;
  }

  /** @internal The same, in a new session. */
  restart(begin: Position, recovered: boolean): void {
    this.start(begin, recovered, true);
    this.setup.emitter.run(this.setup.options.rejoined, { topic: this.topic, recovered });
  }

  /** @internal */
  deliver(offset: number, data: T): void {
    if (this.ended || offset <= this.current.offset) return;
    if (this.contiguous && offset > this.current.offset + 1)
      this.setup.emitter.run(this.setup.options.gap, {
        topic: this.topic,
        from: this.current.offset + 1,
        to: offset - 1,
      });
    this.contiguous = true;
    this.current.offset = offset;
    const message: TopicMessage<T> = { topic: this.topic, offset, data };
    for (const buffer of [...this.buffers]) buffer.push(message);
    this.setup.emitter.run(this.setup.handler as TopicHandler<T> | undefined, data, message);
  }

  /** @internal */
  tellPresence(event: PresenceEvent): void {
    const { presence } = this.setup.options;
    if (typeof presence === "function") this.setup.emitter.run(presence, event);
  }

  /** @internal */
  finish(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    for (const buffer of [...this.buffers]) buffer.finish(error);
  }

  private newBuffer(): MessageBuffer<TopicMessage<T>> {
    const buffer: MessageBuffer<TopicMessage<T>> = new MessageBuffer(this.setup.buffer, () => {
      this.buffers.delete(buffer);
      if (!this.setup.handler && this.buffers.size === 0) this.unsubscribe().catch(() => {});
    });
    this.buffers.add(buffer);
    if (this.ended) buffer.finish();
    return buffer;
  }
}
