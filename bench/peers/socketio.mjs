// socket.io over WebSocket alone (no polling). Clients speak its framing: "40" opens the namespace, 42["echo",X] is an
// event, 421["echo",X] one with an acknowledgement, which is socket.io's way to call and get an answer.
// The load generator answers no pings of engine.io, so they are 10 minutes apart.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { listen, modeOf } from "./listen.mjs";

const mode = modeOf();
const http = createServer();
const server = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  pingInterval: 600_000,
  maxHttpBufferSize: 65536,
  perMessageDeflate: mode === "deflate-fanout" && {
    zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 1 },
    clientNoContextTakeover: true,
    serverNoContextTakeover: true,
    concurrencyLimit: 10,
    threshold: 0,
  },
});

server.on("connection", (socket) => {
  if (mode === "echo") {
    socket.on("echo", (value) => socket.emit("echo", value));
  } else if (mode === "jsonrpc") {
    socket.on("echo", (value, answer) => answer(value));
  } else {
    socket.on("sub", () => {
      socket.join("bench");
      socket.emit("ok");
    });
    socket.on("publish", (value) => server.to("bench").emit("message", value));
  }
});
listen(http);
