// Which subscriptions there are, and the calls that the server needs for them. The server knows one subscription a
// topic and session; here several readers of one topic share it.
//
// Invariants: a topic is in `feeds` <=> it has a reader, or a first subscribe under way; the server is told to
// unsubscribe when the last reader has left.

import type { Clock } from "./clock.js";
import type { Emitter } from "./emitter.js";
import { OutcomeUnknown, QueueFull, RpcError, SessionLost, TimeoutError } from "./errors.js";
import type { Settle } from "./calls.js";
import { isObject } from "./protocol.js";
import {
  Subscription,
  type Position,
  type PresenceEvent,
  type SubscribeOptions,
  type TopicHandler,
} from "./subscription.js";

/** How topics speak to the server. The callbacks run in the order of the wire. */
export type Request = (method: string, params: object, settle: Settle, timeout?: number) => void;

interface Feed {
  readers: Set<Subscription>;
  joining: number; // subscribe calls under way
  joined: boolean; // the server may hold a subscription
}

interface SubscribeResult {
  epoch: string;
  offset: number;
  recovered?: boolean;
}

const RETRY_MS = 1000;

export class Topics {
  private readonly feeds = new Map<string, Feed>();

  constructor(
    private readonly request: Request,
    private readonly emitter: Emitter,
    private readonly report: (error: unknown) => void,
    private readonly clock: Clock,
    private readonly buffer: number,
  ) {}

  subscribe(topic: string, options: SubscribeOptions, handler: TopicHandler | undefined): Promise<Subscription> {
    if (options.since && options.last !== undefined)
      return Promise.reject(new TypeError("subscribe: since and last exclude each other"));
    const subscription = new Subscription({
      topic,
      options,
      handler,
      buffer: options.buffer ?? this.buffer,
      emitter: this.emitter,
      leave: (reader) => this.leave(reader),
    });
    return this.join(subscription, options);
  }

  onMessage(params: unknown): void {
    if (!isObject(params) || typeof params.topic !== "string" || typeof params.offset !== "number") return;
    const feed = this.feeds.get(params.topic);
    if (feed) for (const reader of [...feed.readers]) reader.deliver(params.offset, params.data);
  }

  onPresence(params: unknown): void {
    if (!isObject(params) || typeof params.topic !== "string") return;
    const feed = this.feeds.get(params.topic);
    if (feed) for (const reader of [...feed.readers]) reader.tellPresence(params as unknown as PresenceEvent);
  }

  /** A new session takes the place of a lost one: each topic goes on from where its readers are. */
  resubscribe(): void {
    for (const [topic, feed] of this.feeds) if (feed.readers.size > 0) this.rejoin(topic, feed);
  }

  /** The session is lost for good. */
  finish(error: unknown): void {
    for (const feed of this.feeds.values()) for (const reader of feed.readers) reader.finish(error);
    this.feeds.clear();
  }

  private join(subscription: Subscription, options: SubscribeOptions): Promise<Subscription> {
    const { topic } = subscription;
    const feed = this.feeds.get(topic) ?? { readers: new Set(), joining: 0, joined: false };
    this.feeds.set(topic, feed);
    feed.joining++;
    const params = {
      topic,
      ...(options.since && { since: { epoch: options.since.epoch, offset: options.since.offset } }),
      ...(options.last !== undefined && { last: options.last }),
      ...((subscription.wantsPresence || this.presenceOf(feed)) && { presence: true }),
    };
    return new Promise((resolve, reject) => {
      const joined = (result: unknown): void => {
        feed.joining--;
        feed.joined = true;
        begin(subscription, result as SubscribeResult, options);
        feed.readers.add(subscription);
        resolve(subscription);
      };
      const refused = (error: unknown): void => {
        feed.joining--;
        subscription.finish(error);
        if (error instanceof OutcomeUnknown || (error instanceof TimeoutError && error.sent)) feed.joined = true;
        if (this.sweep(topic, feed) && feed.joined && !isLoss(error)) this.unsubscribe(topic).catch(() => {});
        reject(error);
      };
      try {
        this.request("topic.subscribe", params, { resolve: joined, reject: refused });
      } catch (error) {
        refused(error);
      }
    });
  }

  private rejoin(topic: string, feed: Feed): void {
    const since = earliest(feed.readers);
    const resolve = (value: unknown): void => {
      const result = value as SubscribeResult;
      for (const reader of [...feed.readers]) {
        // In a new epoch everything the server still has follows, from the beginning.
        const begin = result.epoch === reader.epoch ? reader.position : { epoch: result.epoch, offset: 0 };
        reader.restart(begin, result.recovered === true);
      }
    };
    const reject = (error: unknown): void => {
      if (isLoss(error)) return; // the next session's business
      if (error instanceof OutcomeUnknown) return this.later(topic, feed, 0);
      if (error instanceof RpcError && error.retryable) return this.later(topic, feed, error.retryAfter);
      this.feeds.delete(topic);
      for (const reader of feed.readers) reader.finish(error);
      this.report(error);
    };
    const presence = this.presenceOf(feed) && { presence: true };
    try {
      this.request("topic.subscribe", { topic, since, ...presence }, { resolve, reject }, 0);
    } catch (error) {
      if (error instanceof QueueFull) this.later(topic, feed, undefined);
      else reject(error);
    }
  }

  private later(topic: string, feed: Feed, ms = RETRY_MS): void {
    this.clock.setTimeout(() => {
      if (this.feeds.get(topic) === feed && feed.readers.size > 0) this.rejoin(topic, feed);
    }, ms);
  }

  private leave(subscription: Subscription): Promise<void> {
    const { topic } = subscription;
    subscription.finish();
    const feed = this.feeds.get(topic);
    if (!feed?.readers.delete(subscription) || !this.sweep(topic, feed)) return Promise.resolve();
    return this.unsubscribe(topic);
  }

  private unsubscribe(topic: string): Promise<void> {
    return new Promise((resolve, reject) => {
      // Without a session there is no subscription either; and an answer that is gone says that the call was done.
      const failed = (error: unknown): void =>
        error instanceof SessionLost || error instanceof OutcomeUnknown ? resolve() : reject(error);
      try {
        // No timeout: a request that is withdrawn would leave the server sending to nobody.
        this.request("topic.unsubscribe", { topic }, { resolve: () => resolve(), reject: failed }, 0);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** Forgets a topic that nobody reads. True if it did. */
  private sweep(topic: string, feed: Feed): boolean {
    if (feed.readers.size > 0 || feed.joining > 0) return false;
    return this.feeds.get(topic) === feed && this.feeds.delete(topic);
  }

  private presenceOf(feed: Feed): boolean {
    return [...feed.readers].some((reader) => reader.wantsPresence);
  }
}

/** What a new reader begins with, by what it asked for. */
function begin(subscription: Subscription, result: SubscribeResult, { since, last }: SubscribeOptions): void {
  const { epoch, offset, recovered } = result;
  if (since) {
    subscription.start({ epoch, offset: since.epoch === epoch ? since.offset : 0 }, recovered, true);
  } else if (last !== undefined) {
    // How many of the last n the server still has is not known before the first of them comes.
    subscription.start({ epoch, offset: Math.max(0, offset - last) }, undefined, false);
  } else {
    subscription.start({ epoch, offset }, undefined, true);
  }
}

function earliest(readers: Iterable<Subscription>): Position {
  let first: Position | undefined;
  for (const reader of readers) if (!first || reader.offset < first.offset) first = reader.position;
  return first ?? { epoch: "", offset: 0 };
}

function isLoss(error: unknown): boolean {
  return error instanceof SessionLost || (error instanceof OutcomeUnknown && error.sessionLost);
}
