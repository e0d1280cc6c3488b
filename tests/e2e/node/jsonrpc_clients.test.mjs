// JSON-RPC clients that others wrote: each calls, batches where it can, gets errors with their data, and notifications.

import assert from "node:assert/strict";
import { test } from "node:test";
import jayson from "jayson";
import { JSONRPCClient, JSONRPCErrorException, JSONRPCServer, JSONRPCServerAndClient } from "json-rpc-2.0";
import { Client as RpcWebSockets } from "rpc-websockets";
import { createWebSocketConnection, toSocket } from "vscode-ws-jsonrpc";
import WebSocket from "ws";
import { useHub, within } from "./hub.mjs";

const hub = useHub();
const once = (emitter, event) => within(new Promise((resolve) => emitter.once(event, resolve)), event);

async function openSocket() {
  const ws = new WebSocket(hub.wsUrl);
  await once(ws, "open");
  return ws;
}

test("rpc-websockets: calls, errors, notifications both ways", async () => {
  const client = new RpcWebSockets(hub.wsUrl, { reconnect: false });
  const opened = await once(client, "session.opened");
  assert.match(opened.session.code, /^[a-z]+-[a-z]+-\d+$/);
  assert.deepEqual(await client.call("echo", { a: 1 }), { a: 1 });
  assert.deepEqual(await client.call("echo", [1, "two", null]), [1, "two", null]);
  const many = await Promise.all(Array.from({ length: 100 }, (_, n) => client.call("echo", [n])));
  assert.deepEqual(many.flat(), [...many.keys()]);
  await assert.rejects(client.call("no.such", []), (error) => error.code === -32601 && error.data.retryable === false);
  const isAboutTopic = (error) => error.code === -32602 && error.data.field === "topic";
  await assert.rejects(client.call("topic.subscribe", {}), isAboutTopic);
  const message = once(client, "session.message");
  await client.notify("session.send", { to: opened.session.code, data: "to myself" });
  assert.deepEqual(await message, { from: opened.session.code, data: "to myself" });
  const closed = once(client, "close");
  client.close();
  await closed;
});

test("json-rpc-2.0: calls, batches, errors, notifications, server's notifications", async () => {
  const ws = await openSocket();
  const client = new JSONRPCClient((request) => ws.send(JSON.stringify(request)));
  const peer = new JSONRPCServerAndClient(new JSONRPCServer(), client);
  peer.addMethod("session.opened", () => {});
  const published = new Promise((resolve) => peer.addMethod("topic.message", resolve));
  ws.on("message", (data) => peer.receiveAndSend(JSON.parse(String(data))));
  assert.deepEqual(await within(peer.request("echo", { a: [1, 2] }), "echo"), { a: [1, 2] });
  const batch = [
    { jsonrpc: "2.0", id: "a", method: "echo", params: [1] },
    { jsonrpc: "2.0", id: "b", method: "no.such" },
    { jsonrpc: "2.0", id: "c", method: "ping" },
  ];
  const replies = await within(peer.requestAdvanced(batch), "batch");
  assert.equal(replies.length, 3);
  const byId = Object.fromEntries(replies.map((reply) => [reply.id, reply]));
  assert.deepEqual(byId.a.result, [1]);
  assert.equal(byId.b.error.code, -32601);
  assert.ok(byId.c.result.time);
  await assert.rejects(within(peer.request("session.send", { to: "nobody-here-99", data: 1 }), "error"), (error) => {
    assert.ok(error instanceof JSONRPCErrorException);
    assert.equal(error.code, -32026);
    return true;
  });
  await within(peer.request("topic.subscribe", { topic: "from-npm" }), "subscribe");
  peer.notify("topic.publish", { topic: "from-npm", data: "hello" });
  assert.equal((await within(published, "topic.message")).data, "hello");
  ws.close();
  await once(ws, "close");
});

test("jayson: calls, batches, errors, notifications", async () => {
  const ws = await openSocket();
  const client = new jayson.Client.websocket({ ws, timeout: 30_000 });
  const request = (...args) =>
    new Promise((resolve, reject) => {
      client.request(...args, (failure, reply) => (failure ? reject(failure) : resolve(reply)));
    });
  assert.deepEqual((await request("echo", { a: 1 })).result, { a: 1 });
  const refused = await request("topic.publish", { topic: "$reserved", data: 1 });
  assert.equal(refused.error.code, -32030);
  const batch = [client.request("echo", ["x"], undefined, false), client.request("no.such", [], undefined, false)];
  const replies = await request(batch);
  assert.deepEqual(replies.map((reply) => reply.result ?? reply.error.code).sort(), [-32601, ["x"]].sort());
  await request("echo", ["a notification"], null); // has no answer, and is not waited for
  assert.deepEqual((await request("echo", [2])).result, [2]);
  ws.close();
  await once(ws, "close");
});

test("vscode-ws-jsonrpc: calls, errors, notifications both ways, cancelling", async () => {
  const ws = new WebSocket(hub.wsUrl);
  const connection = createWebSocketConnection(toSocket(ws), { error() {}, warn() {}, info() {}, log() {} });
  const opened = new Promise((resolve) => connection.onNotification("session.opened", resolve));
  const message = new Promise((resolve) => connection.onNotification("session.message", resolve));
  connection.listen();
  const { session } = await within(opened, "session.opened");
  assert.deepEqual(await within(connection.sendRequest("echo", { a: 1 }), "echo"), { a: 1 });
  await assert.rejects(within(connection.sendRequest("no.such"), "error"), (error) => error.code === -32601);
  connection.sendNotification("session.send", { to: session.code, data: [1, 2] });
  assert.deepEqual(await within(message, "session.message"), { from: session.code, data: [1, 2] });
  connection.sendNotification("$/cancelRequest", { id: 12345 }); // nothing to cancel: harmless
  assert.deepEqual(await within(connection.sendRequest("echo", 3, 4), "echo"), [3, 4]);
  const closed = once(ws, "close");
  connection.dispose();
  ws.close();
  await closed;
});
