"""The subprotocol hubbub.v1: a session is opened by the first message, described, closed, and outlives its connection
for its grace time."""

import json

import pytest
import shapes
from client import Client, TextClient, eventually
from stats import sessions

HUB_SETTINGS = {"session.grace": "500ms", "limits.rate_per_s": "0"}
V1 = "hubbub.v1"
OPEN = {"jsonrpc": "2.0", "id": 1, "method": "session.open", "params": {}}


async def test_session_open_gives_what_the_protocol_says(hub):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        assert client.ws.subprotocol == V1
        reply = json.loads(await client.exchange(OPEN))
        assert reply["id"] == 1
        shapes.check(reply["result"], shapes.OPENED)
        assert reply["result"]["session"]["ttl_ms"] == 500
        assert json.loads(await client.exchange('{"jsonrpc":"2.0","id":2,"method":"echo"}'))["result"] is None


@pytest.mark.parametrize(
    "params",
    [None, {}, {"data": {"name": "Ada"}}, {"client": {"name": "test", "version": "1.0"}, "data": [1, 2]}],
)
async def test_session_open_takes_its_optional_params(hub, params):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        message = {k: v for k, v in OPEN.items() if k != "params"} | ({} if params is None else {"params": params})
        assert "result" in json.loads(await client.exchange(message))


async def test_session_open_bounds_its_data(hub):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        text = await client.exchange(OPEN | {"params": {"data": "x" * 5000}})
        error = json.loads(text)["error"]
        assert error["code"] == -32007 and error["data"]["limit"] == "limits.session_data_bytes"


async def test_another_request_first_is_refused_with_an_error_and_4500(hub):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        reply = json.loads(await client.exchange('{"jsonrpc":"2.0","id":"a","method":"echo"}'))
        assert reply["id"] == "a" and reply["error"]["code"] == -32020
        end, _ = await client.closed()
        assert end.code == 4500


@pytest.mark.parametrize("text", ['{"jsonrpc":"2.0","method":"session.open"}', '{"jsonrpc":"2.0","method":"echo"}'])
async def test_a_notification_first_is_refused_with_4500(hub, text):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        await client.send(text)
        end, _ = await client.closed()
        assert end.code == 4500


@pytest.mark.parametrize("text", ["rubbish", "[]", "1"])
async def test_rubbish_first_is_refused_with_4500(hub, text):
    async with await TextClient.open(hub, subprotocol=V1) as client:
        await client.send(text)
        end, _ = await client.closed()
        assert end.code == 4500


async def test_silence_is_refused_with_4501(start_hub):
    server = start_hub({"limits.open_deadline": "300ms"})
    async with await TextClient.open(server, subprotocol=V1) as client:
        end, _ = await client.closed()
        assert end.code == 4501


async def test_an_opened_session_is_not_touched_by_the_open_deadline(start_hub):
    server = start_hub({"limits.open_deadline": "200ms"})
    async with await Client.open(server, subprotocol=V1) as client:
        late = await TextClient.open(server, subprotocol=V1)
        end, _ = await late.closed()  # the deadline has passed for a connection that came later
        assert end.code == 4501
        assert await client.call("echo", [1]) == [1]


async def test_an_unknown_subprotocol_falls_back_to_none(hub):
    async with await TextClient.open(hub, subprotocol="chat.v9") as client:
        assert client.ws.subprotocol is None
        assert json.loads(await client.receive())["method"] == "session.opened"


async def test_session_info_tells_the_session(hub):
    async with await Client.open(hub, subprotocol=V1) as client:
        await client.call("topic.subscribe", {"topic": "news"})
        info = await client.call("session.info")
        assert info["code"] == client.code
        assert info["state"] == "attached"
        assert "news" in info["topics"]
        assert client.token not in json.dumps(info)


async def test_session_close_ends_session_and_connection(hub):
    async with await Client.open(hub, subprotocol=V1) as watcher, await Client.open(hub, subprotocol=V1) as client:
        await client.call("session.close")
        assert (await client.closed()).code == 1000
        assert (await watcher.fails("session.send", {"to": client.code, "data": 1})).code == -32026


async def test_session_close_leaves_no_record(start_hub):
    server = start_hub({"session.grace": "1h"})
    async with await Client.open(server) as watcher:
        client = await Client.open(server, subprotocol=V1)
        await client.call("session.close")
        await client.closed()
        assert sessions(await watcher.call("hub.stats")) == (1, 0)


@pytest.mark.parametrize("mode", [V1, None])
@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_cut_session_stays_for_its_grace_time_and_then_goes(start_hub, mode, how):
    server = start_hub({"session.grace": "700ms"})
    async with await Client.open(server) as watcher:
        client = await Client.open(server, subprotocol=mode)
        assert sessions(await watcher.call("hub.stats")) == (2, 0)
        client.abort() if how == "abort" else await client.close()

        async def counts_are(wanted):
            return sessions(await watcher.call("hub.stats")) == wanted

        await eventually(lambda: counts_are((1, 1)), every=0.01)
        await eventually(lambda: counts_are((1, 0)))
