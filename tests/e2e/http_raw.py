"""HTTP/1.1 by hand: requests are bytes, so that tests can send what no library would, and responses are read
strictly."""

import re
import socket
from typing import NamedTuple

from rawws import DEADLINE_S, upgrade_request


class Response(NamedTuple):
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def text(self):
        return self.body.decode()


class HttpConnection:
    """A connection on which several requests may follow each other."""

    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=DEADLINE_S)
        self.host = f"{address[0]}:{address[1]}"
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def get(self, path, method="GET", headers=()):
        self.send(self.head(path, method, headers))
        return self.read(head_only=method == "HEAD")

    def head(self, path, method="GET", headers=()):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines) + "\r\n\r\n"

    def read(self, head_only=False):
        """The next response. Its length must be told; a body never runs to the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]+", first)
        assert match, f"not a status line: {first!r}"
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[A-Za-z0-9-]+", name), f"not a header: {line!r}"
            headers[name.lower()] = value.strip()
        status, size = int(match.group(1)), 0
        if not head_only and status not in (101, 204, 304):
            size = int(headers["content-length"])
        while len(self.buffer) < size:
            self._fill()
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return Response(status, headers, body)

    def _fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError(f"the connection ended; unread: {self.buffer[:200]!r}")
        self.buffer += data

    def at_end(self):
        """True if the server ended the connection without another byte."""
        try:
            return not self.buffer and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


def get(hub, path, **kwargs):
    """One request on a connection of its own."""
    with HttpConnection(hub.address) as connection:
        return connection.get(path, **kwargs)


def send(hub, data):
    """Raw bytes on a connection of their own; the response."""
    with HttpConnection(hub.address) as connection:
        connection.send(data)
        return connection.read()


def upgrade(hub, path="/ws", headers=()):
    """The response to an upgrade (the connection is closed then)."""
    return send(hub, upgrade_request(hub.host, path, headers))
