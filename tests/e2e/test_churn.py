"""Churn: tens of thousands of clients come and go, every way a client can go, and the server holds no more afterwards
than before. HUBBUB_CHURN sets how many connect (default 50,000; fewer under a sanitizer)."""

import os
import time

import pytest
import rawws
from client import Client, eventually
from hub import sanitizer
from stats import sessions

HUB_SETTINGS = {"session.grace": "200ms", "limits.rate_per_s": "0", "limits.topic_idle": "200ms"}
WAYS = ["close handshake", "reset", "fin", "reset at once", "half a head", "subscribed reset", "bad frame"]
SUBSCRIBE = '{"jsonrpc":"2.0","id":1,"method":"topic.subscribe","params":{"topic":"churn"}}'
GROWTH_MAX_BYTES = 16 * 1024 * 1024


def churn_count():
    return int(os.environ.get("HUBBUB_CHURN") or (4_000 if sanitizer() else 50_000))


def come(hub, number):
    """Connects from one of several loopback addresses, for one would run out of ports."""
    client = rawws.RawClient(hub.address, source=f"127.0.0.{2 + number % 20}")
    way = WAYS[number % len(WAYS)]
    if way == "half a head":
        client.send_bytes(rawws.upgrade_request(client.host)[:40])
    else:
        client.send_bytes(rawws.upgrade_request(client.host))
    return client, way


def go(client, way):
    if way in ("reset at once", "half a head"):
        return client.reset()
    status, _ = client.read_head()
    assert status == 101
    assert b"session.opened" in client.receive().payload
    if way == "close handshake":
        client.close()
        while client.receive().opcode != rawws.CLOSE:
            pass
        client.sock.close()
    elif way == "fin":
        client.sock.close()
    elif way == "bad frame":
        client.send_bytes(b"\xff\xff")
        client.reset()
    else:
        if way == "subscribed reset":
            client.text(SUBSCRIBE)
            client.receive()
        client.reset()
    return None


def churn(hub, count, at_once=50):
    """`count` connections, `at_once` of them open together."""
    for start in range(0, count, at_once):
        for client, way in [come(hub, number) for number in range(start, min(start + at_once, count))]:
            go(client, way)


async def settled(hub, fds):
    """Waits until every session and descriptor of the churn is gone; resident bytes then."""
    async with await Client.open(hub) as watcher:

        async def alone():
            return sessions(await watcher.call("hub.stats")) == (1, 0)

        await eventually(alone)
    await eventually(lambda: hub.fds() <= fds)
    return hub.rss_bytes()


@pytest.mark.slow
async def test_churn_leaves_descriptors_and_memory_where_they_were(hub):
    fds = hub.fds()
    # Fills pools and caches, and a sanitizer's quarantine: from here on nothing may grow.
    churn(hub, 8_000 if sanitizer() else max(churn_count() // 10, 500))
    before = await settled(hub, fds)
    began = time.monotonic()
    churn(hub, churn_count())
    seconds = time.monotonic() - began
    after = await settled(hub, fds)
    print(f"{churn_count()} connects in {seconds:.1f} s; RSS {before / 2**20:.1f} -> {after / 2**20:.1f} MiB")
    assert after - before < GROWTH_MAX_BYTES, f"grew by {(after - before) / 2**20:.1f} MiB"
