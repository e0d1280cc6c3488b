// Subscriptions: order, positions, survival, readers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueFull, RpcError, SessionLost, TimeoutError, type PresenceEvent, type Session, type TopicGap } from "../src/index.js";
import { settle } from "./fake_clock.js";
import { World } from "./world.js";

async function join<T>(world: World, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await world.run();
  return promise;
}

const requests = (world: World, method: string) =>
  world.sockets
    .flatMap((socket) => socket.written)
    .map((text) => JSON.parse(text))
    .filter((message) => message.method === method)
    .map((message) => message.params);

async function restart(world: World, session: Session, keepTopics: boolean): Promise<void> {
  const topics = new Map(world.server.topics);
  world.server.forget();
  if (keepTopics) for (const [name, topic] of topics) world.server.topics.set(name, topic);
  world.cut();
  await world.tick(2000);
  assert.equal(session.state, "open");
}

test("a handler gets data and place, in order", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const subscription = await join(
    world,
    session.subscribe("news", (data, { topic, offset }) => seen.push([topic, offset, data])),
  );
  world.server.publish("news", "a");
  world.server.publish("news", "b");
  await world.run();
  assert.deepEqual(seen, [["news", 1, "a"], ["news", 2, "b"]]);
  assert.equal(subscription.offset, 2);
  assert.equal(subscription.epoch, world.server.topic("news").epoch);
  assert.equal(subscription.recovered, undefined);
});

test("since and last bring what was missed, then live messages, none twice", async () => {
  const world = new World();
  const session = await world.connect();
  for (let n = 1; n <= 5; n++) world.server.publish("news", n);
  const since: unknown[] = [];
  const last: unknown[] = [];
  const { epoch } = world.server.topic("news");
  const first = session.subscribe("news", { since: { epoch, offset: 3 } }, (data) => since.push(data));
  const second = session.subscribe("news", { last: 4 }, (data) => last.push(data));
  world.server.publish("news", 6);
  await world.run();
  world.server.publish("news", 7);
  await world.run();
  assert.deepEqual(since, [4, 5, 6, 7]);
  assert.deepEqual(last, [3, 4, 5, 6, 7]);
  assert.equal((await first).recovered, true);
  assert.equal((await second).recovered, undefined);
});

test("since together with last is refused here", async () => {
  const world = new World();
  const session = await world.connect();
  await assert.rejects(session.subscribe("news", { since: { epoch: "e", offset: 1 }, last: 1 }), TypeError);
});

test("an async iterator reads from the moment of subscribing, and leaving the loop unsubscribes", async () => {
  const world = new World();
  const session = await world.connect();
  for (let n = 1; n <= 2; n++) world.server.publish("news", n);
  const subscription = await join(world, session.subscribe<number>("news", { last: 2 }));
  world.server.publish("news", 3);
  await world.run();
  const seen: number[] = [];
  const loop = (async () => {
    for await (const { data } of subscription) {
      seen.push(data);
      if (data === 4) break;
    }
  })();
  await world.run();
  world.server.publish("news", 4);
  await world.run();
  await loop;
  await world.run();
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.equal(subscription.active, false);
  assert.equal(requests(world, "topic.unsubscribe").length, 1);
});

test("an iterator that falls too far behind gets what there is, then QueueFull", async () => {
  const world = new World();
  const session = await world.connect();
  const subscription = await join(world, session.subscribe<number>("news", { buffer: 3 }));
  for (let n = 1; n <= 10; n++) world.server.publish("news", n);
  await world.run();
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { data } of subscription) seen.push(data);
  }, QueueFull);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(subscription.active, false);
  assert.deepEqual(requests(world, "topic.unsubscribe"), [{ topic: "news" }]);
});

test("a loop left while detached unsubscribes at the resume, however long that takes", async () => {
  const world = new World();
  const session = await world.connect({ callTimeout: 100 });
  const iterator = (await join(world, session.subscribe("news")))[Symbol.asyncIterator]();
  world.up = false;
  world.cut();
  await iterator.return!();
  await world.tick(5000);
  world.up = true;
  await world.tick(20_000);
  assert.deepEqual(requests(world, "topic.unsubscribe"), [{ topic: "news" }]);
});

test("a handler keeps the subscription when a loop beside it is left", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const subscription = await join(world, session.subscribe("news", (data) => seen.push(data)));
  const iterator = subscription[Symbol.asyncIterator]();
  await iterator.return!();
  world.server.publish("news", 1);
  await world.run();
  assert.deepEqual(seen, [1]);
});

test("readers of one topic share the server's subscription, and the last one ends it", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: string[] = [];
  const a = await join(world, session.subscribe("news", () => seen.push("a")));
  world.server.publish("news", 1);
  await world.run();
  const b = await join(world, session.subscribe("news", { last: 1 }, () => seen.push("b")));
  assert.deepEqual(seen, ["a", "b"], "what b asked for is not given to a again");
  await join(world, a.unsubscribe());
  assert.equal(requests(world, "topic.unsubscribe").length, 0);
  world.server.publish("news", 2);
  await world.run();
  await join(world, b.unsubscribe());
  assert.equal(requests(world, "topic.unsubscribe").length, 1);
  world.server.publish("news", 3);
  await world.run();
  assert.deepEqual(seen, ["a", "b", "b"]);
});

test("a refused subscribe rejects and leaves nothing behind", async () => {
  const world = new World();
  const session = await world.connect({ queue: { messages: 1 } });
  world.cut();
  session.notify("work", [1]);
  await assert.rejects(session.subscribe("news"), QueueFull);
  await world.tick(2000);
  await restart(world, session, false);
  assert.equal(requests(world, "topic.subscribe").length, 0);
});

test("a subscribe that timed out leaves no subscription at the server", async () => {
  const world = new World();
  const session = await world.connect({ callTimeout: 500 });
  const outcome = assert.rejects(session.subscribe("news"), TimeoutError);
  await settle();
  world.deliverAny();
  assert.equal(world.server.session(session.code).topics.size, 1);
  await world.clock.advance(500);
  await outcome;
  await world.run();
  assert.equal(world.server.session(session.code).topics.size, 0);
});

test("a resumed session keeps its subscriptions without asking again", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  await join(world, session.subscribe("news", (data) => seen.push(data)));
  world.cut();
  world.server.publish("news", 1);
  await world.tick(500);
  assert.deepEqual(seen, [1]);
  assert.equal(requests(world, "topic.subscribe").length, 1);
});

test("in a new session each topic goes on from where its readers were", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const gaps: TopicGap[] = [];
  const subscription = await join(
    world,
    session.subscribe("news", { gap: (gap) => gaps.push(gap) }, (data) => seen.push(data)),
  );
  world.server.publish("news", 1);
  await world.run();
  const { epoch } = subscription;
  world.cut();
  world.server.publish("news", 2);
  await restart(world, session, true);
  world.server.publish("news", 3);
  await world.run();
  assert.deepEqual(requests(world, "topic.subscribe")[1], { topic: "news", since: { epoch, offset: 1 } });
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(subscription.recovered, true);
  assert.deepEqual(gaps, []);
});

test("what the history no longer has is told as a gap, with its offsets", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const gaps: TopicGap[] = [];
  const subscription = await join(
    world,
    session.subscribe("news", { gap: (gap) => gaps.push(gap) }, (data) => seen.push(data)),
  );
  world.server.historyMessages = 2;
  world.cut();
  for (let n = 1; n <= 5; n++) world.server.publish("news", n);
  await restart(world, session, true);
  assert.deepEqual(seen, [4, 5]);
  assert.deepEqual(gaps, [{ topic: "news", from: 1, to: 3 }]);
  assert.equal(subscription.recovered, false);
});

test("a topic that began anew is followed in its new epoch", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const subscription = await join(world, session.subscribe("news", (data) => seen.push(data)));
  for (let n = 1; n <= 3; n++) world.server.publish("news", n);
  await world.run();
  const { epoch } = subscription;
  await restart(world, session, false);
  world.server.publish("news", "new");
  await world.run();
  assert.deepEqual(seen, [1, 2, 3, "new"]);
  assert.notEqual(subscription.epoch, epoch);
  assert.deepEqual([subscription.offset, subscription.recovered], [1, false]);
});

test("a reader is told when a new session has taken it over, before what it missed, and whether that is all", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  const rejoined = ({ topic, recovered }: { topic: string; recovered: boolean }): unknown =>
    seen.push(`${topic} ${recovered}`);
  await join(world, session.subscribe("news", { rejoined }, (data) => seen.push(data)));
  world.server.publish("news", 1);
  await world.run();
  const missed = async (keep: boolean, data: number): Promise<void> => {
    world.up = false;
    world.cut();
    await world.tick(1);
    const { topics } = world.server;
    const kept = new Map(topics);
    world.server.forget();
    if (keep) for (const [name, topic] of kept) topics.set(name, topic);
    world.server.publish("news", data);
    world.up = true;
    await world.tick(5000);
    assert.equal(session.state, "open");
  };
  await missed(true, 2);
  await missed(false, 3);
  assert.deepEqual(seen, [1, "news true", 2, "news false", 3]);
});

test("a subscription that a new session does not get again ends with the refusal", async () => {
  const world = new World();
  const errors: unknown[] = [];
  const session = await world.connect({ onError: (error) => errors.push(error) });
  const subscription = await join(world, session.subscribe("news"));
  const next = subscription[Symbol.asyncIterator]().next();
  const refused = assert.rejects(next, RpcError);
  world.server.refuseTopics = true;
  await restart(world, session, true);
  await refused;
  assert.equal(errors.length, 1);
  assert.equal(subscription.active, false);
});

test("when the session is lost for good, loops end with SessionLost", async () => {
  const world = new World();
  const session = await world.connect({ reopen: false });
  const subscription = await join(world, session.subscribe("news"));
  const ended = assert.rejects(async () => {
    for await (const _ of subscription);
  }, SessionLost);
  await settle();
  world.server.forget();
  world.cut();
  await world.tick(500);
  await ended;
  assert.equal(subscription.active, false);
});

test("presence is asked for once and told to whoever asked", async () => {
  const world = new World();
  const session = await world.connect();
  const told: PresenceEvent[] = [];
  const heard: PresenceEvent[] = [];
  session.on("topic.presence", (event) => heard.push(event));
  await join(world, session.subscribe("news", { presence: (event) => told.push(event) }));
  await join(world, session.subscribe("news", () => {}));
  assert.deepEqual(
    requests(world, "topic.subscribe").map((params) => params.presence),
    [true, true],
    "a later subscribe must not switch it off",
  );
  const event = { topic: "news", count: 2, joined: ["a-b-1"] };
  world.server.push(world.server.session(session.code), "topic.presence", event);
  await world.run();
  assert.deepEqual([told, heard], [[event], [event]]);
});

test("if the answer to taking a topic over is lost, it is asked for again", async () => {
  const world = new World();
  const session = await world.connect();
  const seen: unknown[] = [];
  await join(world, session.subscribe("news", (data) => seen.push(data)));
  world.server.publish("news", 1);
  await world.run();
  const topics = new Map(world.server.topics);
  world.server.forget();
  for (const [name, topic] of topics) world.server.topics.set(name, topic);
  world.cut();
  world.server.publish("news", 2);
  while (requests(world, "topic.subscribe").length < 2) {
    await world.clock.advance(100);
    while (world.deliverAny() && requests(world, "topic.subscribe").length < 2) await settle();
  }
  while (world.socket.toServer.length > 0) world.deliverAny();
  world.cut(); // the answer and the message are on the line
  for (const entry of world.server.session(session.code).ring) entry.text = undefined;
  await world.tick(3000);
  world.server.publish("news", 3);
  await world.run();
  assert.deepEqual(seen, [1, 2, 3]);
});
