// FrameMeter: follows one direction of a WebSocket connection byte by byte, only to know where it stands: in the HTTP
// head, inside a frame, or between two. It takes the peers to be right and checks nothing.

const HEAD_END = "\r\n\r\n";

export class FrameMeter {
  #seen = 0; // of HEAD_END
  #header = null; // bytes of a frame's header so far; null while still in the head
  #payload = 0; // bytes of the frame's payload still to come

  // "head", "frame" (something of it went through, not all) or "between".
  get place() {
    if (this.#header === null) return "head";
    return this.#header.length > 0 || this.#payload > 0 ? "frame" : "between";
  }

  take(bytes) {
    let at = 0;
    while (at < bytes.length) at += this.#header === null ? this.#headByte(bytes[at]) : this.#frameBytes(bytes, at);
  }

  #headByte(byte) {
    if (byte === HEAD_END.charCodeAt(this.#seen)) this.#seen += 1;
    else this.#seen = byte === HEAD_END.charCodeAt(0) ? 1 : 0;
    if (this.#seen === HEAD_END.length) this.#header = [];
    return 1;
  }

  #frameBytes(bytes, at) {
    if (this.#payload > 0) {
      const taken = Math.min(this.#payload, bytes.length - at);
      this.#payload -= taken;
      return taken;
    }
    this.#header.push(bytes[at]);
    this.#endHeader();
    return 1;
  }

  // RFC 6455, 5.2: two bytes, then 0, 2 or 8 of length, then 4 of mask if there is one.
  #endHeader() {
    const header = this.#header;
    if (header.length < 2) return;
    const short = header[1] & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (header.length < 2 + lengthBytes + (header[1] & 0x80 ? 4 : 0)) return;
    this.#payload = lengthBytes === 0 ? short : header.slice(2, 2 + lengthBytes).reduce((sum, b) => sum * 256 + b, 0);
    this.#header = [];
  }
}
