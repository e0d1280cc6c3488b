#!/usr/bin/python3
"""A client whose session survives its connections: the list "A client that resumes" of docs/protocol.md as code.
    resume_client.py ws://127.0.0.1:8080/ws [--topic T] [--calls N] [--cut-every S]
Makes N numbered calls and prints what arrives. With a topic it subscribes and the calls publish, else they are `echo`.
Exits with 0 when each call was answered once, in order. Needs the package `websockets`, 10 or later, which answers
pings and notices a silent connection by pings of its own.
"""
import argparse, asyncio, itertools, json, random, sys, time
import websockets
class Session:
    """Invariant: `kept` are our messages number dropped+1 to dropped+len(kept); number written+1 is the next to write.
    `catch_up` is called when the session is a new one, and when messages of the server's are lost."""
    def __init__(self, url, on_message, catch_up):
        self.url, self.on_message, self.catch_up = url, on_message, catch_up
        self.ws, self.pause = None, 0
        self.reset()
    def reset(self):
        self.who, self.kept, self.dropped, self.written = {}, [], 0, 0
        self.received = self.acked = self.acked_at = 0  # the server's messages: how many we have, and have told so

    def call(self, id, method, params):
        self.kept.append(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))

    async def run(self):
        """Connects again and again. Returns the code of a Close frame after which there is no coming back."""
        attempt = 0
        while True:
            try:
                async with websockets.connect(self.url, subprotocols=["hubbub.v1"]) as ws:
                    await self.open(ws)
                    self.ws, attempt = ws, 0
                    while True:
                        await self.write(ws)
                        await self.read(ws)
            except websockets.ConnectionClosed as end:
                if end.rcvd and (end.rcvd.code in (1000, 1002, 1003, 1007, 1009) or end.rcvd.code >= 4500):
                    return end.rcvd.code  # closed on purpose, or the same would be sent again
            except (OSError, EOFError, asyncio.TimeoutError, websockets.WebSocketException) as error:
                print("not connected:", error, flush=True)  # the next attempt may do better
            self.ws, attempt = None, min(attempt + 1, 7)
            await asyncio.sleep(self.pause + random.random() * 0.1 * 2 ** attempt)
            self.pause = 0

    async def open(self, ws):
        """The opening exchange, which nobody counts: its answer is the first message of the connection."""
        method = "session.resume" if self.who else "session.open"
        params = {**self.who, "received": self.received} if self.who else {"client": {"name": "resume_client"}}
        await ws.send(json.dumps({"jsonrpc": "2.0", "id": "opening", "method": method, "params": params}))
        answer = json.loads(await ws.recv())
        if "error" in answer:
            if answer["error"]["code"] in (-32021, -32602):  # the session is gone, or the counts disagree
                self.reset()  # what was called and not answered: nobody can know whether it was done
            self.pause = answer["error"]["data"].get("retry_after_ms", 0) / 1000
            raise EOFError(answer["error"]["message"])
        opened = answer["result"]
        print("resumed" if opened["resumed"] else "opened", opened["session"]["code"], flush=True)
        self.who = {name: opened["session"][name] for name in ("code", "token", "epoch")}
        self.skip(opened.get("missing"))
        self.drop(opened["received"])
        self.written = self.dropped  # write again what is left,
        self.acked, self.acked_at = -1, 0  # and an ack now: it confirms the token
        if not opened["resumed"]:
            self.catch_up()

    async def read(self, ws):
        try:
            message = json.loads(await asyncio.wait_for(ws.recv(), 0.02))
        except asyncio.TimeoutError:
            return  # nothing yet
        method, params = message.get("method"), message.get("params")
        if method == "session.ack":
            self.drop(params["received"])
        elif method == "session.gap":
            self.skip(params["missing"])
        elif method == "session.closing":
            self.pause = params.get("retry_after_ms", 0) / 1000
        elif method != "session.draining":
            self.received += 1
            self.on_message(message)

    async def write(self, ws):
        """Writes what was called, and an ack when 64 messages have arrived, or half a second after the last ack."""
        while self.written < self.dropped + len(self.kept):
            self.written += 1
            await ws.send(self.kept[self.written - self.dropped - 1])
        unacked, now = self.received - self.acked, time.monotonic()
        if unacked >= 64 or unacked and now > self.acked_at + 0.5:
            self.acked, self.acked_at = self.received, now
            ack = {"jsonrpc": "2.0", "method": "session.ack", "params": {"received": self.received}}
            await ws.send(json.dumps(ack))

    def drop(self, received):
        del self.kept[:received - self.dropped]
        self.dropped = received

    def skip(self, missing):
        if missing:
            self.received = missing["to"]
            print("lost:", missing, flush=True)  # `replies`: calls that stay unanswered have an unknown outcome
            self.catch_up()

async def main(args):
    wanted, answered = [*range(1, args.calls + 1)], []
    place, times = {}, itertools.count()  # place: how far we have the topic

    def subscribe():
        if args.topic:
            since = {"since": {"epoch": place["epoch"], "offset": place["offset"] or 0}} if place else {}
            session.call(f"subscribe {next(times)}", "topic.subscribe", {"topic": args.topic, **since})

    def on_message(message):
        params, result = message.get("params"), message.get("result")
        if str(message.get("id")).startswith("subscribe"):
            if not result.get("recovered"):  # the first time, or part of it is gone
                place.update(epoch=result["epoch"], offset=None if place else result["offset"])
        elif message.get("method") == "topic.message":
            if place["offset"] in (None, params["offset"] - 1):  # others are known already, or stand behind a hole
                place["offset"] = params["offset"]
                print(params["topic"], params["offset"], json.dumps(params["data"]), flush=True)
        elif message.get("id") in wanted:
            print("answer", message["id"], json.dumps(result or message["error"]), flush=True)
            answered.append(message["id"] if result else None)

    async def work():
        while not session.who:
            await asyncio.sleep(0.01)
        for n in wanted:
            session.call(n, *(("topic.publish", {"topic": args.topic, "data": n}) if args.topic else ("echo", [n])))
            await asyncio.sleep(0.02)  # keeps to limits.rate_per_s
        for _ in range(200):  # 10 s
            await asyncio.sleep(0.05 if args.calls not in answered else 0)
        session.call("close", "session.close", {})  # what was published before comes before its answer
        await asyncio.sleep(2)  # run() ends before, unless the answer was lost

    async def cut():
        while args.cut_every:
            await asyncio.sleep(args.cut_every)
            session.ws and session.ws.transport.abort()

    session = Session(args.url, on_message, subscribe)
    tasks = [asyncio.ensure_future(part) for part in (session.run(), work(), cut())]
    await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
    return answered == wanted

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("url"), parser.add_argument("--topic")
parser.add_argument("--calls", type=int, default=100)
parser.add_argument("--cut-every", type=float, default=0, help="seconds")
sys.exit(0 if asyncio.run(main(parser.parse_args())) else 1)
