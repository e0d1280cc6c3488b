"""examples/resume_client.py, written from docs/protocol.md alone, against the real server: through a proxy that resets
its connections at random places, each of its calls is answered once and its topic is complete."""

import asyncio
import json
import random
import socket
import struct
import sys
from pathlib import Path

import pytest
from client import Client

SCRIPT = Path(__file__).resolve().parents[2] / "examples/resume_client.py"
HUB_SETTINGS = {"limits.rate_per_s": "0", "limits.ip_connects_per_s": "0"}
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Proxy:
    """Passes bytes on. The first `cuts` connections end, both sides reset, after a random number of bytes."""

    def __init__(self, hub, seed, cuts, bytes_max):
        self.hub, self.random, self.left, self.bytes_max = hub, random.Random(seed), cuts, bytes_max
        self.tasks = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/ws"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def serve(self, client_reader, client_writer):
        self.tasks.add(asyncio.current_task())
        hub_reader, hub_writer = await asyncio.open_connection(*self.hub.address)
        budgets = [None, None]
        if self.left > 0:
            self.left -= 1
            budgets[self.random.randrange(2)] = self.random.randrange(self.bytes_max)
        pipes = [
            asyncio.create_task(pipe(client_reader, hub_writer, budgets[0])),
            asyncio.create_task(pipe(hub_reader, client_writer, budgets[1])),
        ]
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for task in pipes:
            task.cancel()
        for writer in (client_writer, hub_writer):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


async def pipe(reader, writer, budget):
    """Ends with the connection, or when `budget` bytes have been passed on."""
    while budget is None or budget > 0:
        data = await reader.read(65536 if budget is None else budget)
        if not data:
            return
        writer.write(data)
        await writer.drain()
        budget = None if budget is None else budget - len(data)


async def run_script(url, *args):
    """Its exit status and its lines."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, *args, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 90)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, output.decode().splitlines()


async def publish(publisher, topic):
    for n in range(10_000):
        await publisher.call("topic.publish", {"topic": topic, "data": {"n": n}})
        await asyncio.sleep(0.01)


def answered(lines):
    return [int(line.split(" ")[1]) for line in lines if line.startswith("answer ")]


async def test_without_cuts_every_call_is_answered_and_the_session_is_closed(hub):
    status, lines = await run_script(hub.url, "--calls", "10")
    assert status == 0, lines
    assert answered(lines) == list(range(1, 11))


async def test_a_client_that_cuts_itself_resumes(hub):
    status, lines = await run_script(hub.url, "--calls", "100", "--topic", "own-cuts", "--cut-every", "0.3")
    assert status == 0, lines
    assert any(line.startswith("resumed ") for line in lines)


@pytest.mark.parametrize("seed", [1, 2])
async def test_cuts_at_any_byte_lose_no_call_and_no_message(hub, seed):
    topic, calls = f"cuts-{seed}", 150
    async with Proxy(hub, seed, cuts=15, bytes_max=4000) as proxy, await Client.open(hub) as publisher:
        publishing = asyncio.create_task(publish(publisher, topic))
        status, lines = await run_script(proxy.url, "--calls", str(calls), "--topic", topic)
        publishing.cancel()
    assert status == 0, lines
    assert answered(lines) == list(range(1, calls + 1))
    messages = [line.split(" ", 2)[1:] for line in lines if line.startswith(topic)]
    offsets = [int(offset) for offset, _ in messages]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert [data for _, text in messages if isinstance(data := json.loads(text), int)] == list(range(1, calls + 1))
    others = [data["n"] for _, text in messages if isinstance(data := json.loads(text), dict)]
    assert others and others == list(range(others[0], others[0] + len(others)))
    assert not any(line.startswith("lost") for line in lines), "replay.* had room for all of it"
    assert sum(line.startswith("resumed ") for line in lines) >= 3


@pytest.mark.parametrize("context_takeover", ["false", "true"])
async def test_cuts_between_compressed_messages_lose_nothing(start_hub, context_takeover):
    server = start_hub(
        HUB_SETTINGS | {"compression.min_bytes": "1", "compression.context_takeover": context_takeover}
    )
    async with Proxy(server, 5, cuts=10, bytes_max=3000) as proxy:
        status, lines = await run_script(proxy.url, "--calls", "100", "--topic", "deflated")
    assert status == 0, lines
    assert answered(lines) == list(range(1, 101))
    assert [line for line in lines if line.startswith("deflated ")] == [f"deflated {n} {n}" for n in range(1, 101)]
    assert any(line.startswith("resumed ") for line in lines)


async def test_a_lost_session_is_replaced_and_the_topic_goes_on_from_where_it_was(start_hub):
    server = start_hub({"session.grace": "1ms", "limits.rate_per_s": "0"})
    async with Proxy(server, 6, cuts=3, bytes_max=6000) as proxy, await Client.open(server) as publisher:
        publishing = asyncio.create_task(publish(publisher, "lost"))
        _, lines = await run_script(proxy.url, "--calls", "150", "--topic", "lost")
        publishing.cancel()
    offsets = [int(line.split(" ")[1]) for line in lines if line.startswith("lost ")]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert sum(line.startswith("opened ") for line in lines) >= 2


async def test_a_topic_is_complete_even_if_nothing_is_kept_for_the_session(start_hub):
    server = start_hub({"replay.messages": "1", "limits.rate_per_s": "0"})
    async with Proxy(server, 4, cuts=8, bytes_max=4000) as proxy, await Client.open(server) as publisher:
        publishing = asyncio.create_task(publish(publisher, "holes"))
        _, lines = await run_script(proxy.url, "--calls", "150", "--topic", "holes")
        publishing.cancel()
    offsets = [int(line.split(" ")[1]) for line in lines if line.startswith("holes ")]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert any(line.startswith("resumed ") for line in lines)
