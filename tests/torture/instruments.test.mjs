// The instruments of the torture run are themselves right: the meter knows where frames end, and whatever a plan does
// to a connection, what goes through is a beginning of what was sent, unchanged.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { FrameMeter } from "./frame_meter.mjs";
import { judge } from "./judge.mjs";
import { Ledger, Stream } from "./ledger.mjs";
import { CuttingProxy, KINDS } from "./proxy.mjs";
import { Random } from "./random.mjs";

const HEAD = Buffer.from("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");

function frame(payloadBytes, masked) {
  const payload = Buffer.alloc(payloadBytes, 0x81);
  const mask = masked ? Buffer.alloc(4, 0x82) : Buffer.alloc(0);
  const bit = masked ? 0x80 : 0;
  if (payloadBytes < 126) return Buffer.concat([Buffer.from([0x81, bit | payloadBytes]), mask, payload]);
  if (payloadBytes > 0xffff) {
    const long = Buffer.alloc(10);
    long.set([0x81, bit | 127]);
    long.writeBigUInt64BE(BigInt(payloadBytes), 2);
    return Buffer.concat([long, mask, payload]);
  }
  return Buffer.concat([Buffer.from([0x81, bit | 126, payloadBytes >> 8, payloadBytes & 0xff]), mask, payload]);
}

test("the meter knows at every byte whether it is in the head, in a frame or between two", () => {
  for (const masked of [false, true]) {
    const frames = [0, 1, 125, 126, 300, 70_000, 0].map((bytes) => frame(bytes, masked));
    const bytes = Buffer.concat([HEAD, ...frames]);
    const ends = new Set();
    frames.reduce((end, one) => (ends.add(end), end + one.length), HEAD.length);
    ends.add(bytes.length);
    const meter = new FrameMeter();
    for (let at = 0; at < bytes.length; ++at) {
      meter.take(bytes.subarray(at, at + 1));
      const place = at + 1 < HEAD.length ? "head" : ends.has(at + 1) ? "between" : "frame";
      assert.equal(meter.place, place, `after ${at + 1} bytes`);
    }
  }
});

test("the meter comes to the same place however the bytes are cut", () => {
  const bytes = Buffer.concat([HEAD, frame(10, true), frame(400, true), frame(66_000, true), Buffer.from([0x81])]);
  for (let seed = 0; seed < 50; ++seed) {
    const random = new Random(seed);
    const meter = new FrameMeter();
    for (let at = 0; at < bytes.length; ) {
      const next = at + random.skewed(1, 5_000);
      meter.take(bytes.subarray(at, next));
      at = next;
    }
    assert.equal(meter.place, "frame");
  }
});

test("a stream tells what was skipped, what came twice and what is still to come", () => {
  const ledger = { examples: [], example: (text) => ledger.examples.push(text) };
  const stream = new Stream("s", ledger);
  for (const n of [1, 2, 5, 5, 4, 6]) stream.hear(n);
  assert.equal(stream.doubled, 2);
  assert.deepEqual(stream.lostOf(8), [3, 4, 7, 8]);
  assert.deepEqual(stream.lostOf(8, new Set([4, 8])), [3, 7]);
  assert.equal(stream.isBehind(8, new Set([7])), true);
  assert.equal(stream.isBehind(8, new Set([7, 8])), false);
  assert.equal(ledger.examples.length, 2);
});

// A run of two players that is over: each made 3 calls, heard 4 messages of a topic and 2 from the other.
function finishedRun(options = {}) {
  const ledger = new Ledger();
  const players = ["a", "b"].map((counter) => ({
    counter,
    calls: 3,
    outstanding: 0,
    unknown: 0,
    announced: 0,
    topics: new Map([["news", new Stream("news", ledger)]]),
    letters: new Map(),
    lettersTo: () => [2, new Set()],
  }));
  players.forEach((player, n) => {
    for (let message = 1; message <= 4; ++message) player.topics.get("news").hear(message);
    const letters = new Stream("letters", ledger);
    for (const message of [1, 2]) letters.hear(message);
    player.letters.set(players[1 - n], letters);
  });
  return {
    ledger,
    players,
    options: { cuts: 5, gaps: false, ...options },
    proxy: { cuts: 5 },
    publisher: { sent: new Map([["news", 4]]) },
    counters: { a: 3, b: 3 },
    direct: {
      async call(_method, { counter }) {
        return this.counters[counter];
      },
    },
    server: { metrics: async () => new Map(), stop: async () => "" },
    close: async () => {},
  };
}

async function verdictOn(spoil, options) {
  const run = finishedRun(options);
  run.direct.counters = run.counters;
  spoil(run, run.players[0], run.players[0].topics.get("news"));
  const { lost, doubled, hung, passed } = await judge(run);
  return { lost, doubled, hung, passed };
}

test("the judge acquits a run in which all adds up", async () => {
  assert.deepEqual(await verdictOn(() => {}), { lost: 0, doubled: 0, hung: 0, passed: true });
});

test("the judge finds what is lost, doubled, hung or untold", async () => {
  const guilty = async (spoil, expected, options) => {
    const { lost = 0, doubled = 0, hung = 0 } = expected;
    assert.deepEqual(await verdictOn(spoil, options), { lost, doubled, hung, passed: false }, String(spoil));
  };
  await guilty((run) => (run.counters.a = 2), { lost: 1 });
  await guilty((run) => (run.counters.b = 5), { doubled: 2 });
  await guilty((run) => run.publisher.sent.set("news", 5), { lost: 2 });
  await guilty((run, player, news) => news.hear(4), { doubled: 1 });
  await guilty((run, player) => (player.outstanding = 1), { hung: 1 });
  await guilty((run, player) => (player.unknown = 1), {});
  await guilty((run) => (run.proxy.cuts = 4), {});
  await guilty((run) => (run.ledger.counts.sessions_lost = 1), {});
  await guilty((run) => run.ledger.error("a wrong answer"), {});
  await guilty((run) => (run.server.stop = async () => "it died"), {});
  // A gap that is announced must be of something, and of all of it.
  await guilty((run, player) => (player.announced = 1), {}, { gaps: true });
  const tooLittle = (run, player, news) => (news.hear(7), (player.announced = 1));
  await guilty(tooLittle, { lost: 1 }, { gaps: true });
});

test("the judge accepts a gap that was announced exactly, where gaps may be", async () => {
  const spoil = (run, player) => {
    run.publisher.sent.set("news", 6);
    for (const { topics } of run.players) topics.get("news").hear(6); // 5 is missing
    for (const each of run.players) each.announced = 1;
  };
  assert.equal((await verdictOn(spoil, { gaps: true })).passed, true);
});

// Sends numbered bytes both ways and takes what comes until the connection is over.
function converse(socket, bytes) {
  return new Promise((resolve) => {
    const heard = [];
    socket.on("data", (chunk) => heard.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(heard)));
    for (let at = 0; at < bytes.length; at += 700) socket.write(bytes.subarray(at, at + 700));
  });
}

test("whatever a plan does, what goes through is a beginning of what was sent", { timeout: 60_000 }, async () => {
  const sent = Buffer.from(Array.from({ length: 40_000 }, (_, n) => (n * 7 + (n >> 8)) & 0xff));
  const ends = [];
  const server = net.createServer((socket) => ends.push(converse(socket, sent)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = new CuttingProxy({ target: `127.0.0.1:${server.address().port}`, seed: 7, cuts: 400 });
  const port = Number((await proxy.listen()).split(":")[1]);
  for (let batch = 0; batch < 20; ++batch) {
    const clients = Array.from({ length: 20 }, () => converse(net.connect(port, "127.0.0.1"), sent));
    for (const heard of await Promise.all(clients)) assert.ok(heard.equals(sent.subarray(0, heard.length)));
  }
  for (const heard of await Promise.all(ends)) assert.ok(heard.equals(sent.subarray(0, heard.length)));
  assert.equal(proxy.cuts, 400);
  for (const kind of Object.keys(KINDS)) assert.ok(proxy.byKind[kind] > 0, kind);
  assert.equal(proxy.open, 0);
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
});

test("a healed proxy gives everything on, and the end too", { timeout: 20_000 }, async () => {
  const sent = Buffer.alloc(300_000, 3);
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = new CuttingProxy({ target: `127.0.0.1:${server.address().port}`, seed: 1, cuts: 0 });
  const port = Number((await proxy.listen()).split(":")[1]);
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(sent);
  let heard = 0;
  for await (const chunk of socket) heard += chunk.length;
  assert.equal(heard, sent.length);
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
});
