"""Liveness and rates: pings find dead clients and leave quiet ones alone; a client that talks too much is told to
wait."""

import asyncio
import json

import pytest
import rawws
from client import Client, TextClient
from stats import closes, limit_hits

HUB_SETTINGS = {"heartbeat.ping": "150ms", "heartbeat.pong": "400ms", "limits.rate_per_s": "0"}


# Heartbeat


def test_pings_arrive_again_and_again_and_answering_keeps_the_connection(hub):
    with rawws.connect(hub.address) as client:
        client.receive()
        for _ in range(8):  # several times longer than a silent client would live
            ping = client.receive()
            assert ping.opcode == rawws.PING and len(ping.payload) <= 125
            client.send(rawws.PONG, ping.payload)
        client.text('{"jsonrpc":"2.0","id":1,"method":"echo","params":["alive"]}')
        while (got := client.receive()).opcode == rawws.PING:
            client.send(rawws.PONG, got.payload)
        assert b"alive" in got.payload


async def test_an_idle_client_that_only_answers_pings_stays(hub):
    async with await Client.open(hub) as client:  # the library answers pings by itself
        with rawws.connect(hub.address) as silent:
            await asyncio.to_thread(silent.until_closed)  # somebody silent is given up meanwhile
        assert not client.end.done()
        assert await client.call("echo", [1]) == [1]


def test_a_client_that_does_not_answer_pings_is_closed_with_4012(hub):
    before = closes(hub, 4012)
    with rawws.connect(hub.address) as client:
        seen = client.until_closed()
        assert seen in (4012, None)  # the Close frame itself is a courtesy: the peer is believed dead
    assert closes(hub, 4012) >= before + 1
    assert limit_hits(hub, "pong") >= 1


def test_half_a_message_does_not_count_as_life_for_ever(hub):
    with rawws.connect(hub.address) as client:
        client.receive()
        client.send_bytes(rawws.frame(rawws.TEXT, b"x" * 100)[:50])
        client.until_closed()


def test_a_ping_reaches_a_client_between_messages(hub):
    with rawws.connect(hub.address) as client:
        kinds = set()
        while len(kinds) < 2:
            client.text('{"jsonrpc":"2.0","id":1,"method":"echo"}')
            got = client.receive()
            kinds.add(got.opcode)
            if got.opcode == rawws.PING:
                client.send(rawws.PONG, got.payload)
        assert kinds == {rawws.TEXT, rawws.PING}


async def test_pings_can_be_turned_off_and_set_to_54_s(start_hub):
    for settings, announced in (
        ({"heartbeat.ping": "0"}, 0),
        ({"heartbeat.ping": "54s", "heartbeat.pong": "6s"}, 54000),
    ):
        async with await Client.open(start_hub(settings)) as client:
            assert client.opened["limits"]["ping_ms"] == announced


# Rates


@pytest.fixture
def slow_hub(start_hub):
    return start_hub({"limits.rate_per_s": "5", "limits.rate_burst": "5"})


async def test_calls_over_the_rate_are_refused_and_told_when_to_come_back(slow_hub):
    async with await Client.open(slow_hub) as client:
        assert client.opened["limits"]["rate_per_s"] == 5
        replies = await asyncio.gather(*(client.request("echo", [n]) for n in range(30)))
        served = [reply for reply in replies if "result" in reply]
        refused = [reply["error"] for reply in replies if "error" in reply]
        assert 5 <= len(served) <= 15 and len(refused) >= 15
        for error in refused:
            assert error["code"] == -32025
            assert error["data"]["retryable"] is True and error["data"]["limit"] == "limits.rate_per_s"
            assert 0 < error["data"]["retry_after_ms"] <= 10_000
        await asyncio.sleep(refused[-1]["data"]["retry_after_ms"] / 1000)  # as the server asked
        assert await client.call("echo", ["again"]) == ["again"]
    assert limit_hits(slow_hub, "rate_per_s") >= 15


async def test_each_item_of_a_batch_counts(slow_hub):
    async with await TextClient.open(slow_hub) as client:
        batch = [{"jsonrpc": "2.0", "id": n, "method": "echo", "params": [n]} for n in range(20)]
        replies = json.loads(await client.exchange(batch))
        served = [reply for reply in replies if "result" in reply]
        assert len(replies) == 20 and 5 <= len(served) <= 10
        assert {reply["error"]["code"] for reply in replies if "error" in reply} == {-32025}


async def test_notifications_over_the_rate_are_not_carried_out(slow_hub):
    async with await Client.open(slow_hub) as target, await Client.open(slow_hub) as sender:
        for n in range(30):
            await sender.notify("session.send", {"to": target.code, "data": n})
        await sender.request("ping")  # whatever its answer: all before it is done
        assert await target.call("ping")
        assert 5 <= target.inbox["session.message"].qsize() <= 15


async def test_one_sessions_rate_is_not_anothers(slow_hub):
    async with await Client.open(slow_hub) as loud, await Client.open(slow_hub) as quiet:
        await asyncio.gather(*(loud.request("ping") for _ in range(20)))
        for n in range(5):
            assert await quiet.call("echo", [n]) == [n]
