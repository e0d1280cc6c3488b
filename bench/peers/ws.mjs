// node `ws`: the WebSocket library of Node. Broadcast is the loop that its README shows; compression has the settings that
// its README recommends, but level 1 as everybody has it, and no threshold, so that 1 KiB is compressed.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { listen, modeOf } from "./listen.mjs";

const mode = modeOf();
const perMessageDeflate = mode === "deflate-fanout" && {
  zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 1 },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
  serverMaxWindowBits: 10,
  concurrencyLimit: 10,
  threshold: 0,
};

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate, maxPayload: 65536 });
const subscribers = new Set();

const handlers = {
  echo(ws, data) {
    ws.send(data, { binary: false });
  },
  jsonrpc(ws, data) {
    const { id, method, params } = JSON.parse(data);
    const reply = { jsonrpc: "2.0", id };
    if (method === "echo") reply.result = params;
    else reply.error = { code: -32601, message: "method not found" };
    ws.send(JSON.stringify(reply));
  },
  fanout(ws, data) {
    if (data.length === 3 && data.toString() === "sub") {
      subscribers.add(ws);
      ws.send("ok");
      return;
    }
    for (const subscriber of subscribers) subscriber.send(data, { binary: false });
  },
};
const onMessage = handlers[mode] ?? handlers.fanout;

server.on("connection", (ws) => {
  ws.on("message", (data) => onMessage(ws, data));
  ws.on("close", () => subscribers.delete(ws));
  ws.on("error", () => ws.terminate());
});
listen(http);
