// Wire: the WebSocket class that the page gives to the client. What can be seen there is reported (every message, its
// bytes, the counts of tally.js), and what can be broken there is: a person may cut the connection or go dark.
//
// Events (detail): attempt · sent {bytes} · received {bytes, message}, before the client has it · changed: of the tally
// or of `dark`. It does not know what messages mean; a message that is not JSON is {}.

import { Tally } from "./tally.js";

const DARK_FAILS_MS = 200; // how long an attempt in the dark takes to fail

const encoder = new TextEncoder();
const bytesOf = (text) => encoder.encode(text).length;

// Numbers keep the digits they came with where the browser can (JSON.rawJSON): 1.0 and 2^64 are shown as they are.
export function parseJson(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_name, value, context) =>
    typeof value === "number" && context?.source !== undefined && context.source !== String(value)
      ? JSON.rawJSON(context.source)
      : value,
  );
}

export class Wire extends EventTarget {
  WebSocket; // for the client
  tally = new Tally();
  dark = false;
  #socket = null; // the newest
  #text = ""; // of the message that came last
  #lightTimer = 0;

  constructor() {
    super();
    const wire = this;
    this.WebSocket = class extends Socket {
      constructor(url, protocols) {
        super(wire, url, protocols);
        wire.#socket = this;
        wire.#emit("attempt");
      }
    };
  }

  // Ends the connection as a network does that is gone: from now on nothing passes, in either direction, and the client
  // hears of no farewell. (The browser still sends the server a Close frame, which does no more than a cut cable.)
  cut() {
    this.#socket?.cut();
  }

  // Cuts, and lets every attempt fail for so long. Then the platform says that the network is back.
  goDark(ms) {
    this.dark = true;
    clearTimeout(this.#lightTimer);
    this.#lightTimer = setTimeout(() => {
      this.dark = false;
      this.#emit("changed");
      window.dispatchEvent(new Event("online"));
    }, ms);
    this.cut();
    this.#emit("changed");
  }

  // The member of that name of the message that came last, with the digits of its numbers, if it is the `value` that
  // the client made of it; else that value.
  exact(name, value) {
    try {
      const member = parseJson(this.#text)[name];
      return JSON.stringify(JSON.parse(JSON.stringify(member))) === JSON.stringify(value) ? member : value;
    } catch {
      return value;
    }
  }

  onSend(text) {
    this.tally.onSend(JSON.parse(text));
    this.#emit("sent", { bytes: bytesOf(text) });
    this.#emit("changed");
  }

  onReceive(text) {
    this.#text = text;
    const message = readMessage(text);
    this.tally.onReceive(message);
    this.#emit("received", { bytes: bytesOf(text), message });
    this.#emit("changed");
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

// A browser's WebSocket that can be cut.
class Socket {
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  #wire;
  #native = null; // null in the dark
  #dead = false;

  constructor(wire, url, protocols) {
    this.#wire = wire;
    if (wire.dark) {
      setTimeout(() => this.cut(), DARK_FAILS_MS);
      return;
    }
    const native = new WebSocket(url, protocols);
    this.#native = native;
    native.onopen = (event) => this.onopen?.(event);
    native.onerror = (event) => this.onerror?.(event);
    native.onclose = (event) => this.onclose?.(event);
    native.onmessage = (event) => {
      wire.onReceive(event.data);
      this.onmessage?.(event);
    };
  }

  get readyState() {
    if (this.#dead) return WebSocket.CLOSED;
    return this.#native?.readyState ?? WebSocket.CONNECTING;
  }

  send(text) {
    this.#wire.onSend(text);
    this.#native.send(text);
  }

  close(code, reason) {
    if (this.#native) this.#native.close(code, reason);
    else this.#dead = true;
  }

  cut() {
    if (this.readyState === WebSocket.CLOSED) return;
    this.#dead = true;
    if (this.#native) {
      this.#native.onopen = this.#native.onmessage = this.#native.onclose = this.#native.onerror = null;
      this.#native.close();
    }
    this.onclose?.({ code: 1006, reason: "" });
  }
}

function readMessage(text) {
  try {
    const message = JSON.parse(text);
    return message !== null && typeof message === "object" ? message : {};
  } catch {
    return {};
  }
}
