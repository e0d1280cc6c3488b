"""One side of a session by hand: a raw connection that counts messages as the protocol says, so that a test decides
what is sent, acknowledged, resumed and cut, and when. It never acknowledges by itself."""

import itertools
import json
import time

import rawws
from hub import LogLine

V1 = "hubbub.v1"
UNCOUNTED = {"session.opened", "session.ack", "session.draining", "session.closing", "session.gap"}
MESSAGES_MAX = 100_000  # that one wait may read


class Ended(Exception):
    """The connection ended; `code` is that of the Close frame, None without one."""

    def __init__(self, code):
        super().__init__(f"the connection ended with {code}")
        self.code = code


class Refused(Exception):
    """An opening request was answered with an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.error, self.code = error, error["code"]


class Peer:
    """Invariant: `sent` and `received` are what this client may say of the session. `log` has every counted message
    since the connection began, `acks`, `gaps` and `closing` what is not counted."""

    def __init__(self, hub, *, plain=False, path="/ws"):
        self.raw = rawws.connect(hub.address, path, headers=() if plain else [("Sec-WebSocket-Protocol", V1)])
        self.ids = itertools.count(1)
        self.sent = self.received = 0
        self.log, self.acks, self.gaps, self.closing, self.draining = [], [], [], None, False
        self.opened = None
        self.fresh = self.take()["params"] if plain else None
        if plain:
            self._begin(self.fresh)

    @classmethod
    def open(cls, hub, params=None, **kwargs):
        peer = cls(hub, **kwargs)
        if peer.opened is None:
            peer._begin(peer.exchange("session.open", params or {}))
        return peer

    @classmethod
    def resume(cls, hub, before, **kwargs):
        """A new connection that goes on where the peer `before` stopped; the caller sends again what is left."""
        peer = cls(hub, **kwargs)
        peer.take_over(before)
        return peer

    def take_over(self, before, **changes):
        result = self.exchange("session.resume", before.claim | changes)
        self.received = before.received
        self._begin(result)
        self.ids = before.ids

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.sock.close()

    # Who it is

    @property
    def code(self):
        return self.opened["session"]["code"]

    @property
    def claim(self):
        """The params of session.resume."""
        session = self.opened["session"]
        return {name: session[name] for name in ("code", "token", "epoch")} | {"received": self.received}

    def _begin(self, opened):
        self.opened, self.sent = opened, opened["received"]
        if "missing" in opened:
            assert opened["missing"]["from"] == self.received + 1
            self.received = opened["missing"]["to"]

    def exchange(self, method, params):
        """An opening request, which nobody counts, and the result."""
        self.raw.text(json.dumps({"jsonrpc": "2.0", "id": "opening", "method": method, "params": params}))
        answer = self._read()
        assert answer["id"] == "opening", answer
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    # Out

    def write(self, message):
        """One counted message."""
        self.sent += 1
        self.raw.text(message if isinstance(message, str) else json.dumps(message))

    def request(self, method, params=None, id=None):
        """The id of a call that goes out; nothing is read."""
        id = next(self.ids) if id is None else id
        self.write({"jsonrpc": "2.0", "id": id, "method": method} | ({} if params is None else {"params": params}))
        return id

    def ack(self, received=None):
        params = {"received": self.received if received is None else received}
        self.raw.text(json.dumps({"jsonrpc": "2.0", "method": "session.ack", "params": params}))

    # In

    def _read(self, timeout=None):
        got = self.raw.receive_message(timeout)
        if got is None or got[0] == rawws.CLOSE:
            raise Ended(None if got is None else rawws.read_close(got[1])[0])
        return json.loads(got[1])

    def take(self, timeout=None):
        """The next message of any kind, counted if it counts."""
        message = self._read(timeout)
        method = message.get("method") if isinstance(message, dict) else None
        if method not in UNCOUNTED:
            self.received += 1
            self.log.append(message)
        elif method == "session.ack":
            self.acks.append(message["params"]["received"])
        elif method == "session.gap":
            missing = message["params"]["missing"]
            assert missing["from"] == self.received + 1 and missing["to"] >= missing["from"], missing
            self.gaps.append(missing)
            self.received = missing["to"]
        elif method == "session.closing":
            self.closing = message["params"]
        elif method == "session.draining":
            self.draining = True
        return message

    def until(self, wanted):
        """Takes messages up to the first for which `wanted` is true."""
        for _ in range(MESSAGES_MAX):
            message = self.take()
            if wanted(message):
                return message
        raise AssertionError("not among so many messages")

    def answer(self, id):
        return self.until(lambda message: isinstance(message, dict) and message.get("id") == id)

    def call(self, method, params=None):
        reply = self.answer(self.request(method, params))
        assert "result" in reply, reply
        return reply["result"]

    def fails(self, method, params=None):
        return self.answer(self.request(method, params))["error"]

    def next(self, method):
        return self.until(lambda message: isinstance(message, dict) and message.get("method") == method)["params"]

    def catch_up(self):
        """Takes the whole replay: everything up to what the answer to the resume called `sent`."""
        while self.received < self.opened["sent"]:
            self.take()

    def end(self):
        """The code with which the connection ends, taking everything before."""
        try:
            for _ in range(MESSAGES_MAX):
                self.take()
        except Ended as end:
            return end.code
        except ConnectionError:
            return None
        raise AssertionError("no end")

    def data(self, method="session.message"):
        """The `data` of all notifications of that name so far."""
        return [m["params"]["data"] for m in self.log if isinstance(m, dict) and m.get("method") == method]


def connections_ended(hub, code):
    """How many connections of that session the log has seen end."""
    lines = (LogLine(line) for line in hub.log.splitlines() if "connection closed" in line)
    return sum(line.fields.get("session") == code for line in lines)


def detach(peer, hub, cut=lambda peer: peer.raw.reset()):
    """Cuts the connection, with RST unless `cut` does it otherwise, and waits until the server has noticed."""
    before = connections_ended(hub, peer.code)
    cut(peer)
    for _ in range(3000):
        if connections_ended(hub, peer.code) > before:
            return
        time.sleep(0.01)
    raise AssertionError(f"{peer.code} is still attached")
