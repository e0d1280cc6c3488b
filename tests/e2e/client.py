"""A JSON-RPC client over python3-websockets, for tests: calls return results or raise RpcError, notifications queue
up by method name. Works with the old interface of websockets 10 and the new one of 14 and later."""

import asyncio
import itertools
import json
from collections import defaultdict

import websockets
import websockets.version

DEADLINE_S = 30.0
NEW_INTERFACE = int(websockets.version.version.split(".")[0]) >= 14
# Notifications that concern the connection and may come at any time; a test that looks at raw texts skips them.
HOUSEKEEPING = {"session.ack"}


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data", {})


class Closed(Exception):
    """The connection ended; `code` is 1006 if no Close frame came."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code}: {reason}")
        self.code, self.reason = code, reason


def dial(hub, *, subprotocol=None, compression=None, origin=None, path="/ws"):
    """websockets.connect with the arguments that both interfaces share. No library pings: the server's are tested."""
    kwargs = {"proxy": None} if NEW_INTERFACE else {}
    if subprotocol:
        kwargs["subprotocols"] = [subprotocol]
    return websockets.connect(
        f"ws://{hub.host}{path}",
        compression=compression,
        origin=origin,
        max_size=None,
        open_timeout=DEADLINE_S,
        close_timeout=DEADLINE_S,
        ping_interval=None,
        **kwargs,
    )


def closed_from(error):
    return Closed(error.rcvd.code, error.rcvd.reason) if error.rcvd else Closed(1006, "")


class TextClient:
    """Whole texts in and out, for tests about the exact bytes. `opened` is the first message, parsed."""

    def __init__(self, ws, opened):
        self.ws, self.opened = ws, opened

    @classmethod
    async def open(cls, hub, **kwargs):
        client = cls(await dial(hub, **kwargs), None)
        if "subprotocol" not in kwargs:
            client.opened = json.loads(await client.receive())
        return client

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def send(self, text):
        try:
            await self.ws.send(text if isinstance(text, (str, bytes)) else json.dumps(text))
        except websockets.ConnectionClosed as error:
            raise closed_from(error) from None

    async def receive(self):
        """The next text that is not housekeeping; raises Closed at the end."""
        while True:
            try:
                text = await asyncio.wait_for(self.ws.recv(), DEADLINE_S)
            except websockets.ConnectionClosed as error:
                raise closed_from(error) from None
            value = json.loads(text)
            if not (isinstance(value, dict) and value.get("method") in HOUSEKEEPING):
                return text

    async def exchange(self, text):
        await self.send(text)
        return await self.receive()

    async def closed(self):
        """Reads on to the end; how the connection ended, and the texts before it."""
        texts = []
        try:
            while True:
                texts.append(await self.receive())
        except Closed as end:
            return end, texts


class Client:
    """Calls and notifications. One reader task sorts what arrives; it ends with the connection."""

    def __init__(self, ws):
        self.ws = ws
        self.ids = itertools.count(1)
        self.pending = {}
        self.inbox = defaultdict(asyncio.Queue)
        self.opened = None  # params of session.opened, or the result of session.open
        self.end = asyncio.get_running_loop().create_future()
        self.reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, hub, *, subprotocol=None, params=None, **kwargs):
        client = cls(await dial(hub, subprotocol=subprotocol, **kwargs))
        if subprotocol:
            client.opened = await client.call("session.open", params or {})
        else:
            client.opened = await client.next("session.opened")
        return client

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    @property
    def code(self):
        return self.opened["session"]["code"]

    @property
    def token(self):
        return self.opened["session"]["token"]

    async def close(self):
        await self.ws.close()
        await self.reader

    async def _read(self):
        try:
            while True:
                self._take(json.loads(await self.ws.recv()))
        except websockets.ConnectionClosed as error:
            end = closed_from(error)
        except OSError as error:
            end = Closed(1006, str(error))
        self.end.set_result(end)
        for waiting in self.pending.values():
            if not waiting.done():
                waiting.set_exception(end)
        self.pending.clear()

    def _take(self, message):
        for item in message if isinstance(message, list) else [message]:
            if "method" in item:
                self.inbox[item["method"]].put_nowait(item.get("params"))
            elif (waiting := self.pending.pop(item["id"], None)) and not waiting.done():
                waiting.set_result(item)

    async def notify(self, method, params=None):
        await self._send(self._message(method, params))

    async def request(self, method, params=None):
        """The whole reply object."""
        number = next(self.ids)
        waiting = self.pending[number] = asyncio.get_running_loop().create_future()
        await self._send(self._message(method, params) | {"id": number})
        return await asyncio.wait_for(waiting, DEADLINE_S)

    async def call(self, method, params=None):
        reply = await self.request(method, params)
        if "error" in reply:
            raise RpcError(reply["error"])
        return reply["result"]

    async def fails(self, method, params=None):
        """The error of a call that must not succeed."""
        reply = await self.request(method, params)
        assert "error" in reply, reply
        return RpcError(reply["error"])

    async def next(self, method):
        """Params of the next notification of that name; raises Closed if the connection ends first."""
        queue = self.inbox[method]
        if not queue.empty():
            return queue.get_nowait()
        getter = asyncio.ensure_future(queue.get())
        done, _ = await asyncio.wait({getter, self.end}, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        if getter in done:
            return getter.result()
        getter.cancel()
        if not queue.empty():
            return queue.get_nowait()
        raise self.end.result() if done else TimeoutError(f"no {method} in time")

    async def closed(self):
        """How the connection ended, waiting for it."""
        return await asyncio.wait_for(asyncio.shield(self.end), DEADLINE_S)

    def abort(self):
        """Drops the TCP connection at once, with no Close frame."""
        self.ws.transport.abort()

    async def _send(self, message):
        try:
            await self.ws.send(json.dumps(message, separators=(",", ":")))
        except websockets.ConnectionClosed as error:
            raise closed_from(error) from None

    @staticmethod
    def _message(method, params):
        message = {"jsonrpc": "2.0", "method": method}
        return message if params is None else message | {"params": params}


async def open_many(hub, count, batch=50, **kwargs):
    """`count` clients, opened some at a time so that the listen queue is not what is tested."""
    clients = []
    while len(clients) < count:
        more = min(batch, count - len(clients))
        clients += await asyncio.gather(*(Client.open(hub, **kwargs) for _ in range(more)))
    return clients


async def eventually(check, timeout=DEADLINE_S, every=0.02):
    """Waits until `check()` (plain or coroutine function) gives something true, and returns it. For state that has no
    event to wait for, such as a counter of the server."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while True:
        value = check()
        if asyncio.iscoroutine(value):
            value = await value
        if value or loop.time() > end:
            assert value, f"not so within {timeout} s: {check}"
            return value
        await asyncio.sleep(every)
