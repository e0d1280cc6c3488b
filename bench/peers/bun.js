// bun's own WebSocket server, which is uWebSockets. Broadcast is its publish to a topic; compression uses the compressor
// that sockets share, which keeps no context (uWebSockets' own recommendation).

import { MODES } from "./listen.mjs";

const mode = process.argv[2];
if (!MODES.includes(mode)) {
  console.error(`usage: bun.js ${MODES.join("|")}`);
  process.exit(2);
}
const deflate = mode === "deflate-fanout";

const handlers = {
  echo(ws, message) {
    ws.send(message);
  },
  jsonrpc(ws, message) {
    const { id, method, params } = JSON.parse(message);
    const reply = { jsonrpc: "2.0", id };
    if (method === "echo") reply.result = params;
    else reply.error = { code: -32601, message: "method not found" };
    ws.send(JSON.stringify(reply));
  },
  fanout(ws, message) {
    if (message !== "sub") {
      server.publish("bench", message, deflate);
      return;
    }
    ws.subscribe("bench");
    ws.send("ok");
  },
};

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    if (server.upgrade(request)) return undefined;
    return new Response("WebSocket only\n", { status: 426 });
  },
  websocket: {
    message: handlers[mode] ?? handlers.fanout,
    maxPayloadLength: 65536,
    perMessageDeflate: deflate && { compress: "shared", decompress: "shared" },
    // A reader that takes nothing is cut off at a mebibyte, as hubbub does it.
    backpressureLimit: 1024 * 1024,
    closeOnBackpressureLimit: true,
  },
});
console.log(`listening ${server.port}`);
