"""A WebSocket client that can break every rule: frames are built by hand and sent on a plain blocking socket.

Tests need what a proper client library refuses to do (reserved bits, lying lengths, half a frame, silence, a reset),
and they need to see exactly which frames came back. Nothing here retries or repairs. Every wait has a deadline. """

import base64
import hashlib
import os
import socket
import struct
import time
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
DEADLINE_S = 30.0  # of any single wait: generous, because sanitizer builds on busy machines are slow
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MASK = b"\x37\xfa\x21\x3d"


class Frame(NamedTuple):
    fin: bool
    rsv: int  # RSV1 is 4, RSV2 is 2, RSV3 is 1
    opcode: int
    payload: bytes


class HandshakeRefused(Exception):
    """The server answered the upgrade with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"status {status}: {body[:200]!r}")
        self.status, self.headers, self.body = status, headers, body


def apply_mask(data, key):
    """XOR with the repeated 4-byte key, done on one big integer because a Python loop is far too slow for megabytes."""
    size = len(data)
    repeated = (key * (size // 4 + 1))[:size]
    mixed = int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")
    return mixed.to_bytes(size, "little")


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=MASK, length_bytes=None):
    """One client frame. `mask=None` leaves it unmasked; `length_bytes` (1, 2 or 8) forces a longer length form."""
    size = len(payload)
    if length_bytes is None:
        length_bytes = 1 if size < 126 else 2 if size < 65536 else 8
    length = {1: size, 2: 126, 8: 127}[length_bytes] | (0x80 if mask else 0)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode, length])
    head += {1: b"", 2: struct.pack("!H", size & 0xFFFF), 8: struct.pack("!Q", size)}[length_bytes]
    return head + (mask + apply_mask(payload, mask) if mask else payload)


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + reason


def upgrade_request(host, path="/ws", headers=(), key=None):
    """The head of a proper upgrade; `headers` are added as (name, value)."""
    key = key or base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


class RawClient:
    """One connection. Use as a context manager, so that no test leaves a descriptor behind."""

    def __init__(self, address, *, receive_buffer=None, source=None):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE_S)
        if receive_buffer:  # must be set before connecting to bound the window that is announced
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"{address[0]}:{address[1]}"
        self.headers = {}
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def handshake(self, path="/ws", headers=()):
        key = base64.b64encode(os.urandom(16)).decode()
        self.send_bytes(upgrade_request(self.host, path, headers, key))
        status, self.headers = self.read_head()
        if status != 101:
            raise HandshakeRefused(status, self.headers, self.read_rest())
        assert self.headers["sec-websocket-accept"] == accept_key(key)
        assert self.headers["upgrade"].lower() == "websocket"
        assert "upgrade" in self.headers["connection"].lower()
        return self

    def read_head(self):
        """The status and headers (lower-case names) of an HTTP response; what follows stays in the buffer."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                raise ConnectionError(f"the connection ended inside a response head: {bytes(self.buffer)!r}")
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(first.split(" ", 2)[1]), {name.strip().lower(): value.strip() for name, value in pairs}

    def read_rest(self):
        """Everything up to the end of the connection (or its reset)."""
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            pass
        rest, self.buffer = bytes(self.buffer), bytearray()
        return rest

    # Sending

    def send_bytes(self, data, chop=None):
        """Sends as is; `chop` cuts it into writes of that many bytes."""
        if not chop:
            self.sock.sendall(data)
            return
        for start in range(0, len(data), chop):
            self.sock.sendall(data[start : start + chop])

    def send(self, opcode, payload=b"", *, chop=None, **kwargs):
        self.send_bytes(frame(opcode, payload, **kwargs), chop)

    def text(self, text, **kwargs):
        self.send(TEXT, text.encode() if isinstance(text, str) else text, **kwargs)

    def close(self, code=1000, reason=b""):
        self.send(CLOSE, close_payload(code, reason))

    def reset(self):
        """Ends the connection with a TCP RST, as a crashing peer or a cut cable's NAT does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    # Receiving

    def fill(self):
        """Reads once; False at the end of the stream."""
        data = self.sock.recv(262144)
        self.buffer += data
        return bool(data)

    def need(self, size):
        while len(self.buffer) < size:
            if not self.fill():
                raise ConnectionError(f"the connection ended inside a frame: {bytes(self.buffer[:64])!r}")

    def receive(self, timeout=None):
        """The next frame, or None at a clean end of the stream. Server frames must be unmasked and minimal."""
        self.sock.settimeout(DEADLINE_S if timeout is None else timeout)
        if not self.buffer and not self.fill():
            return None
        self.need(2)
        first, second = self.buffer[0], self.buffer[1]
        assert not second & 0x80, "a server frame must not be masked"
        size, head = second & 0x7F, 2
        if size == 126:
            self.need(4)
            size, head = struct.unpack_from("!H", self.buffer, 2)[0], 4
            assert size >= 126, "the length is not minimal"
        elif size == 127:
            self.need(10)
            size, head = struct.unpack_from("!Q", self.buffer, 2)[0], 10
            assert size >= 65536, "the length is not minimal"
        self.need(head + size)
        payload = bytes(self.buffer[head : head + size])
        del self.buffer[: head + size]
        return Frame(bool(first & 0x80), first >> 4 & 7, first & 0x0F, payload)

    def receive_message(self, timeout=None):
        """The next data message as (opcode, payload), fragments joined; answers pings. None at the end."""
        opcode, parts = None, []
        while True:
            got = self.receive(timeout)
            if got is None:
                return None
            if got.opcode == PING:
                self.send(PONG, got.payload)
                continue
            if got.opcode == PONG:
                continue
            if got.opcode == CLOSE:
                return CLOSE, got.payload
            assert (got.opcode == CONTINUATION) == (opcode is not None), f"fragments out of order: {got.opcode}"
            opcode = got.opcode if opcode is None else opcode
            parts.append(got.payload)
            if got.fin:
                return opcode, b"".join(parts)

    # What a test expects

    def expect(self, opcode, payload):
        """The next frame is this one, whole and plain."""
        got = self.receive()
        assert got is not None, "the connection ended"
        assert (got.opcode, len(got.payload)) == (opcode, len(payload)), summary(got)
        assert got.payload == payload
        assert got.fin and got.rsv == 0, summary(got)

    def expect_message(self, opcode, payload):
        """The next message is this one; the server may have fragmented it."""
        got = self.receive_message()
        assert got is not None, "the connection ended"
        assert (got[0], len(got[1])) == (opcode, len(payload)), (got[0], got[1][:64])
        assert got[1] == payload

    def expect_close(self, *codes):
        """Reads up to the Close frame, which must carry one of `codes` (None: no code), and then the end. Answers it
        unless this side closed first (the answer is harmless then). Returns the code and the reason."""
        got = self.receive()
        assert got is not None, "the connection ended without a Close frame"
        assert got.opcode == CLOSE, summary(got)
        code, reason = read_close(got.payload)
        assert code in codes, f"close code {code} ({reason!r}) is none of {codes}"
        try:
            self.send(CLOSE, got.payload)
        except OSError:
            pass  # the server may be gone already, as it may
        self.expect_end()
        return code, reason

    def expect_end(self):
        """The stream ends by FIN, without another byte: a RST could have destroyed the Close frame on its way."""
        assert not self.buffer, f"bytes after the Close frame: {bytes(self.buffer[:64])!r}"
        self.sock.settimeout(DEADLINE_S)
        data = self.sock.recv(65536)
        assert data == b"", f"bytes after the Close frame: {data[:64]!r}"

    def until_closed(self, timeout=DEADLINE_S):
        """Throws away everything up to the end; the close code seen on the way, or None."""
        end, code = time.monotonic() + timeout, None
        try:
            while (left := end - time.monotonic()) > 0:
                got = self.receive(left)
                if got is None:
                    return code
                if got.opcode == CLOSE:
                    code, _ = read_close(got.payload)
        except (ConnectionError, BrokenPipeError):
            return code
        raise TimeoutError("the server did not end the connection")


def read_close(payload):
    if not payload:
        return None, ""
    assert len(payload) >= 2, "a Close frame with one byte of payload"
    return struct.unpack("!H", payload[:2])[0], payload[2:].decode()


def summary(got):
    return f"opcode {got.opcode} fin {got.fin} rsv {got.rsv} payload {got.payload[:80]!r}"


def connect(address, path="/ws", headers=(), **kwargs):
    """A connection after its handshake."""
    client = RawClient(address, **kwargs)
    try:
        return client.handshake(path, headers)
    except BaseException:
        client.sock.close()
        raise
