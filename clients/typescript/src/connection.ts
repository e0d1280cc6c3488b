// One WebSocket connection, from the handshake through the opening exchange to its end. It knows nothing of counts,
// calls or resuming: it asks for an opening request, reports the answer, then passes messages.
//
// Invariant: after `ended`, and after drop(), no event comes from this connection any more.

import { Timer, type Clock } from "./clock.js";
import { isObject, SUBPROTOCOL, type Message } from "./protocol.js";
import type { WebSocketClass, WebSocketLike } from "./socket.js";

const OPEN = 1;
const FAREWELL_MS = 2000;

/** How a connection ended: the close code, or 1006 where there was none. */
export interface End {
  code: number;
  reason: string;
  /** True if the server said so itself, by session.closing. */
  notice?: boolean;
  /** Its wish: no attempt within so many milliseconds. */
  retryAfter?: number;
}

export interface ConnectionEvents {
  /** The opening request to send; asked once the socket is open, and again after `answered` returned true. */
  opening(): Promise<{ method: string; params: unknown }>;
  /** The answer to the opening request. True: send another opening request. */
  answered(answer: Message, method: string): boolean;
  /** A message after the opening exchange; undefined if it was not JSON. */
  message(message: Message | undefined): void;
  draining(params: unknown): void;
  ended(end: End): void;
}

export class Connection {
  private readonly socket: WebSocketLike;
  private readonly deadline: Timer;
  private opening: { id: string; method: string } | undefined;
  private openings = 0;
  private ready = false;
  private over = false;
  private farewell: ((id: unknown) => void) | undefined;
  private trouble = "";

  /** Throws what the WebSocket class throws at a bad address. */
  constructor(
    WebSocket: WebSocketClass,
    url: string,
    private readonly clock: Clock,
    connectTimeout: number,
    private readonly events: ConnectionEvents,
  ) {
    this.deadline = new Timer(clock, () => this.abandon(`no session within ${connectTimeout} ms`));
    this.socket = new WebSocket(url, [SUBPROTOCOL]);
    this.socket.onopen = () => this.sendOpening();
    this.socket.onmessage = (event: { data: unknown }) => this.onData(event.data);
    this.socket.onclose = (event: { code?: number; reason?: string }) =>
      this.finish({ code: event.code ?? 1006, reason: event.reason || this.trouble });
    // A close follows. Browsers say nothing here; Node says what was wrong.
    this.socket.onerror = (event: { message?: unknown; error?: unknown }) => (this.trouble = describe(event));
    if (connectTimeout > 0) this.deadline.set(connectTimeout);
  }

  /** True between the opening exchange and the end. */
  get usable(): boolean {
    return this.ready && !this.over && this.socket.readyState === OPEN;
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** Ends the connection without a further event. */
  drop(code = 1000, reason = ""): void {
    if (this.over) return;
    this.silence();
    this.socket.close(code, reason);
  }

  /** Gives up a connection that does not answer; reports its end. */
  abandon(reason: string): void {
    if (this.over) return;
    this.silence();
    if (this.socket.terminate) this.socket.terminate();
    else this.socket.close();
    this.events.ended({ code: 1006, reason });
  }

  /** Sends a last request, waits a moment for its answer, and closes. No event comes any more. */
  leave(id: string, text: string): Promise<void> {
    if (!this.usable) {
      this.drop();
      return Promise.resolve();
    }
    this.over = true;
    this.send(text);
    return new Promise((resolve) => {
      const timer = new Timer(this.clock, () => this.farewell?.(id));
      this.farewell = (answered) => {
        if (answered !== id) return;
        timer.clear();
        this.silence();
        this.socket.close(1000);
        resolve();
      };
      this.socket.onclose = () => this.farewell?.(id);
      timer.set(FAREWELL_MS);
    });
  }

  private sendOpening(): void {
    const failed = (error: unknown): void => this.abandon(`no opening request: ${String(error)}`);
    this.events.opening().then((request) => {
      if (this.over || this.socket.readyState !== OPEN) return;
      const id = `opening-${++this.openings}`;
      this.opening = { id, method: request.method };
      this.send(JSON.stringify({ jsonrpc: "2.0", id, ...request }));
    }, failed);
  }

  private onData(data: unknown): void {
    const message = typeof data === "string" ? parse(data) : undefined;
    if (this.farewell) return this.farewell(message?.id);
    if (this.over) return;
    if (message?.method === "session.closing" && message.id === undefined) return this.onClosing(message.params);
    if (message?.method === "session.draining" && message.id === undefined) this.events.draining(message.params);
    else if (this.ready) this.events.message(message);
    else if (this.opening && message?.id === this.opening.id) this.onAnswer(message, this.opening.method);
  }

  private onAnswer(answer: Message, method: string): void {
    this.opening = undefined;
    // Ready before the event: whoever hears of it may send.
    this.ready = answer.error === undefined;
    if (this.ready) this.deadline.clear();
    if (this.events.answered(answer, method) && !this.over) this.sendOpening();
  }

  // The server says goodbye before it closes, because a close frame's reason can be lost. What it might still have
  // sent is not lost: it comes again when the session is resumed.
  private onClosing(params: unknown): void {
    const notice = isObject(params) ? params : {};
    this.socket.close(1000);
    this.finish({
      notice: true,
      code: typeof notice.code === "number" ? notice.code : 1006,
      reason: typeof notice.reason === "string" ? notice.reason : "",
      ...(typeof notice.retry_after_ms === "number" && { retryAfter: notice.retry_after_ms }),
    });
  }

  private finish(end: End): void {
    if (this.over) return;
    this.silence();
    this.events.ended(end);
  }

  private silence(): void {
    this.over = true;
    this.farewell = undefined;
    this.deadline.clear();
  }
}

function describe({ message, error }: { message?: unknown; error?: unknown }): string {
  const code = isObject(error) ? error.code : undefined;
  return [message, code].find((text): text is string => typeof text === "string" && text !== "")?.trim() ?? "";
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Only replies to batches are arrays, and this package sends no batches.
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
