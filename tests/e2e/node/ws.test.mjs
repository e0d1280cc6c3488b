// The client of npm's ws: handshake, messages whole and in fragments, compression, pings, close codes.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { useHub, within } from "./hub.mjs";

const hub = useHub(["heartbeat.ping=200ms", "heartbeat.pong=20s"]);

// An open connection whose messages can be taken one after the other.
class Peer {
  #messages = [];
  #waiting = [];

  static async open(options = {}, protocols = []) {
    const peer = new Peer();
    peer.ws = new WebSocket(hub.wsUrl, protocols, { perMessageDeflate: false, ...options });
    peer.ws.on("message", (data, binary) => peer.#take({ text: String(data), binary }));
    peer.closed = new Promise((resolve) => {
      peer.ws.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    peer.failed = new Promise((_resolve, reject) => peer.ws.on("error", reject));
    peer.failed.catch(() => {});
    await within(Promise.race([new Promise((resolve) => peer.ws.on("open", resolve)), peer.failed]), "open");
    return peer;
  }

  #take(message) {
    if (JSON.parse(message.text).method === "session.ack") return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting(message);
    else this.#messages.push(message);
  }

  async text() {
    const later = () => new Promise((resolve) => this.#waiting.push(resolve));
    const message = this.#messages.shift() ?? (await within(later(), "a message"));
    assert.equal(message.binary, false);
    return message.text;
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async end(code, reason) {
    this.ws.close(code, reason);
    return within(this.closed, "close");
  }
}

const call = (id, params) => JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params });

test("a plain client gets session.opened, then its echo", async () => {
  const peer = await Peer.open();
  assert.equal(peer.ws.protocol, "");
  const opened = await peer.json();
  assert.equal(opened.method, "session.opened");
  assert.match(opened.params.session.code, /^[a-z]+-[a-z]+-\d+$/);
  peer.ws.send('{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}}');
  assert.equal(await peer.text(), '{"jsonrpc":"2.0","id":1,"result":{"a":1}}');
  assert.equal((await peer.end(1000)).code, 1000);
});

test("hubbub.v1 is selected among several subprotocols", async () => {
  const peer = await Peer.open({}, ["chat", "hubbub.v1"]);
  assert.equal(peer.ws.protocol, "hubbub.v1");
  peer.ws.send('{"jsonrpc":"2.0","id":1,"method":"session.open"}');
  assert.ok((await peer.json()).result.session.token);
  await peer.end();
});

const SMALL_WINDOWS = { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 9 };
for (const perMessageDeflate of [false, true, { threshold: 0 }, SMALL_WINDOWS]) {
  test(`messages of many sizes come back, compression ${JSON.stringify(perMessageDeflate)}`, async () => {
    const peer = await Peer.open({ perMessageDeflate });
    assert.equal(peer.ws.extensions.includes("permessage-deflate"), Boolean(perMessageDeflate));
    await peer.text();
    for (const size of [0, 1, 124, 125, 126, 127, 1000, 40_000]) {
      const value = "Grüße ✓ ".repeat(size / 8 + 1).slice(0, size);
      peer.ws.send(call(size, [value]));
      assert.deepEqual(await peer.json(), { jsonrpc: "2.0", id: size, result: [value] });
    }
    await peer.end();
  });

  test(`a message in fragments is one message, compression ${JSON.stringify(perMessageDeflate)}`, async () => {
    const peer = await Peer.open({ perMessageDeflate });
    await peer.text();
    const text = call(7, ["x".repeat(5000)]);
    for (let at = 0; at < text.length; at += 700)
      peer.ws.send(text.slice(at, at + 700), { fin: at + 700 >= text.length });
    assert.equal((await peer.json()).result[0].length, 5000);
    await peer.end();
  });
}

test("a ping between fragments is answered with its payload", async () => {
  const peer = await Peer.open();
  await peer.text();
  const pong = new Promise((resolve) => peer.ws.on("pong", (data) => resolve(String(data))));
  const text = call(1, [1]);
  peer.ws.send(text.slice(0, 10), { fin: false });
  peer.ws.ping("between");
  assert.equal(await within(pong, "pong"), "between");
  peer.ws.send(text.slice(10), { fin: true });
  assert.deepEqual((await peer.json()).result, [1]);
  await peer.end();
});

test("the server pings and an answering client stays", async () => {
  const peer = await Peer.open();
  await peer.text();
  let pings = 0;
  await within(new Promise((resolve) => peer.ws.on("ping", () => ++pings === 3 && resolve())), "three pings");
  peer.ws.send(call(1, ["alive"]));
  assert.deepEqual((await peer.json()).result, ["alive"]);
  await peer.end();
});

for (const code of [1000, 1001, 3000, 4000, 4999]) {
  test(`close code ${code} is answered with itself`, async () => {
    const peer = await Peer.open();
    assert.equal((await peer.end(code, "done")).code, code);
  });
}

test("a close without a code is answered", async () => {
  const peer = await Peer.open();
  assert.ok([1000, 1005].includes((await peer.end()).code));
});

test("binary is refused with 1003", async () => {
  const peer = await Peer.open();
  peer.ws.send(Buffer.from(call(1, [])));
  assert.equal((await within(peer.closed, "close")).code, 1003);
});

test("a message over the limit is refused with 1009, and the reason names the limit", async () => {
  const peer = await Peer.open();
  peer.ws.send(call(1, ["x".repeat(65_536)]));
  const { code, reason } = await within(peer.closed, "close");
  assert.equal(code, 1009);
  assert.match(reason, /limits\.message_bytes|65536/);
});

test("another path and another origin are refused before a WebSocket exists", async () => {
  for (const [url, options, status] of [
    [hub.wsUrl.replace("/ws", "/nothing"), {}, 404],
    [hub.wsUrl, { origin: "https://evil.example" }, 403],
  ]) {
    const ws = new WebSocket(url, options);
    ws.on("error", () => {});
    const refusal = new Promise((resolve) => ws.on("unexpected-response", (_request, got) => resolve(got)));
    const response = await within(refusal, "refusal");
    assert.equal(response.statusCode, status);
    ws.terminate();
  }
});

test("clients talk to each other by code and by topic", async () => {
  const [one, two] = await Promise.all([Peer.open(), Peer.open()]);
  const [first, second] = [await one.json(), await two.json()];
  const send = (peer, id, method, params) => peer.ws.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  send(two, 1, "topic.subscribe", { topic: "node" });
  assert.ok("offset" in (await two.json()).result);
  send(one, 1, "session.send", { to: second.params.session.code, data: "hello" });
  assert.deepEqual((await one.json()).result, { status: "delivered" });
  assert.deepEqual((await two.json()).params, { from: first.params.session.code, data: "hello" });
  send(one, 2, "topic.publish", { topic: "node", data: [1] });
  const { offset } = (await one.json()).result;
  assert.deepEqual((await two.json()).params, { topic: "node", offset, data: [1] });
  await Promise.all([one.end(), two.end()]);
});
