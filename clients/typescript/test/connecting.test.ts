// When connections are tried, given up, and not tried any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connect,
  OutcomeUnknown,
  RpcError,
  TimeoutError,
  type Lost,
  type Network,
  type NetworkEvent,
  type SessionState,
  type StateDetail,
} from "../src/index.js";
import { Backoff } from "../src/backoff.js";
import { seeded } from "./fake_clock.js";
import { World } from "./world.js";

class FakeNetwork implements Network {
  private readonly listeners = new Set<(event: NetworkEvent) => void>();

  watch(listener: (event: NetworkEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(event: NetworkEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  get watchers(): number {
    return this.listeners.size;
  }
}

test("waits are fully jittered, double up to the cap, and start over after a reset", () => {
  const ceilings = new Backoff(500, 30_000, () => 1 - Number.EPSILON);
  assert.deepEqual(
    Array.from({ length: 8 }, () => Math.round(ceilings.next())),
    [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  ceilings.reset();
  assert.equal(Math.round(ceilings.next()), 500);
  const jittered = new Backoff(1000, 1000, seeded(3));
  const waits = Array.from({ length: 200 }, () => jittered.next());
  assert.ok(Math.min(...waits) < 50 && Math.max(...waits) > 950);
});

test("a connect that cannot succeed tells each failed attempt, and at the end why the last one failed", async () => {
  const world = new World();
  world.up = false;
  const told: [SessionState, StateDetail][] = [];
  const onState = (state: SessionState, detail: StateDetail): unknown => told.push([state, detail]);
  const failure = assert.rejects(connect("ws://hub/ws", world.options({ timeout: 5000, onState })), {
    name: "TimeoutError",
    message: "connect: no answer within 5000 ms (nobody listens)",
  });
  await world.tick(5000);
  await failure;
  const attempts = told.filter(([state, { code }]) => state === "connecting" && code === 1006);
  assert.ok(attempts.length >= 2);
  assert.ok(attempts.every(([, { reason, retryIn }]) => reason === "nobody listens" && retryIn! >= 0));
  assert.match(told.at(-1)![1].lost!.message, /nobody listens/);
});

test("connect keeps trying, and gives up after its timeout", async () => {
  const world = new World();
  world.up = false;
  const promise = connect("ws://hub/ws", world.options({ timeout: 20_000 }));
  const failure = assert.rejects(promise, TimeoutError);
  await world.tick(20_000);
  await failure;
  assert.ok(world.sockets.length > 3);
  assert.equal(world.clock.pending, 0);
});

test("connect rejects with the server's refusal", async () => {
  const world = new World();
  world.server.refusals = [{ code: -32023, message: "who?", data: { retryable: false } }];
  await assert.rejects(world.connect(), (error) => error instanceof RpcError && error.code === -32023);
  await world.tick(60_000);
  assert.equal(world.sockets.length, 1);
});

test("a refusal that may pass is tried again, not before retry_after_ms", async () => {
  const world = new World();
  world.server.refusals = [{ code: -32029, message: "draining", data: { retryable: true, retry_after_ms: 5000 } }];
  const promise = connect("ws://hub/ws", world.options());
  await world.tick(4999);
  assert.equal(world.sockets.length, 1);
  await world.tick(1000);
  assert.equal((await promise).state, "open");
});

test("a bad address rejects at once", async () => {
  const world = new World();
  const options = world.options({
    WebSocket: class {
      constructor() {
        throw new SyntaxError("bad address");
      }
    } as never,
  });
  await assert.rejects(connect("nonsense", options), SyntaxError);
  assert.equal(world.clock.pending, 0);
});

test("a connection that does not open in time is replaced", async () => {
  const world = new World();
  world.blackHole = true;
  const promise = connect("ws://hub/ws", world.options({ connectTimeout: 3000 }));
  await world.tick(2999);
  assert.equal(world.sockets.length, 1);
  await world.tick(1);
  world.blackHole = false;
  await world.tick(1000);
  assert.equal((await promise).state, "open");
  assert.equal(world.sockets.length, 2);
});

test("session.closing says when to come back, even if the close frame is lost", async () => {
  const world = new World();
  const session = await world.connect();
  world.server.close(world.server.session(session.code), 1012, "restart", 7000);
  await world.run();
  assert.equal(session.state, "detached");
  await world.tick(6999);
  assert.equal(world.sockets.length, 1);
  await world.tick(600);
  assert.equal(session.state, "open");
  assert.equal(session.resumed, true);
});

test("session.draining holds the next attempt off, too", async () => {
  const world = new World();
  const session = await world.connect();
  const notices: unknown[] = [];
  session.on("session.draining", (notice) => notices.push(notice));
  world.server.notice(world.server.session(session.code), "session.draining", { retry_after_ms: 4000 });
  await world.run();
  world.cut();
  await world.tick(3999);
  assert.equal(world.sockets.length, 1);
  await world.tick(600);
  assert.equal(session.state, "open");
  assert.deepEqual(notices, [{ retry_after_ms: 4000 }]);
});

for (const code of [1000, 1001, 1006, 1011, 1013, 4000, 4005, 4008, 4012, 4013, 4499])
  test(`close code ${code} is followed by a resume`, async () => {
    const world = new World();
    const session = await world.connect();
    world.cut(world.socket, "both", code);
    await world.tick(500);
    assert.equal(session.resumed, true);
    assert.equal(session.state, "open");
  });

for (const code of [4500, 4503, 4507, 4510, 4999])
  test(`close code ${code} ends it`, async () => {
    const world = new World();
    const session = await world.connect();
    const call = session.call("later", [1]);
    const unknown = assert.rejects(call, OutcomeUnknown);
    await world.run();
    world.cut(world.socket, "both", code);
    await unknown;
    await world.tick(120_000);
    assert.deepEqual([session.state, session.lost?.reason, session.lost?.code], ["lost", "ended", code]);
    assert.equal(world.sockets.length, 1);
    assert.equal(world.clock.pending, 0);
  });

test("a session resumed elsewhere is superseded, and no new one is opened", async () => {
  const world = new World();
  const session = await world.connect();
  world.server.close(world.server.session(session.code), 4512, "superseded");
  await world.tick(60_000);
  assert.deepEqual([session.state, session.lost?.reason], ["lost", "superseded"]);
  assert.equal(world.sockets.length, 1);
});

test("a refused session is replaced by a new one on the same connection", async () => {
  const world = new World();
  const states: string[] = [];
  let lost: Lost | undefined;
  const session = await world.connect();
  session.onState((state, detail) => {
    states.push(state);
    lost ??= detail.lost;
  });
  const { code } = session;
  world.server.forget();
  world.cut();
  await world.tick(500);
  assert.deepEqual(states, ["detached", "lost", "connecting", "open"]);
  assert.deepEqual([lost?.reason, lost?.error?.code], ["refused", -32021]);
  assert.notEqual(session.code, code);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.server.session(session.code).received, 0);
});

test("calls made in the moment of loss belong to the new session", async () => {
  const world = new World();
  const session = await world.connect();
  let result: Promise<unknown> | undefined;
  session.onState((state) => {
    if (state === "lost") result = session.call("work", ["again"]);
  });
  world.server.forget();
  world.cut();
  await world.tick(500);
  assert.equal(await result, "again");
});

test("reopen false, or a function that says no, leaves a refused session lost", async () => {
  for (const reopen of [false, () => false]) {
    const world = new World();
    const session = await world.connect({ reopen });
    world.server.forget();
    world.cut();
    await world.tick(60_000);
    assert.deepEqual([session.state, session.code], ["lost", ""]);
    assert.equal(world.clock.pending, 0);
  }
});

test("a session without a connection for longer than the server keeps it is expired", async () => {
  const world = new World();
  const session = await world.connect({ reopen: false });
  const rejected = assert.rejects(session.call("later", [1], { timeout: 0 }), OutcomeUnknown);
  await world.run();
  world.up = false;
  world.cut();
  await world.tick(169_000);
  assert.equal(session.state, "detached");
  await world.tick(1000);
  assert.equal(session.lost?.reason, "expired");
  await rejected;
});

test("attempts start with short waits again only after a stable time", async () => {
  const world = new World();
  const waits: number[] = [];
  const session = await world.connect({ random: () => 0.999, backoff: { base: 100, stable: 5000 } });
  session.onState((state, detail) => state === "detached" && waits.push(Math.round(detail.retryIn!)));
  for (const uptime of [100, 100, 100, 6000, 100]) {
    await world.tick(uptime);
    world.cut();
    await world.tick(Math.ceil(waits.at(-1)!));
    assert.equal(session.state, "open");
  }
  assert.deepEqual(waits, [100, 200, 400, 100, 200]);
});

test("offline stops the attempts, online makes one at once", async () => {
  const world = new World();
  const network = new FakeNetwork();
  const session = await world.connect({ network });
  network.tell("offline");
  world.cut();
  await world.tick(60_000);
  assert.equal(world.sockets.length, 1);
  network.tell("online");
  await world.tick(0);
  assert.equal(session.state, "open");
  await Promise.all([session.close(), world.tick(0)]);
  assert.equal(network.watchers, 0);
});

test("a page that becomes visible does not wait for the back-off, but does for the server", async () => {
  const world = new World();
  const network = new FakeNetwork();
  const session = await world.connect({ network, random: () => 0.999, backoff: { base: 30_000 } });
  world.cut();
  network.tell("visible");
  await world.tick(0);
  assert.equal(session.state, "open");
  world.server.close(world.server.session(session.code), 1013, "overloaded", 9000);
  await world.run();
  network.tell("visible");
  await world.tick(8999);
  assert.equal(world.sockets.length, 2);
  await world.tick(1);
  assert.equal(session.state, "open");
});

test("a dead connection is noticed: something was sent and nothing came", async () => {
  const world = new World();
  const session = await world.connect({ silence: 4000 });
  world.cut(world.socket, "server");
  await world.tick(60_000);
  assert.equal(world.sockets.length, 1, "nothing was asked, so silence means nothing");
  const result = session.call("work", [1], { timeout: 0 });
  await world.tick(3999);
  assert.equal(session.state, "open");
  await world.tick(1000);
  assert.equal(await result, 1);
  assert.equal(world.sockets.length, 2);
});

test("a call that takes long is not silence: its message was confirmed", async () => {
  const world = new World();
  const session = await world.connect({ silence: 4000 });
  const result = session.call("later", [1], { timeout: 0 });
  await world.tick(1000);
  world.server.sendAcks();
  await world.tick(60_000);
  world.server.answerDeferred();
  await world.run();
  assert.equal(await result, 1);
  assert.equal(world.sockets.length, 1);
});

test("an idle connection is examined with a ping in the server's rhythm", async () => {
  const world = new World();
  const { keepalive: _, ...options } = world.options();
  const promise = connect("ws://hub/ws", options);
  await world.run();
  const session = await promise;
  await world.tick(25_000);
  assert.equal(JSON.parse(world.socket.written.at(-1)!).method, "ping");
  await world.tick(5_000);
  world.server.sendAcks();
  world.cut(world.socket, "server");
  await world.tick(36_000);
  assert.equal(world.sockets.length, 2);
  assert.equal(session.state, "open");
});

test("a message for which the server closes again and again does not close for ever", async () => {
  const world = new World();
  const session = await world.connect({ reopen: false });
  world.server.poison = "poison";
  session.notify("work", ["poison"]);
  await world.tick(60_000);
  assert.equal(session.lost?.reason, "protocol");
});

test("a handler that throws disturbs nobody", async () => {
  const world = new World();
  const errors: unknown[] = [];
  const session = await world.connect({ onError: (error) => errors.push(error) });
  const seen: unknown[] = [];
  session.on("tick", () => {
    throw new Error("mine");
  });
  session.on("tick", async () => {
    throw new Error("mine, later");
  });
  const off = session.on("tick", (n) => seen.push(n));
  world.server.push(world.server.session(session.code), "tick", 1);
  await world.tick();
  off();
  world.server.push(world.server.session(session.code), "tick", 2);
  await world.tick();
  assert.deepEqual(seen, [1]);
  assert.equal(errors.length, 4);
  assert.equal(session.credentials()!.received, 2);
});

test("a handler may close the session at any event", async () => {
  for (const event of ["credentials", "gap", "resumed", "open", "detached", "lost", "tick"]) {
    const world = new World();
    world.server.ringMessages = 1;
    const session = await world.connect();
    const close = (): void => void session.close();
    session.onState((state) => state === event && close());
    session.on(event, close);
    const model = world.server.session(session.code);
    world.server.push(model, "tick", 0);
    if (event === "lost") world.server.forget();
    world.cut();
    for (const n of [1, 2]) world.server.push(model, "tick", n);
    await world.tick(500);
    assert.equal(session.lost?.reason, "closed", event);
    await world.tick(5000);
    assert.equal(world.clock.pending, 0, event);
  }
});
