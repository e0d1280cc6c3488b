"""What happens between clients: messages to a session, topics, broadcasts; and what many clients, clients that vanish
and clients that do not read do to the others (nothing)."""

import asyncio
import json

import pytest
import rawws
from client import Client, Closed, TextClient, eventually, open_many
from stats import closes, limit_hits, sessions

HUB_SETTINGS = {"limits.rate_per_s": "0", "session.grace": "300ms"}


async def close_all(clients):
    await asyncio.gather(*(client.close() for client in clients))


# Session to session


async def test_a_message_reaches_the_session_with_that_code_and_names_its_sender(hub):
    async with await Client.open(hub) as one, await Client.open(hub) as two, await Client.open(hub) as other:
        data = {"text": "Grüße 🐼", "n": [1, 2.5, None]}
        assert await one.call("session.send", {"to": two.code, "data": data}) == {"status": "delivered"}
        assert await two.next("session.message") == {"from": one.code, "data": data}
        assert await other.call("echo") is None
        assert other.inbox["session.message"].empty() and one.inbox["session.message"].empty()


async def test_codes_are_taken_in_any_case(hub):
    async with await Client.open(hub) as one, await Client.open(hub) as two:
        await one.call("session.send", {"to": two.code.upper(), "data": 1})
        assert await two.next("session.message") == {"from": one.code, "data": 1}


async def test_a_session_may_send_to_itself(hub):
    async with await Client.open(hub) as one:
        await one.call("session.send", {"to": one.code, "data": "note"})
        assert (await one.next("session.message"))["data"] == "note"


async def test_data_passes_through_byte_for_byte(hub):
    async with await Client.open(hub) as one, await TextClient.open(hub) as two:
        code = two.opened["params"]["session"]["code"]
        raw = r'{"a":1.0,"b":123456789012345678901234567890,"c":"\u00e9","a":[ 1, 2 ]}'
        message = '{"jsonrpc":"2.0","method":"session.send","params":{"to":"%s","data":%s}}' % (code, raw)
        await one.ws.send(message)
        assert (await two.receive()).endswith('"data":%s}}' % raw)


async def test_messages_between_two_sessions_keep_their_order(hub):
    async with await Client.open(hub) as one, await Client.open(hub) as two:
        for n in range(200):
            await one.notify("session.send", {"to": two.code, "data": n})
        assert [(await two.next("session.message"))["data"] for _ in range(200)] == list(range(200))


TARGETS = {"unknown": "no-such-99", "beyond": "happy-panda-1000", "empty": "", "long": "x" * 5000, "line": "a-b-1\n"}


@pytest.mark.parametrize("to", TARGETS.values(), ids=TARGETS.keys())
async def test_an_unknown_target_is_an_error_that_harms_nothing(hub, to):
    async with await Client.open(hub) as client:
        error = await client.fails("session.send", {"to": to, "data": 1})
        assert error.code == -32026
        assert await client.call("echo", [1]) == [1]


async def test_a_target_that_left_is_unknown(start_hub):
    server = start_hub({"session.grace": "0"})
    async with await Client.open(server) as one:
        two = await Client.open(server)
        two.abort()

        async def alone():
            return sessions(await one.call("hub.stats")) == (1, 0)

        await eventually(alone)
        assert (await one.fails("session.send", {"to": two.code, "data": 1})).code == -32026


# Topics


async def test_subscribers_get_publications_with_rising_offsets_of_one_epoch(hub):
    async with await Client.open(hub) as one, await Client.open(hub) as two, await Client.open(hub) as publisher:
        start = await one.call("topic.subscribe", {"topic": "news/today"})
        assert await two.call("topic.subscribe", {"topic": "news/today"}) == start
        positions = [await publisher.call("topic.publish", {"topic": "news/today", "data": n}) for n in range(20)]
        assert {position["epoch"] for position in positions} == {start["epoch"]}
        assert [position["offset"] for position in positions] == [start["offset"] + 1 + n for n in range(20)]
        for subscriber in (one, two):
            for n in range(20):
                message = await subscriber.next("topic.message")
                assert message == {"topic": "news/today", "offset": start["offset"] + 1 + n, "data": n}
        assert publisher.inbox["topic.message"].empty()


async def test_a_publisher_that_subscribes_gets_its_own_publications(hub):
    async with await Client.open(hub) as client:
        await client.call("topic.subscribe", {"topic": "own"})
        position = await client.call("topic.publish", {"topic": "own", "data": "x"})
        assert (await client.next("topic.message"))["offset"] == position["offset"]


async def test_subscribing_twice_delivers_once(hub):
    async with await Client.open(hub) as client:
        first = await client.call("topic.subscribe", {"topic": "twice"})
        assert await client.call("topic.subscribe", {"topic": "twice"}) == first
        await client.call("topic.publish", {"topic": "twice", "data": 1})
        await client.call("topic.publish", {"topic": "twice", "data": 2})
        assert [(await client.next("topic.message"))["data"] for _ in range(2)] == [1, 2]


async def test_after_unsubscribing_nothing_more_arrives(hub):
    async with await Client.open(hub) as client:
        await client.call("topic.subscribe", {"topic": "left"})
        await client.call("topic.unsubscribe", {"topic": "left"})
        await client.call("topic.publish", {"topic": "left", "data": 1})
        assert await client.call("echo", [1]) == [1]
        assert client.inbox["topic.message"].empty()
        assert "left" not in (await client.call("session.info"))["topics"]


async def test_topics_are_apart_and_names_are_case_sensitive(hub):
    async with await Client.open(hub) as client:
        await client.call("topic.subscribe", {"topic": "Room"})
        for topic in ("room", "Room", "Room/1"):
            await client.call("topic.publish", {"topic": topic, "data": topic})
        assert (await client.next("topic.message"))["data"] == "Room"
        assert await client.call("echo") is None
        assert client.inbox["topic.message"].empty()


BAD_NAMES = {
    "empty": "",
    "space": "with space",
    "reserved": "$reserved",
    "not ASCII": "ünïcode",
    "tab": "tab\t",
    "nul": "nul\0",
    "256 bytes": "x" * 256,
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
@pytest.mark.parametrize("method", ["topic.subscribe", "topic.publish"])
async def test_a_bad_topic_name_is_an_error(hub, name, method):
    async with await Client.open(hub) as client:
        params = {"topic": name, "data": 1} if method == "topic.publish" else {"topic": name}
        assert (await client.fails(method, params)).code == -32030


async def test_a_topic_name_of_255_bytes_is_fine(hub):
    async with await Client.open(hub) as client:
        await client.call("topic.subscribe", {"topic": "~" * 255})


async def test_subscriptions_of_a_session_are_bounded(start_hub):
    server = start_hub({"limits.topics_per_session": "3"})
    async with await Client.open(server) as client:
        assert client.opened["limits"]["topics"] == 3
        for n in range(3):
            await client.call("topic.subscribe", {"topic": f"topic-{n}"})
        error = await client.fails("topic.subscribe", {"topic": "one-more"})
        assert error.code == -32006 and error.data["limit"] == "limits.topics_per_session"
        await client.call("topic.subscribe", {"topic": "topic-1"})  # is subscribed already
        await client.call("topic.unsubscribe", {"topic": "topic-0"})
        await client.call("topic.subscribe", {"topic": "one-more"})


# Everyone


async def test_a_broadcast_reaches_everyone_and_counts_them(start_hub):
    server = start_hub()
    clients = await open_many(server, 20)
    assert await clients[0].call("hub.broadcast", {"data": "all"}) == {"sessions": 20}
    for client in clients:
        assert await client.next("hub.message") == {"data": "all"}
    await close_all(clients)


async def test_stats_count_sessions_topics_and_subscriptions(start_hub):
    server = start_hub({"session.grace": "1h"})
    clients = await open_many(server, 3)
    await clients[1].call("topic.subscribe", {"topic": "counted"})
    await clients[2].call("topic.subscribe", {"topic": "counted"})
    stats = await clients[0].call("hub.stats")
    assert sessions(stats) == (3, 0)
    assert (stats["topics"], stats["subscriptions"]) == (1, 2)
    await clients[1].close()

    async def one_detached():
        return sessions(await clients[0].call("hub.stats")) == (2, 1)

    await eventually(one_detached)
    await close_all(clients)


# Many clients, and bad ones


@pytest.mark.slow
async def test_1000_connections_call_and_broadcast_at_the_same_time(start_hub):
    server = start_hub({"limits.rate_per_s": "0"})
    clients = await open_many(server, 1000)
    assert len({client.code for client in clients}) == 1000

    async def calls(number, client):
        for n in range(5):
            assert await client.call("echo", {"n": n, "by": number}) == {"n": n, "by": number}

    async def broadcasts(number):
        assert await clients[number].call("hub.broadcast", {"data": number}) == {"sessions": 1000}

    work = [calls(number, client) for number, client in enumerate(clients)]
    await asyncio.gather(*work, *(broadcasts(number) for number in range(10)))
    for client in clients:
        got = [(await client.next("hub.message"))["data"] for _ in range(10)]
        assert sorted(got) == list(range(10))
    assert sessions(await clients[0].call("hub.stats")) == (1000, 0)
    await close_all(clients)


@pytest.mark.slow
async def test_clients_that_vanish_during_broadcasts_harm_nobody(start_hub):
    server = start_hub({"limits.rate_per_s": "0", "session.grace": "200ms"})
    healthy = await open_many(server, 10)
    victims = [rawws.connect(server.address) for _ in range(150)]
    for n in range(50):
        sending = asyncio.ensure_future(healthy[0].call("hub.broadcast", {"data": n}))
        for victim in victims[n * 3 : n * 3 + 3]:
            victim.reset() if n % 2 else victim.sock.close()
            await asyncio.sleep(0)  # lets the broadcast go out between the cuts
        assert (await sending)["sessions"] >= 10
    for client in healthy:
        assert [(await client.next("hub.message"))["data"] for _ in range(50)] == list(range(50))

    async def only_healthy_left():
        return sessions(await healthy[0].call("hub.stats")) == (10, 0)

    await eventually(only_healthy_left)
    await close_all(healthy)


async def publish_until(publisher, readers, done, size, most):
    """Publishes, at the pace of the healthy readers, until `done()`; the number of publications."""
    for n in range(most):
        await publisher.call("topic.publish", {"topic": "flood", "data": [n, "x" * size]})
        for reader in readers:
            assert (await reader.next("topic.message"))["data"][0] == n
        if n % 16 == 15 and done():
            return n + 1
    raise AssertionError(f"{most} publications of {size} bytes did not get the reader closed")


@pytest.mark.slow
async def test_a_reader_that_stops_is_closed_with_4008_while_the_others_get_everything_in_order(start_hub):
    server = start_hub({"limits.rate_per_s": "0"})
    publisher, *readers = await open_many(server, 4)
    for reader in readers:
        await reader.call("topic.subscribe", {"topic": "flood"})
    with rawws.connect(server.address, receive_buffer=4096) as stopped:
        stopped.receive()
        stopped.text('{"jsonrpc":"2.0","id":1,"method":"topic.subscribe","params":{"topic":"flood"}}')
        stopped.receive()  # and from here on nothing is read
        before = server.rss_bytes()
        await publish_until(publisher, readers, lambda: closes(server, 4008) >= 1, 32 * 1024, most=2000)
        assert limit_hits(server, "hard_bytes") >= 1
        assert server.rss_bytes() - before < 64 * 1024 * 1024
        assert await publisher.call("echo", [1]) == [1]
        stopped.until_closed()
    assert sessions(await publisher.call("hub.stats"))[0] == 4
    await close_all([publisher, *readers])


@pytest.mark.slow
async def test_a_reader_that_is_over_the_soft_bound_too_long_is_closed_with_4008(start_hub):
    settings = {"outbox.soft_bytes": "64KiB", "outbox.soft_time": "300ms", "outbox.hard_bytes": "64MiB"}
    server = start_hub(settings | {"limits.rate_per_s": "0"})
    async with await Client.open(server) as publisher:
        with rawws.connect(server.address, receive_buffer=4096) as stopped:
            stopped.receive()
            stopped.text('{"jsonrpc":"2.0","id":1,"method":"topic.subscribe","params":{"topic":"flood"}}')
            stopped.receive()
            await publish_until(publisher, [], lambda: closes(server, 4008) >= 1, 32 * 1024, most=1500)
            assert limit_hits(server, "soft_bytes") >= 1
            stopped.until_closed()


@pytest.mark.slow
async def test_a_client_that_calls_and_never_reads_is_bounded(start_hub):
    """Replies to a client's own calls are never dropped: the hub stops reading from it instead."""
    server = start_hub({"limits.rate_per_s": "0", "outbox.write_stall": "1s"})
    with rawws.connect(server.address, receive_buffer=4096) as greedy:
        call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "echo", "params": ["x" * 30000]}).encode()
        before = server.rss_bytes()
        burst = rawws.frame(rawws.TEXT, call) * 20
        greedy.sock.settimeout(0.5)
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                greedy.sock.sendall(burst)
                sent += len(burst)
        except OSError:
            pass  # the socket is full, or was closed by the write stall: either way the flood was stopped
        assert sent < 64 * 1024 * 1024, "the hub went on reading"
        assert server.rss_bytes() - before < 48 * 1024 * 1024
        async with await Client.open(server) as other:
            assert await other.call("echo", [1]) == [1]
        await eventually(lambda: closes(server, 4008) >= 1)


async def test_a_client_may_close_while_its_calls_are_being_answered(hub):
    for _ in range(20):
        client = await TextClient.open(hub)
        for n in range(50):
            await client.send({"jsonrpc": "2.0", "id": n, "method": "echo", "params": ["x" * 2000]})
        client.ws.transport.abort()
        with pytest.raises(Closed):
            while True:
                await client.receive()
    async with await Client.open(hub) as other:
        assert await other.call("echo", [1]) == [1]
