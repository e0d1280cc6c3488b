// The network between client and model server. Texts lie on a line until the world delivers them, one at a time and
// in order, so a test can cut at every boundary; either side may learn of a cut before the other.

import { connect, type ConnectOptions, type Session, type WebSocketClass, type WebSocketLike } from "../src/index.js";
import { FakeClock, seeded, settle } from "./fake_clock.js";
import { FakeServer, type Wire } from "./fake_server.js";

type Line = { text: string } | { close: { code: number; reason: string } };

export class FakeSocket implements WebSocketLike, Wire {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly toServer: Line[] = [];
  readonly toClient: Line[] = [];
  serverGone = false;
  /** Everything the client wrote, for tests that look at the texts. */
  readonly written: string[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
    private readonly world: World,
  ) {
    this.world.sockets.push(this);
  }

  // --- the client's side: WebSocketLike.send/close; the server's: Wire.send/close through `wire`
  send(text: string): void {
    if (this.readyState !== 1) throw new Error("send on a socket that is not open");
    this.written.push(text);
    this.toServer.push({ text });
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState >= 2) return;
    const opened = this.readyState === 1;
    this.readyState = 2;
    if (opened) this.toServer.push({ close: { code, reason } });
    else this.world.cut(this);
  }

  readonly wire: Wire = {
    url: "",
    send: (text) => {
      if (!this.serverGone) this.toClient.push({ text });
    },
    close: (code, reason) => {
      this.toClient.push({ close: { code, reason } });
      this.serverGone = true;
    },
  };

  closeClient(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

export class World {
  readonly clock = new FakeClock();
  readonly server = new FakeServer();
  readonly sockets: FakeSocket[] = [];
  readonly random: () => number;
  readonly WebSocket: WebSocketClass;
  /** False: connections fail. */
  up = true;
  /** Connections neither fail nor open. */
  blackHole = false;
  deliveries = 0;

  constructor(seed = 1) {
    this.random = seeded(seed);
    const world = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, world);
      }
    };
  }

  /** Options with everything injected and nothing that acts by itself. */
  options(more: ConnectOptions = {}): ConnectOptions {
    return {
      WebSocket: this.WebSocket,
      clock: this.clock,
      random: seeded(7),
      network: null,
      keepalive: 0,
      onError: (error) => {
        throw error;
      },
      ...more,
    };
  }

  async connect(more: ConnectOptions = {}): Promise<Session> {
    const promise = connect("ws://hub/ws", this.options(more));
    promise.catch(() => {});
    await this.run();
    const session = await promise;
    await this.tick();
    return session;
  }

  /** The newest connection. */
  get socket(): FakeSocket {
    const socket = this.sockets[this.sockets.length - 1];
    if (!socket) throw new Error("no connection was tried");
    return socket;
  }

  /** Delivers all there is, back and forth, until nothing moves. Time stands still. */
  async run(): Promise<void> {
    for (let i = 0; i < 10_000; i++) {
      await settle();
      if (!this.deliverAny()) return;
    }
    throw new Error("the world does not come to rest");
  }

  /** Like run(), and time passes in small steps, with the server's acks. */
  async tick(ms = 0): Promise<void> {
    await this.run();
    const end = this.clock.now() + ms;
    do {
      const next = Math.min(end, this.clock.next ?? end);
      await this.clock.advance(Math.max(0, next - this.clock.now()));
      await this.run();
    } while (this.clock.now() < end || (this.clock.next ?? Infinity) <= end);
  }

  /** Cuts a connection. What was on the line is lost. */
  cut(socket: FakeSocket = this.socket, who: "both" | "client" | "server" = "both", code = 1006): void {
    socket.toServer.length = 0;
    socket.toClient.length = 0;
    if (who !== "client") this.dropServer(socket);
    if (who !== "server") socket.closeClient(code, "");
  }

  private dropServer(socket: FakeSocket): void {
    socket.serverGone = true;
    this.server.onGone(socket.wire);
  }

  /** Moves one thing of one connection. False if nothing could be moved. */
  deliverAny(pick: (choices: number) => number = () => 0): boolean {
    const moves = this.sockets.flatMap((socket) => this.moves(socket));
    if (moves.length === 0) return false;
    this.deliveries++;
    moves[pick(moves.length)]!();
    return true;
  }

  private moves(socket: FakeSocket): (() => void)[] {
    if (socket.readyState === 0) return this.blackHole ? [] : [() => this.open(socket)];
    const moves: (() => void)[] = [];
    if (socket.toServer.length > 0) moves.push(() => this.toServer(socket));
    if (socket.toClient.length > 0 && socket.readyState < 3) moves.push(() => this.toClient(socket));
    return moves;
  }

  private open(socket: FakeSocket): void {
    if (!this.up) {
      socket.onerror?.({ message: "nobody listens" } as never);
      return socket.closeClient(1006, "");
    }
    socket.readyState = 1;
    socket.onopen?.({} as never);
  }

  private toServer(socket: FakeSocket): void {
    const line = socket.toServer.shift()!;
    if (socket.serverGone) return;
    if ("text" in line) return this.server.onText(socket.wire, line.text);
    this.dropServer(socket);
    socket.toClient.length = 0;
    socket.closeClient(line.close.code, line.close.reason);
  }

  private toClient(socket: FakeSocket): void {
    const line = socket.toClient.shift()!;
    if ("text" in line) socket.onmessage?.({ data: line.text } as never);
    else socket.closeClient(line.close.code, line.close.reason);
  }
}
