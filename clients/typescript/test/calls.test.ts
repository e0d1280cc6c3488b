// Calls: each way to settle, and what the error says about what was done.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OutcomeUnknown, QueueFull, RpcError, SessionLost, TimeoutError } from "../src/index.js";
import { World } from "./world.js";

/** The outcome of a promise that must have settled by now. */
function watch(promise: Promise<unknown>): { value?: unknown; error?: any; settled: boolean } {
  const outcome: { value?: unknown; error?: unknown; settled: boolean } = { settled: false };
  promise.then(
    (value) => Object.assign(outcome, { value, settled: true }),
    (error) => Object.assign(outcome, { error, settled: true }),
  );
  return outcome;
}

const methods = (world: World): string[] => world.socket.written.map((text) => JSON.parse(text).method);

test("a call resolves to its result", async () => {
  const world = new World();
  const session = await world.connect();
  const outcome = watch(session.call("echo", { a: [1, "ä"] }));
  await world.run();
  assert.deepEqual(outcome.value, { a: [1, "ä"] });
  assert.equal(session.code, "calm-crab-1");
});

test("a server's error becomes an RpcError with code, data and what they imply", async () => {
  const world = new World();
  const session = await world.connect();
  const data = { retryable: true, retry_after_ms: 70, limit: "limits.rate_per_s" };
  const outcome = watch(session.call("fail", { code: -32025, data }));
  await world.run();
  assert.ok(outcome.error instanceof RpcError);
  assert.deepEqual([outcome.error.code, outcome.error.retryable, outcome.error.retryAfter], [-32025, true, 70]);
  assert.deepEqual(outcome.error.data, data);
  assert.equal(outcome.error.method, "fail");
});

test("send and publish resolve to what the server did", async () => {
  const world = new World();
  const session = await world.connect();
  const sent = watch(session.send(session.code, 1));
  const queued = watch(session.send("gone-goat-1", 1));
  const published = watch(session.publish("news", 1));
  await world.run();
  assert.deepEqual([sent.value, queued.value], ["delivered", "queued"]);
  assert.equal((published.value as { offset: number }).offset, 1);
});

test("a call that was sent and times out is cancelled at the server, and its late answer ignored", async () => {
  const world = new World();
  const session = await world.connect();
  const outcome = watch(session.call("later", [1], { timeout: 500 }));
  await world.tick(499);
  assert.equal(outcome.settled, false);
  await world.tick(1);
  assert.ok(outcome.error instanceof TimeoutError);
  assert.equal(outcome.error.sent, true);
  const [id] = world.server.cancelled;
  assert.equal(id, JSON.parse(world.socket.written[1]!).id);
  world.server.answerDeferred();
  await world.tick(2000);
  assert.equal(session.state, "open");
});

test("a call that never left and times out is withdrawn: it will not run", async () => {
  const world = new World();
  const session = await world.connect();
  world.up = false;
  world.cut();
  const outcome = watch(session.call("work", [1], { timeout: 500 }));
  const kept = watch(session.call("work", [2], { timeout: 0 }));
  await world.tick(500);
  assert.ok(outcome.error instanceof TimeoutError);
  assert.equal(outcome.error.sent, false);
  world.up = true;
  await world.tick(60_000);
  assert.equal(kept.value, 2);
  assert.deepEqual(world.server.done.map((d) => d.params), [2]);
  assert.deepEqual(world.server.cancelled, []);
});

test("a signal rejects with its reason, before, while queued, and in flight", async () => {
  const world = new World();
  const session = await world.connect();
  const before = watch(session.call("echo", [1], { signal: AbortSignal.abort("early") }));
  const control = new AbortController();
  const inFlight = watch(session.call("later", [1], { signal: control.signal }));
  await world.run();
  control.abort("enough");
  await world.run();
  assert.deepEqual([before.error, inFlight.error], ["early", "enough"]);
  assert.equal(world.server.cancelled.length, 1);
  assert.equal(methods(world).filter((m) => m === "echo").length, 0);
});

test("calls have a timeout by default, so none hangs", async () => {
  const world = new World();
  const session = await world.connect();
  const outcome = watch(session.call("later"));
  await world.tick(30_000);
  assert.ok(outcome.error instanceof TimeoutError);
});

test("a full queue refuses calls and notifications, by messages and by bytes", async () => {
  const world = new World();
  const session = await world.connect({ queue: { messages: 3, bytes: 400 } });
  world.up = false;
  world.cut();
  session.notify("work", [1]);
  const big = watch(session.call("work", ["x".repeat(400)]));
  session.notify("work", [2]);
  session.notify("work", [3]);
  assert.throws(() => session.notify("work", [4]), QueueFull);
  const many = watch(session.call("work", [5]));
  await world.run();
  assert.ok(big.error instanceof QueueFull);
  assert.ok(many.error instanceof QueueFull);
  world.up = true;
  await world.tick(60_000);
  assert.deepEqual(world.server.done.map((d) => d.params), [1, 2, 3]);
});

test("the server's ack makes room in the queue", async () => {
  const world = new World();
  const session = await world.connect({ queue: { messages: 3 } });
  for (const n of [1, 2, 3]) session.notify("work", [n]);
  await world.run();
  assert.throws(() => session.notify("work", [4]), QueueFull);
  world.server.sendAcks();
  await world.run();
  session.notify("work", [4]);
  await world.run();
  assert.equal(world.server.done.length, 4);
});

test("a message bigger than the server takes is refused here, not sent to have the connection closed", async () => {
  const world = new World();
  world.server.limits.message_bytes = 200;
  const session = await world.connect();
  const empty = JSON.stringify({ jsonrpc: "2.0", method: "work", params: [""] }).length;
  assert.throws(() => session.notify("work", ["é".repeat((200 - empty) / 2 + 1)]), { code: -32007 });
  session.notify("work", ["x".repeat(200 - empty)]);
  const outcome = watch(session.call("echo", ["😀".repeat(50)]));
  await world.run();
  assert.equal(outcome.error.code, -32007);
  assert.equal(world.server.done.length, 1);
});

test("what cannot be written as JSON rejects the call alone", async () => {
  const world = new World();
  const session = await world.connect();
  const outcome = watch(session.call("echo", [1n]));
  await world.run();
  assert.ok(outcome.error instanceof TypeError);
  assert.equal(session.state, "open");
});

test("params that JSON-RPC does not allow are refused here", async () => {
  const world = new World();
  const session = await world.connect();
  const outcome = watch(session.call("echo", "text" as never));
  assert.throws(() => session.notify("echo", null as never), TypeError);
  await world.run();
  assert.ok(outcome.error instanceof TypeError);
  assert.equal(world.socket.written.length, 1);
});

test("when the session is lost, calls that were sent are OutcomeUnknown and calls never sent are SessionLost", async () => {
  const world = new World();
  const session = await world.connect({ reopen: false });
  const sent = watch(session.call("later", [1]));
  await world.run();
  world.up = false;
  world.cut();
  const queued = watch(session.call("work", [2]));
  world.server.forget();
  world.up = true;
  await world.tick(2000);
  assert.ok(sent.error instanceof OutcomeUnknown);
  assert.ok(queued.error instanceof SessionLost);
  assert.equal(queued.error.reason, "refused");
  const after = watch(session.call("work", [3]));
  await world.run();
  assert.ok(after.error instanceof SessionLost);
  assert.throws(() => session.notify("work"), SessionLost);
});

test("close ends the session at the server and settles what waits", async () => {
  const world = new World();
  const session = await world.connect();
  const sent = watch(session.call("later", [1]));
  await world.run();
  const closed = watch(session.close());
  await world.run();
  assert.ok(sent.error instanceof OutcomeUnknown);
  assert.equal(closed.settled, true);
  assert.equal(session.state, "lost");
  assert.equal(session.lost?.reason, "closed");
  assert.equal(world.server.sessions.size, 0);
  assert.equal(world.clock.pending, 0);
  await session.close();
});

test("close does not wait for a server that says nothing", async () => {
  const world = new World();
  const session = await world.connect();
  const closed = watch(session.close());
  world.socket.toServer.length = 0;
  await world.clock.advance(2000);
  assert.equal(closed.settled, true);
  assert.equal(world.clock.pending, 0);
});

test("ids differ between two pages of one session, so no page takes the other's answers", async () => {
  const world = new World();
  const first = await world.connect({ random: () => 0.1 });
  const second = await world.connect({ random: () => 0.2 });
  void first.call("echo", [1]);
  void second.call("echo", [2]);
  await world.run();
  const ids = world.sockets.map((socket) => JSON.parse(socket.written[1]!).id as string);
  assert.notEqual(ids[0], ids[1]);
});

test("messages keep to the server's rate and none is lost for it", async () => {
  const world = new World();
  world.server.limits.rate_per_s = 10;
  const session = await world.connect();
  for (let n = 1; n <= 25; n++) session.notify("work", [n]);
  await world.run();
  assert.equal(world.server.done.length, 10);
  await world.tick(1000);
  assert.equal(world.server.done.length, 20);
  await world.tick(1000);
  assert.deepEqual(world.server.done.map((d) => d.params), Array.from({ length: 25 }, (_, i) => i + 1));
});
