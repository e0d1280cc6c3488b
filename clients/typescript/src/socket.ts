// The little of a WebSocket that this package uses, so that any class that has it will do: the browser's, Node 22's,
// `ws`, or a test's.

export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Where there is one (`ws`), a dead connection is dropped without waiting for its farewell. */
  terminate?(): void;
}

/** A class whose instances are sockets. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** The platform's own class, if it has one (browsers, Node 22). */
export function platformWebSocket(): WebSocketClass | undefined {
  return (globalThis as { WebSocket?: unknown }).WebSocket as WebSocketClass | undefined;
}
