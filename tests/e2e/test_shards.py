"""One server of several shards: its clients need not know on which of them they, their topics or each other are. Which
connection the kernel gives to which shard is chance, so every test opens enough sessions that all shards have some."""

import asyncio
import json
import socket
import subprocess

import pytest
import rawws
from client import Client, eventually, open_many
from http_raw import HttpConnection, upgrade
from hub import Hub, LogLine, binary, environment
from peer import V1, Peer, Refused, detach
from stats import metrics

SHARDS = 4
SESSIONS = 32  # one shard stays without any in less than 1 of 2000 runs, and no test needs that it does not
HUB_SETTINGS = {"server.shards": str(SHARDS), "limits.rate_per_s": "0", "session.grace": "60s", "log.level": "debug"}
OVERLOADED, TARGET_UNKNOWN, SESSION_UNKNOWN, TOPIC_INVALID, MAILBOX_FULL = -32009, -32026, -32021, -32030, -32027


def connections_moved(hub):
    """How many open WebSockets went to the shard that owns their session."""
    return sum(LogLine(line).event == "connection moved" for line in hub.log.splitlines())


async def close_all(clients):
    for client in clients:
        await client.close()


def test_metrics_tell_the_number_of_shards(hub):
    assert metrics(hub).value("hubbub_shards") == SHARDS


async def test_every_subscriber_gets_every_publication_once_and_in_order(hub):
    clients = await open_many(hub, SESSIONS)
    topics = [f"order-{n}" for n in range(8)]
    for client in clients:
        for topic in topics:
            await client.call("topic.subscribe", {"topic": topic})
    for n in range(5):
        for topic, publisher in zip(topics, clients):
            position = await publisher.call("topic.publish", {"topic": topic, "data": n})
            assert position["offset"] == n + 1
    for client in clients:
        seen = {topic: [] for topic in topics}
        for _ in range(5 * len(topics)):
            message = await client.next("topic.message")
            seen[message["topic"]].append((message["offset"], message["data"]))
        assert all(got == [(n + 1, n) for n in range(5)] for got in seen.values()), seen
        assert client.inbox["topic.message"].empty()
    await close_all(clients)


async def test_publications_of_many_to_one_topic_have_one_order(hub):
    clients = await open_many(hub, SESSIONS)
    for client in clients:
        await client.call("topic.subscribe", {"topic": "one-order"})
    for n in range(4):
        for number, client in enumerate(clients):
            await client.notify("topic.publish", {"topic": "one-order", "data": [number, n]})
    expected = None
    for client in clients:
        messages = [await client.next("topic.message") for _ in range(4 * SESSIONS)]
        assert [m["offset"] for m in messages] == list(range(1, 4 * SESSIONS + 1))
        order = [tuple(m["data"]) for m in messages]
        expected = expected or order
        assert order == expected
        for number in range(SESSIONS):
            assert [n for who, n in order if who == number] == [0, 1, 2, 3], "a sender's order is kept"
    await close_all(clients)


async def test_fifty_pipelined_publications_all_succeed_whatever_their_topic_s_home(hub):
    async with await Client.open(hub) as client:
        for topic in (f"pipelined-{n}" for n in range(8)):
            numbers = [await _send(client, "topic.publish", {"topic": topic, "data": n}) for n in range(50)]
            offsets = [(await numbers[n])["result"]["offset"] for n in range(50)]
            assert offsets == list(range(1, 51))


async def _send(client, method, params):
    """The reply to come; nothing is waited for."""
    number = next(client.ids)
    waiting = client.pending[number] = asyncio.get_running_loop().create_future()
    await client.ws.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
    return waiting


async def test_session_send_reaches_every_session_and_tells_what_became_of_it(hub):
    clients = await open_many(hub, SESSIONS)
    for n, to in enumerate(clients):
        sender = clients[n - 1]
        assert await sender.call("session.send", {"to": to.code, "data": n}) == {"status": "delivered"}
        assert await to.next("session.message") == {"from": sender.code, "data": n}
    for n in range(8):
        error = await clients[n].fails("session.send", {"to": f"happy-panda-{n + 1}", "data": 1})
        assert error.code == TARGET_UNKNOWN
    await close_all(clients)


def test_a_detached_session_is_sent_to_from_every_shard_until_its_mailbox_is_full(start_hub):
    server = start_hub(HUB_SETTINGS | {"replay.messages": "16"})
    away = Peer.open(server)
    detach(away, server)
    senders = [Peer.open(server) for _ in range(16)]
    for n, sender in enumerate(senders):
        assert sender.call("session.send", {"to": away.code, "data": n}) == {"status": "queued"}
    for sender in senders:
        assert sender.fails("session.send", {"to": away.code, "data": 0})["code"] == MAILBOX_FULL
        sender.raw.sock.close()
    with Peer.resume(server, away) as back:
        back.catch_up()
        assert back.data() == list(range(16))


async def test_a_broadcast_reaches_everybody_once(hub):
    clients = await open_many(hub, SESSIONS)
    attached = (await clients[0].call("hub.stats"))["sessions"]["attached"]
    assert attached >= SESSIONS
    told = (await clients[3].call("hub.broadcast", {"data": {"n": 1}}))["sessions"]
    assert told >= SESSIONS
    for client in clients:
        assert await client.next("hub.message") == {"data": {"n": 1}}
        await client.call("session.info")
        assert client.inbox["hub.message"].empty()
    await close_all(clients)


async def test_presence_lists_and_counts_members_of_all_shards_and_tells_who_comes_and_goes(start_hub):
    server = start_hub(HUB_SETTINGS | {"presence.interval": "100ms"})
    watchers = await open_many(server, 8)
    for watcher in watchers:
        await watcher.call("topic.subscribe", {"topic": "room", "presence": True})
    members = await open_many(server, SESSIONS)
    for member in members:
        await member.call("topic.subscribe", {"topic": "room"})
    codes = {client.code for client in watchers + members}
    for watcher in watchers:
        known = await watcher.call("topic.presence", {"topic": "room"})
        assert known["count"] == len(codes) and set(known["members"]) == codes
    left = {member.code for member in members[: SESSIONS // 2]}
    for member in members[: SESSIONS // 2]:
        await member.call("topic.unsubscribe", {"topic": "room"})
    for watcher in watchers:
        gone, count = set(), None
        while not (left <= gone and count == len(codes) - len(left)):
            notice = await watcher.next("topic.presence")
            gone |= set(notice.get("left", []))
            count = notice["count"]
        assert gone <= left
    await close_all(watchers + members)


async def test_history_is_the_same_for_all(hub):
    clients = await open_many(hub, 16)
    position = None
    for n in range(10):
        position = await clients[n].call("topic.publish", {"topic": "past", "data": n})
    for client in clients:
        history = await client.call("topic.history", {"topic": "past", "limit": 4})
        assert history["epoch"] == position["epoch"] and history["offset"] == 10
        assert [m["data"] for m in history["messages"]] == [6, 7, 8, 9]
        since = {"epoch": position["epoch"], "offset": 7}
        subscribed = await client.call("topic.subscribe", {"topic": "past", "since": since})
        assert subscribed == {"epoch": position["epoch"], "offset": 10, "recovered": True}
        assert [(await client.next("topic.message"))["data"] for _ in range(3)] == [7, 8, 9]
    await close_all(clients)


async def test_hub_stats_and_metrics_are_the_sums_of_all_shards(start_hub):
    server = start_hub(HUB_SETTINGS)
    clients = await open_many(server, SESSIONS)
    for n, client in enumerate(clients):
        await client.call("topic.subscribe", {"topic": f"sum-{n % 8}"})
    for client in clients:
        stats = await client.call("hub.stats")
        assert stats["sessions"]["attached"] == stats["sessions"]["opened"] == SESSIONS
        assert stats["topics"] == 8 and stats["subscriptions"] == SESSIONS
    read = metrics(server)
    assert read.value("hubbub_sessions", state="attached") == SESSIONS
    await close_all(clients)


# --- Resuming: the connection goes to the shard that owns the session


@pytest.mark.parametrize("named", [True, False], ids=["named-in-url", "not-named"])
def test_sessions_resume_wherever_their_connections_arrive(hub, named):
    with Peer.open(hub) as other:
        other.call("topic.subscribe", {"topic": f"resumed-{named}"})
        for n in range(12):
            one = Peer.open(hub)
            one.call("topic.subscribe", {"topic": f"resumed-{named}"})
            detach(one, hub)
            assert other.call("session.send", {"to": one.code, "data": n}) == {"status": "queued"}
            other.call("topic.publish", {"topic": f"resumed-{named}", "data": n})
            again = Peer.resume(hub, one, path=f"/ws?session={one.code}" if named else "/ws")
            assert again.opened["recovered"] is True and again.code == one.code
            again.catch_up()
            assert again.data() == [n]
            if n not in again.data("topic.message"):
                again.until(lambda message, n=n: message.get("params", {}).get("data") == n)
            assert again.call("session.info")["code"] == one.code
            again.raw.sock.close()
    assert connections_moved(hub) > 0 or named


def test_calls_pipelined_behind_a_resume_are_answered(hub):
    for _ in range(12):
        one = Peer.open(hub)
        detach(one, hub)
        again = Peer(hub)
        messages = [("session.resume", one.claim, "opening")] + [("session.info", None, n) for n in range(20)]
        burst = b""
        for method, params, id in messages:
            text = {"jsonrpc": "2.0", "id": id, "method": method} | ({"params": params} if params else {})
            burst += rawws.frame(rawws.TEXT, json.dumps(text).encode())
        again.raw.send_bytes(burst)
        answers = [again.take() for _ in range(21)]
        assert [answer["id"] for answer in answers] == ["opening", *range(20)]
        assert all("result" in answer for answer in answers)
        again.raw.sock.close()


def test_a_wrong_token_is_refused_wherever_it_comes_and_the_session_stays(hub):
    for _ in range(8):
        one = Peer.open(hub)
        detach(one, hub)
        for _ in range(3):
            with Peer(hub) as stranger, pytest.raises(Refused) as refused:
                stranger.take_over(one, token="A" * len(one.claim["token"]))
            assert refused.value.code == SESSION_UNKNOWN
        with Peer.resume(hub, one) as back:
            assert back.opened["recovered"] is True


def test_a_connection_that_was_used_for_http_before_resumes_too(hub):
    """The shard is found when the upgrade comes, though the connection was accepted elsewhere and kept alive."""
    for _ in range(8):
        one = Peer.open(hub)
        detach(one, hub)
        with HttpConnection(hub.address) as http:
            assert http.get("/healthz").status == 200
            request = http.head(
                f"/ws?session={one.code}",
                headers=[
                    ("Connection", "Upgrade"),
                    ("Upgrade", "websocket"),
                    ("Sec-WebSocket-Version", "13"),
                    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
                    ("Sec-WebSocket-Protocol", V1),
                ],
            )
            claim = {"jsonrpc": "2.0", "id": 1, "method": "session.resume", "params": one.claim}
            http.send(request.encode() + rawws.frame(rawws.TEXT, json.dumps(claim).encode()))
            assert http.read(head_only=True).status == 101
            while one.code.encode() not in http.buffer:
                http._fill()


def test_taking_over_a_session_closes_its_connection_on_whichever_shard_it_is(hub):
    for _ in range(8):
        one = Peer.open(hub)
        with Peer.resume(hub, one):
            assert one.end() == 4512


# --- Limits are the node's


def answers_429(address):
    with HttpConnection(address) as http:
        return http.get("/healthz").status == 429


def test_limits_connections_holds_for_all_shards_together(start_hub):
    server = start_hub(HUB_SETTINGS | {"limits.connections": "10"})
    peers = [Peer.open(server) for _ in range(10)]
    for _ in range(8):
        refused = upgrade(server)
        assert refused.status == 503 and int(refused.headers["retry-after"]) >= 1
    for peer in peers:
        peer.raw.sock.close()


def test_limits_of_one_address_hold_for_all_shards_together(start_hub):
    settings = {"limits.ip_exempt_loopback": "false", "limits.ip_connections": "6", "limits.ip_connects_per_s": "0"}
    server = start_hub(HUB_SETTINGS | settings)
    peers = [Peer.open(server) for _ in range(6)]
    for _ in range(8):
        assert answers_429(server.address)
    for peer in peers:
        peer.raw.sock.close()


async def test_a_moved_connection_is_counted_once_for_its_address(start_hub):
    settings = {"limits.ip_exempt_loopback": "false", "limits.ip_connections": "2", "limits.ip_connects_per_s": "0"}
    server = start_hub(HUB_SETTINGS | settings)
    with Peer.open(server) as stays:
        one = Peer.open(server)
        for _ in range(12):
            detach(one, server)

            def again(before=one):
                try:
                    return Peer.resume(server, before)
                except Exception:  # the address is let go of a moment after the cut
                    return None

            one = await eventually(again)
        assert answers_429(server.address)
        assert stays.call("session.info")["code"] == stays.code
        one.raw.sock.close()


async def test_limits_sessions_holds_for_all_shards_together(start_hub):
    server = start_hub(HUB_SETTINGS | {"limits.sessions": "10"})
    clients = await open_many(server, 10)
    for _ in range(8):
        peer = Peer(server)
        with pytest.raises(Refused) as refused:
            peer.exchange("session.open", {})
        assert refused.value.code == OVERLOADED
        peer.raw.sock.close()
    await close_all(clients)


async def test_limits_topics_holds_for_all_shards_together(start_hub):
    server = start_hub(HUB_SETTINGS | {"limits.topics": "10", "limits.topics_per_session": "10"})
    clients = await open_many(server, 8)
    for n in range(10):
        await clients[n % 8].call("topic.subscribe", {"topic": f"t-{n}"})
    for n, client in enumerate(clients):
        assert (await client.fails("topic.subscribe", {"topic": f"more-{n}"})).code == TOPIC_INVALID
        assert (await client.fails("topic.publish", {"topic": f"more-{n}", "data": 1})).code == TOPIC_INVALID
        await client.call("topic.publish", {"topic": f"t-{n}", "data": 1})
    await close_all(clients)


# --- The beginning and the end


def test_port_zero_gives_all_shards_one_port(start_hub):
    server = start_hub(HUB_SETTINGS)
    assert server.address[1] > 0
    for _ in range(SESSIONS):
        with Peer.open(server) as peer:
            assert peer.call("session.info")["code"] == peer.code


def test_a_second_server_on_the_same_port_is_refused(hub):
    """Shards share a port through SO_REUSEPORT; another process must not slip in."""
    command = [binary(), "serve", "--listen", hub.host, "--set", f"server.shards={SHARDS}"]
    second = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert "in use" in second.stderr, second.stderr
    with Peer.open(hub) as peer:
        assert peer.call("session.info")["code"] == peer.code


def test_a_drain_tells_everybody_and_ends_with_all_closed(start_hub):
    server = start_hub(HUB_SETTINGS | {"server.drain_period": "500ms"})
    peers = [Peer.open(server) for _ in range(SESSIONS)]
    server.signal()
    for peer in peers:
        assert peer.end() == 1012
        assert peer.draining and peer.closing["code"] == 1012
        peer.raw.sock.close()
    assert server.wait_exit() == 0
    server.check_sanitizers()


def test_a_drain_of_shards_without_connections_ends_at_once(start_hub):
    server = start_hub(HUB_SETTINGS)
    server.signal()
    assert server.wait_exit(10) == 0


def test_a_drain_ends_though_clients_do_not_answer(start_hub):
    server = start_hub(HUB_SETTINGS | {"server.drain_period": "200ms", "limits.close_deadline": "300ms"})
    silent = [socket.create_connection(server.address) for _ in range(8)]
    peers = [Peer.open(server) for _ in range(8)]
    server.signal()
    assert server.wait_exit(20) == 0
    for connection in silent + [peer.raw.sock for peer in peers]:
        connection.close()
