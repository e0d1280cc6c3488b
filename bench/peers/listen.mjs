// What the servers for Node share: their mode from the command line, the port they got on standard output.

export const MODES = ["echo", "jsonrpc", "fanout", "deflate-fanout"];

// The mode this server was started in; ends the program if it is none that the server can do.
export function modeOf(possible = MODES) {
  const mode = process.argv[2];
  if (possible.includes(mode)) return mode;
  console.error(`usage: ${process.argv[1]} ${possible.join("|")}`);
  process.exit(2);
}

// Listens on a free port of loopback and says which. A storm of connects wants a long queue.
export function listen(httpServer) {
  httpServer.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    console.log(`listening ${httpServer.address().port}`);
  });
}
