// Against the real server (environment HUBBUB_BIN), through a proxy that cuts TCP. Skipped without one. This is the
// only test here that needs real time.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { connect, RpcError, type ConnectOptions, type Credentials, type Session, type SessionState } from "../src/index.js";

const binary = process.env["HUBBUB_BIN"];
const options = { skip: binary ? false : "set HUBBUB_BIN to the server's program", timeout: 60_000 };

/** A socket that has begun to end cannot be reset (EINVAL); Node would then neither close it nor say "close". */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Passes TCP on to the hub until it is told to cut. */
class Proxy {
  private readonly pairs = new Set<[Socket, Socket]>();
  private server!: Server;
  blocked = false;

  async start(target: number): Promise<void> {
    this.server = createServer((client): void => {
      if (this.blocked) return void client.destroy();
      const hub = dial(target, "127.0.0.1");
      const pair: [Socket, Socket] = [client, hub];
      this.pairs.add(pair);
      for (const [from, to] of [pair, [hub, client]] as const) {
        from.on("error", () => {});
        from.on("close", () => {
          to.destroy();
          this.pairs.delete(pair);
        });
        from.pipe(to);
      }
    });
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }

  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) reset(socket);
  }

  /** Resolves when every socket is closed: Node 18 may spin for ever at its exit over one that is closing. */
  async stop(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    const ends = [...this.pairs].flat().map((socket) => socket.closed || once(socket, "close"));
    this.cut();
    await Promise.all([closed, ...ends]);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

let hub: ChildProcess;
const proxy = new Proxy();
const sessions: Session[] = [];

async function open(more: ConnectOptions = {}): Promise<Session> {
  const session = await connect(proxy.url, { WebSocket, backoff: { base: 50, cap: 500 }, ...more });
  sessions.push(session);
  return session;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

before(async () => {
  if (!binary) return;
  const port = await freePort();
  const settings = ["limits.rate_per_s=0", "limits.ip_connects_per_s=0", "limits.ip_connections=0"];
  const listen = ["serve", "--listen", `127.0.0.1:${port}`];
  hub = spawn(binary, [...listen, ...settings.flatMap((setting) => ["--set", setting])], { stdio: "ignore" });
  await proxy.start(port);
  for (let i = 0; ; i++) {
    const probe = dial(port, "127.0.0.1");
    const up = await new Promise<boolean>((resolve) => {
      probe.once("connect", () => resolve(true));
      probe.once("error", () => resolve(false));
    });
    probe.destroy();
    if (up) return;
    if (i === 500) throw new Error("the hub does not listen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

after(async () => {
  if (!binary) return;
  await Promise.all(sessions.map((session) => session.close()));
  await proxy.stop();
  if (hub.exitCode === null) hub.kill("SIGTERM");
  if (hub.exitCode === null) await once(hub, "exit");
  assert.equal(hub.exitCode, 0, "the hub ended well");
});

test("opens, calls, publishes, and hears its subscription", options, async () => {
  const session = await open();
  assert.match(session.code, /^[a-z]+-[a-z]+-\d+$/);
  assert.deepEqual(await session.call("echo", { a: 1 }), { a: 1 });
  await assert.rejects(session.call("no.such"), (error) => error instanceof RpcError && error.code === -32601);
  const seen: unknown[] = [];
  await session.subscribe("plain", (data) => seen.push(data));
  await session.publish("plain", "x");
  await until("the message comes", () => seen.length === 1);
});

test("after a reset it resumes: same code, calls and topic complete", options, async () => {
  const session = await open();
  const other = await open();
  const states: SessionState[] = [];
  session.onState((state) => states.push(state));
  const { code } = session;
  const seen: number[] = [];
  await session.subscribe<number>("cuts", (n) => seen.push(n));
  const calls: Promise<number[]>[] = [];
  for (let n = 1; n <= 200; n++) {
    calls.push(session.call("echo", [n]));
    if (other.state === "open") await other.publish("cuts", n);
    if (n % 20 === 0) proxy.cut();
  }
  assert.deepEqual(await Promise.all(calls), Array.from({ length: 200 }, (_, i) => [i + 1]));
  await until("the last message comes", () => seen.at(-1) === 200 || seen.length >= 200);
  assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b), "in order, none twice");
  assert.equal(session.code, code);
  assert.ok(states.includes("resumed"));
  assert.ok(!states.includes("lost"));
});

test("messages sent to it while it was away arrive when it is back", options, async () => {
  const session = await open();
  const other = await open();
  const inbox: unknown[] = [];
  session.on("session.message", ({ from, data }) => inbox.push([from, data]));
  proxy.blocked = true;
  proxy.cut();
  await until("both are detached", () => session.state === "detached" && other.state === "detached");
  const sent = other.send(session.code, "hello");
  proxy.blocked = false;
  assert.match(await sent, /^(delivered|queued)$/);
  await until("the message comes", () => inbox.length === 1);
  assert.deepEqual(inbox, [[other.code, "hello"]]);
});

test("a later page takes the session over with stored credentials", options, async () => {
  let stored: Credentials | undefined;
  const first = await open({ onCredentials: (credentials) => (stored = credentials), reopen: false });
  const second = await open({ resume: stored! });
  assert.equal(second.code, first.code);
  assert.equal(second.resumed, true);
  await until("the first is superseded", () => first.state === "lost");
  assert.equal(first.lost?.reason, "superseded");
  assert.deepEqual(await second.call("echo", [1]), [1]);
});

test("closing ends the session: it cannot be resumed", options, async () => {
  const session = await open();
  const credentials = session.credentials()!;
  await session.close();
  const next = await open({ resume: credentials });
  assert.notEqual(next.code, credentials.code);
});
