"""memory.budget against floods of several times its size: the process stays, within bounds, and so do those who did
nothing. Without a sanitizer the process really may not have more: RLIMIT_AS."""

import asyncio
import json
import resource

import pytest
import rawws
from client import Client
from hub import sanitizer
from stats import metrics
from websockets.exceptions import InvalidStatusCode

MIB = 1024 * 1024
BUDGET = 24 * MIB
# What is not counted: program, libraries, threads, pools, and what malloc loses between blocks.
OVERHEAD = 40 * MIB
# Stacks (8 MiB each) and malloc's reserved arenas (64 MiB for each thread) count for RLIMIT_AS, used or not.
ADDRESS_SPACE = BUDGET + OVERHEAD + 3 * (8 + 2 * 64) * MIB
SETTINGS = {
    "memory.budget": "24MiB",
    "server.shards": "2",
    "limits.rate_per_s": "0",
    "outbox.soft_bytes": "64MiB",
    "outbox.hard_bytes": "64MiB",
    "replay.bytes": "8MiB",
}
BLOB = "x" * 60_000


def within_address_space():
    if not sanitizer():  # a sanitizer maps terabytes
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


@pytest.fixture
def small_hub(start_hub):
    hub = start_hub(SETTINGS, preexec=within_address_space)
    hub.rss_before = hub.rss_bytes()
    return hub


def shed(hub, what):
    return metrics(hub).value("hubbub_memory_shed_total", what=what)


def check_bounded(hub):
    assert metrics(hub).value("hubbub_memory_held_bytes") <= BUDGET
    if not sanitizer():
        assert hub.rss_bytes() <= hub.rss_before + BUDGET + OVERHEAD


async def echoes(client, stop):
    """A healthy client: every answer is right, and comes within client.DEADLINE_S."""
    count = 0
    while not stop.is_set():
        assert await client.call("echo", {"n": count}) == {"n": count}
        count += 1
        await asyncio.sleep(0.005)
    return count


async def when_admitted(hub):
    """A client that comes again while it is refused for want of memory."""
    for _ in range(200):
        try:
            return await Client.open(hub)
        except InvalidStatusCode as refusal:
            assert refusal.status_code == 503
            assert "Retry-After" in refusal.headers
            await asyncio.sleep(0.02)
    raise AssertionError("refused for 4 s after the memory was free")


async def beside(hub, flood):
    """Runs the flood with a healthy client beside it."""
    async with await Client.open(hub) as healthy:
        stop = asyncio.Event()
        running = asyncio.create_task(echoes(healthy, stop))
        try:
            await flood
        finally:
            stop.set()
        assert await running > 0


async def test_a_flood_of_topics_costs_histories_and_nobody_else(small_hub):
    async def flood():
        async with await Client.open(small_hub) as publisher:
            for n in range(1500):  # 90 MB
                published = await publisher.call("topic.publish", {"topic": f"flood{n}", "data": BLOB})
                assert published["offset"] == 1
                if n % 100 == 0:
                    check_bounded(small_hub)

    await beside(small_hub, flood())
    check_bounded(small_hub)
    assert shed(small_hub, "history_message") > 500
    assert shed(small_hub, "connection") == 0


async def test_mailboxes_of_those_who_are_away_go_first(small_hub):
    async def flood():
        async with await Client.open(small_hub) as sender, await Client.open(small_hub) as publisher:
            await publisher.call("topic.publish", {"topic": "kept", "data": "old"})
            for _ in range(12):
                away = await Client.open(small_hub)
                code = away.code
                await away.close()
                for _ in range(100):  # 6 MB each
                    sent = await sender.call("session.send", {"to": code, "data": BLOB})
                    assert sent["status"] in ("queued", "delivered")
            history = await publisher.call("topic.history", {"topic": "kept", "limit": 10})
            assert [message["data"] for message in history["messages"]] == ["old"]

    await beside(small_hub, flood())
    check_bounded(small_hub)
    assert shed(small_hub, "kept_message") > 200
    assert shed(small_hub, "connection") == 0


async def test_readers_that_stopped_are_given_up_before_the_memory_is(small_hub):
    """Each has messages of its own, so that nothing is shared."""
    stalled = []
    try:
        for _ in range(8):
            reader = rawws.connect(small_hub.address, receive_buffer=4096)
            _, opened = reader.receive_message()
            stalled.append((reader, json.loads(opened)["params"]["session"]["code"]))

        async def flood():
            async with await Client.open(small_hub) as sender:
                for _ in range(160):  # 77 MB, of which sockets take some
                    for _, code in stalled:
                        await sender.call("session.send", {"to": code, "data": BLOB})

        await beside(small_hub, flood())
        check_bounded(small_hub)
        assert shed(small_hub, "connection") >= 1
        assert metrics(small_hub).value("hubbub_closes_total", code="1013") >= 1
    finally:
        for reader, _ in stalled:
            reader.reset()


async def test_messages_that_are_never_finished_are_given_up_at_the_budget(start_hub):
    settings = SETTINGS | {"limits.message_bytes": "4MiB", "memory.budget": "16MiB"}
    hub = start_hub(settings, preexec=within_address_space)
    half = []
    try:
        for _ in range(6):
            client = rawws.connect(hub.address)
            client.receive_message()
            client.sock.setblocking(False)
            half.append(client)
        data = rawws.frame(1, b"x" * (4 * MIB - 64), fin=False)

        async def flood():
            sent = [0] * len(half)
            for _ in range(300):
                for i, client in enumerate(half):
                    try:
                        sent[i] += client.sock.send(data[sent[i] : sent[i] + 256 * 1024])
                    except (BlockingIOError, ConnectionError):
                        pass
                await asyncio.sleep(0.005)

        await beside(hub, flood())
        assert metrics(hub).value("hubbub_memory_held_bytes") <= 16 * MIB
        assert 1 <= shed(hub, "unfinished_message") <= 5
    finally:
        for client in half:
            client.reset()
    async with await when_admitted(hub) as healthy:
        assert await healthy.call("echo", [1]) == [1]
