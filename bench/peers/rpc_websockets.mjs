// rpc-websockets: JSON-RPC 2.0 with events. Subscribing is its method rpc.on, a publication reaches subscribers as
// {"notification": "bench", "params": [data]}. It has no echo of raw bytes.

import { Server } from "rpc-websockets";
import { modeOf } from "./listen.mjs";

const mode = modeOf(["jsonrpc", "fanout", "deflate-fanout"]);
const perMessageDeflate = mode === "deflate-fanout" && {
  zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 1 },
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
  concurrencyLimit: 10,
  threshold: 0,
};

const server = new Server({ host: "127.0.0.1", port: 0, perMessageDeflate, backlog: 4096 });
server.event("bench");
server.register("echo", (params) => params);
server.register("publish", ([data]) => {
  server.emit("bench", data);
  return true;
});
server.on("listening", () => console.log(`listening ${server.wss.address().port}`));
