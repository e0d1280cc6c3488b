// Counting, acknowledging and resuming, one promise a test. The random proof is cuts.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OutcomeUnknown, type Credentials, type Gap, type Session, type StateDetail } from "../src/index.js";
import { settle } from "./fake_clock.js";
import type { ServerSession } from "./fake_server.js";
import { World } from "./world.js";

const model = (world: World, session: Session): ServerSession => world.server.session(session.code);
const opening = (world: World) => world.server.openings[world.server.openings.length - 1]!;

function acks(world: World): number[] {
  return world.socket.written
    .map((text) => JSON.parse(text))
    .filter((message) => message.method === "session.ack")
    .map((message) => message.params.received);
}

test("it offers hubbub.v1 and opens with auth, data and client", async () => {
  const world = new World();
  let asked = 0;
  await world.connect({ auth: () => `proof ${++asked}`, data: { nick: "b" }, client: { name: "t" } });
  assert.deepEqual(world.socket.protocols, ["hubbub.v1"]);
  assert.equal(world.socket.url, "ws://hub/ws");
  assert.deepEqual(opening(world), {
    method: "session.open",
    params: { auth: "proof 1", data: { nick: "b" }, client: { name: "t" } },
  });
});

test("a cut is followed by a resume with the newest token, the count, and the code in the address", async () => {
  const world = new World();
  const session = await world.connect();
  world.server.push(model(world, session), "tick", 1);
  await world.tick();
  const { token, epoch } = model(world, session);
  world.cut();
  await world.tick(500);
  assert.deepEqual(opening(world), {
    method: "session.resume",
    params: { code: session.code, epoch, token, received: 1 },
  });
  assert.equal(world.socket.url, `ws://hub/ws?session=${session.code}`);
  assert.equal(session.credentials()!.token, model(world, session).token);
  assert.notEqual(session.credentials()!.token, token);
  assert.equal(session.resumed, true);
});

test("states are told in order: connecting, open, detached, resumed, open", async () => {
  const world = new World();
  const states: [string, StateDetail][] = [];
  await world.connect({ onState: (state, detail) => states.push([state, detail]) });
  world.cut();
  await world.tick(500);
  assert.deepEqual(states.map(([state]) => state), ["connecting", "open", "detached", "resumed", "open"]);
  assert.equal(states[2]![1].code, 1006);
  assert.ok(states[2]![1].retryIn! <= 500);
  assert.equal(states[3]![1].recovered, true);
});

test("messages about the connection are not counted", async () => {
  const world = new World();
  const session = await world.connect();
  const server = model(world, session);
  world.server.notice(server, "session.ack", { received: 0 });
  world.server.notice(server, "session.opened", {});
  world.server.notice(server, "session.draining", { retry_after_ms: 1 });
  world.server.push(server, "tick", 1);
  await world.tick();
  assert.equal(session.credentials()!.received, 1);
});

test("unknown notifications and answers nobody waits for are counted", async () => {
  const world = new World();
  const session = await world.connect();
  const server = model(world, session);
  world.server.push(server, "no.such.thing", 1);
  server.wire!.send(JSON.stringify({ jsonrpc: "2.0", id: "nobody", result: 1 }));
  server.wire!.send("not JSON");
  await world.tick();
  assert.equal(session.credentials()!.received, 3);
});

test("the count is told one second after the first message, or at once after 64", async () => {
  const world = new World();
  const session = await world.connect();
  world.server.push(model(world, session), "tick", 1);
  await world.tick(999);
  assert.deepEqual(acks(world), []);
  await world.tick(1);
  assert.deepEqual(acks(world), [1]);
  for (let n = 0; n < 63; n++) world.server.push(model(world, session), "tick", n);
  await world.tick();
  assert.deepEqual(acks(world), [1]);
  world.server.push(model(world, session), "tick", 64);
  await world.tick();
  assert.deepEqual(acks(world), [1, 65]);
});

test("a quiet client does not acknowledge", async () => {
  const world = new World();
  await world.connect();
  await world.tick(60_000);
  assert.deepEqual(acks(world), []);
});

test("a resume is acknowledged at once, which confirms the new token", async () => {
  const world = new World();
  const session = await world.connect();
  world.cut();
  await world.tick(500);
  assert.deepEqual(acks(world), [0]);
  assert.equal(model(world, session).confirmed, true);
});

test("if the answer to a resume is lost, the previous token resumes", async () => {
  const world = new World();
  const session = await world.connect();
  const { token } = model(world, session);
  world.cut();
  await world.clock.advance(500);
  while (world.server.openings.length < 2) {
    world.deliverAny();
    await settle();
  }
  assert.equal(world.socket.toClient.length, 1);
  world.cut();
  await world.tick(1500);
  assert.equal(opening(world).params.token, token);
  assert.equal(session.state, "open");
});

test("messages the server does not have are sent again, byte for byte and in order; the others are not", async () => {
  const world = new World();
  const session = await world.connect();
  session.notify("work", [1]);
  await world.run();
  session.notify("work", { b: 1, a: "ä" });
  session.notify("work", [3]);
  const lost = world.socket.written.slice(-2);
  world.cut();
  await world.tick(500);
  assert.deepEqual(world.socket.written.slice(2), lost);
  assert.deepEqual(world.server.done.map((d) => d.params), [1, { b: 1, a: "ä" }, 3]);
});

test("calls made while detached wait and go out after the resume", async () => {
  const world = new World();
  const session = await world.connect();
  world.cut();
  const result = session.call("work", [1]);
  await world.tick(500);
  assert.equal(await result, 1);
});

test("twice in a row, and before any event, a resume works", async () => {
  const world = new World();
  const session = await world.connect();
  for (let i = 0; i < 5; i++) {
    world.cut();
    await world.tick(10_000);
  }
  assert.equal(session.state, "open");
  assert.equal(world.server.sessions.size, 1);
  assert.deepEqual(world.server.violations, []);
});

test("missing messages are announced with their numbers, and the count goes on after them", async () => {
  const world = new World();
  const session = await world.connect();
  const gaps: Gap[] = [];
  const ticks: number[] = [];
  let recovered: boolean | undefined;
  session.on("gap", (gap) => gaps.push(gap));
  session.on("tick", (n) => ticks.push(n));
  session.onState((state, detail) => state === "resumed" && (recovered = detail.recovered));
  world.server.ringMessages = 2;
  world.cut();
  for (let n = 1; n <= 5; n++) world.server.push(model(world, session), "tick", n);
  await world.tick(500);
  assert.deepEqual(gaps, [{ from: 1, to: 3, replies: false }]);
  assert.deepEqual(ticks, [4, 5]);
  assert.equal(recovered, false);
  assert.equal(session.credentials()!.received, 5);
});

test("a gap in the middle of a replay stands where its messages would have stood", async () => {
  const world = new World();
  const session = await world.connect();
  const events: unknown[] = [];
  session.on("gap", ({ from, to }) => events.push([from, to]));
  session.on("tick", (n) => events.push(n));
  world.cut();
  for (let n = 1; n <= 4; n++) world.server.push(model(world, session), "tick", n);
  for (const hole of [1, 2]) model(world, session).ring[hole]!.text = undefined;
  await world.tick(500);
  assert.deepEqual(events, [1, [2, 3], 4]);
});

test("after a gap that may hold answers, calls that stay unanswered are OutcomeUnknown, answered ones are not", async () => {
  const world = new World();
  const session = await world.connect();
  const outcomes: Record<string, unknown> = {};
  const call = (name: string, method: string): void => {
    session.call(method, [name], { timeout: 0 }).then(
      (value) => (outcomes[name] = value),
      (error) => (outcomes[name] = error instanceof OutcomeUnknown ? "unknown" : error),
    );
  };
  call("lost", "later");
  call("kept", "later");
  await world.run();
  world.cut();
  world.server.answerDeferred();
  world.server.answerDeferred();
  call("new", "later");
  model(world, session).ring[0]!.text = undefined;
  await world.tick(500);
  assert.deepEqual(outcomes, { lost: "unknown", kept: "kept" });
  world.server.answerDeferred();
  await world.tick();
  assert.deepEqual(outcomes, { lost: "unknown", kept: "kept", new: "new" });
});

test("a gap without answers leaves calls alone", async () => {
  const world = new World();
  const session = await world.connect();
  const result = session.call("later", ["slow"], { timeout: 0 });
  await world.run();
  world.server.notice(model(world, session), "session.gap", { missing: { from: 1, to: 3, replies: false } });
  await world.run();
  model(world, session).sent = 3;
  world.server.answerDeferred();
  await world.run();
  assert.equal(await result, "slow");
  assert.equal(session.credentials()!.received, 4);
});

test("credentials are told before the count they contain is acknowledged", async () => {
  const world = new World();
  let stored: Credentials | undefined;
  const session = await world.connect({ onCredentials: (credentials) => (stored = credentials) });
  for (let n = 0; n < 200; n++) world.server.push(model(world, session), "tick", n);
  for (let i = 0; i < 500; i++) {
    await settle();
    if (!world.deliverAny()) break;
    assert.ok(stored!.received >= (acks(world).at(-1) ?? 0));
  }
  await world.tick(1000);
  assert.equal(stored!.received, 200);
  assert.equal(stored!.token, model(world, session).token);
});

test("a later page resumes with stored credentials and goes on with the server's count of its own messages", async () => {
  const world = new World();
  let stored: Credentials | undefined;
  const first = await world.connect({ onCredentials: (credentials) => (stored = credentials) });
  first.notify("work", [1]);
  first.notify("work", [2]);
  await world.run();
  world.cut();
  world.up = false;
  await world.tick(0);
  world.server.push(model(world, first), "tick", "missed");
  world.up = true;
  const seen: unknown[] = [];
  const second = await world.connect({ resume: stored!, random: () => 0.3 });
  second.on("tick", (n) => seen.push(n));
  await world.tick();
  assert.equal(second.code, first.code);
  assert.equal(second.resumed, true);
  const result = second.call("work", [3]);
  await world.run();
  assert.equal(await result, 3);
  assert.equal(model(world, second).received, 3);
  world.cut();
  second.notify("work", [4]);
  await world.tick(500);
  assert.deepEqual(world.server.done.map((d) => d.params), [1, 2, 3, 4]);
});

test("handlers added right after connect miss nothing, even if messages came with the opening", async () => {
  const world = new World();
  let stored: Credentials | undefined;
  const first = await world.connect({ onCredentials: (credentials) => (stored = credentials) });
  world.up = false;
  world.cut();
  for (let n = 1; n <= 3; n++) world.server.push(model(world, first), "tick", n);
  world.up = true;
  const promise = (await import("../src/index.js")).connect("ws://hub/ws", world.options({ resume: stored! }));
  await settle();
  world.deliverAny(); // opens
  await settle();
  while (world.socket.toServer.length > 0) world.deliverAny();
  while (world.socket.toClient.length > 0) world.deliverAny(); // all in one task
  const session = await promise;
  const seen: number[] = [];
  session.on("tick", (n) => seen.push(n));
  await world.tick(1);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(session.credentials()!.received, 3);
});

test("a server that claims impossible counts loses the session rather than the client's trust in its counts", async () => {
  for (const received of [7, -1, "x"]) {
    const world = new World();
    const session = await world.connect({ reopen: false });
    world.server.notice(model(world, session), "session.ack", { received });
    await world.run();
    assert.equal(session.lost?.reason, received === -1 ? undefined : "protocol");
  }
});
