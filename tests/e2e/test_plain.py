"""Plain mode: any WebSocket client connects, gets session.opened, and speaks JSON-RPC 2.0, byte for byte."""

import json

import pytest
import rawws
import shapes
from client import Client, Closed, RpcError, TextClient

HUB_SETTINGS = {"limits.rate_per_s": "0"}

ECHO = '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}}'


def error_of(text, code, id_value=None):
    """Checks an error reply's envelope; its error object."""
    reply = json.loads(text)
    assert set(reply) == {"jsonrpc", "id", "error"}, reply
    assert reply["jsonrpc"] == "2.0" and reply["id"] == id_value, reply
    error = reply["error"]
    assert error["code"] == code, reply
    assert error["message"] and isinstance(error["data"]["retryable"], bool), reply
    return error


async def test_a_plain_client_gets_session_opened_then_its_echo(hub):
    async with await TextClient.open(hub) as client:
        assert client.opened["jsonrpc"] == "2.0" and client.opened["method"] == "session.opened"
        assert "id" not in client.opened
        assert await client.exchange(ECHO) == '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'


async def test_session_opened_has_the_shape_and_the_defaults_of_the_protocol(start_hub):
    async with await Client.open(start_hub()) as client:
        shapes.check(client.opened, shapes.OPENED)
        assert client.opened["resumed"] is False
        assert (client.opened["sent"], client.opened["received"]) == (0, 0)
        assert client.opened["session"]["ttl_ms"] == 120_000
        assert client.opened["limits"] == {
            "message_bytes": 65536,
            "batch_items": 50,
            "topics": 128,
            "rate_per_s": 100,
            "rate_burst": 200,
            "ping_ms": 25000,
            "replay": {"messages": 1024, "bytes": 262144, "ms": 120000},
        }


async def test_codes_tokens_and_epochs_differ_between_sessions(hub):
    async with await Client.open(hub) as one, await Client.open(hub) as two:
        for name in ("code", "token", "epoch"):
            assert one.opened["session"][name] != two.opened["session"][name]


# Ids and params, byte for byte

IDS = ["1", "0", "-1", "1.0", "1e2", "1E+2", "-0", "123456789012345678901234567890", "0.1000", "1e400"]
IDS += ['"a"', '""', r'"a\u0062"', r'"\/\"\\\n"', '"ключ 🔑"', r'"\ud83d\ude00"', "null"]


@pytest.mark.parametrize("raw_id", IDS)
async def test_ids_are_echoed_byte_for_byte(hub, raw_id):
    async with await TextClient.open(hub) as client:
        text = '{"jsonrpc":"2.0","id":%s,"method":"echo","params":[true]}' % raw_id
        assert await client.exchange(text) == '{"jsonrpc":"2.0","id":%s,"result":[true]}' % raw_id


@pytest.mark.parametrize("raw_id", ["7", "1.0", r'"a\u0062"', "null"])
async def test_ids_of_errors_are_echoed_byte_for_byte(hub, raw_id):
    async with await TextClient.open(hub) as client:
        text = await client.exchange('{"jsonrpc":"2.0","id":%s,"method":"no.such"}' % raw_id)
        assert text.startswith('{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,' % raw_id)


@pytest.mark.parametrize(
    "params",
    [
        "{}",
        "[]",
        '{"n":1.0,"big":123456789012345678901234567890,"tiny":1e-400,"huge":1e999}',
        r'["\u00e9","é","\ud83d\ude00",""]',
        '{"a":1,"a":2}',
        '[[[[[[{"deep":[null,true,false]}]]]]]]',
    ],
)
async def test_params_are_echoed_byte_for_byte(hub, params):
    async with await TextClient.open(hub) as client:
        text = await client.exchange('{"jsonrpc":"2.0","id":1,"method":"echo","params":%s}' % params)
        assert text == '{"jsonrpc":"2.0","id":1,"result":%s}' % params


async def test_echo_without_params_gives_null(hub):
    async with await Client.open(hub) as client:
        assert await client.call("echo") is None


async def test_members_in_any_order_and_white_space_anywhere_are_fine(hub):
    async with await TextClient.open(hub) as client:
        text = ' {\n "params" : [ 1 ] ,\t"id":"x", "method" : "ec\\u0068o" , "jsonrpc":"2.0", "extra": {} }\r\n'
        reply = json.loads(await client.exchange(text))
        assert reply == {"jsonrpc": "2.0", "id": "x", "result": [1]}


# Notifications and batches


async def test_a_notification_is_never_answered_even_if_it_fails(hub):
    async with await TextClient.open(hub) as client:
        await client.send('{"jsonrpc":"2.0","method":"echo","params":[1]}')
        await client.send('{"jsonrpc":"2.0","method":"no.such"}')
        await client.send('{"jsonrpc":"2.0","method":"topic.subscribe","params":{"topic":5}}')
        await client.send('[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","method":"no.such"}]')
        assert await client.exchange(ECHO) == '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'


async def test_a_batch_is_answered_by_one_array_without_its_notifications(hub):
    async with await TextClient.open(hub) as client:
        batch = [
            {"jsonrpc": "2.0", "id": "1", "method": "echo", "params": [1]},
            {"jsonrpc": "2.0", "method": "echo", "params": [2]},
            {"jsonrpc": "2.0", "id": "2", "method": "no.such"},
            {"foo": "boo"},
            1,
            {"jsonrpc": "2.0", "id": "5", "method": "topic.subscribe", "params": {}},
            {"jsonrpc": "2.0", "id": "9", "method": "ping"},
        ]
        replies = json.loads(await client.exchange(batch))
        assert isinstance(replies, list) and len(replies) == 6
        by_id = {reply["id"]: reply for reply in replies if reply["id"] is not None}
        assert by_id["1"]["result"] == [1]
        assert by_id["2"]["error"]["code"] == -32601
        assert by_id["5"]["error"]["code"] == -32602
        assert "time" in by_id["9"]["result"]
        assert [r["error"]["code"] for r in replies if r["id"] is None] == [-32600, -32600]


async def test_a_batch_of_one_is_answered_by_an_array_of_one(hub):
    async with await TextClient.open(hub) as client:
        assert await client.exchange(f"[{ECHO}]") == '[{"jsonrpc":"2.0","id":1,"result":{"a":1}}]'


async def test_an_empty_batch_is_one_invalid_request(hub):
    async with await TextClient.open(hub) as client:
        error_of(await client.exchange("[]"), -32600)


async def test_a_batch_of_rubbish_gets_one_error_an_item(hub):
    async with await TextClient.open(hub) as client:
        replies = json.loads(await client.exchange("[1,2,3]"))
        assert [(r["id"], r["error"]["code"]) for r in replies] == [(None, -32600)] * 3


async def test_a_batch_over_its_limit_is_refused_and_names_the_limit(start_hub):
    server = start_hub({"limits.batch_items": "3", "limits.rate_per_s": "0"})
    async with await TextClient.open(server) as client:
        assert client.opened["params"]["limits"]["batch_items"] == 3
        item = {"jsonrpc": "2.0", "id": 1, "method": "echo"}
        assert len(json.loads(await client.exchange([item] * 3))) == 3
        error = error_of(await client.exchange([item] * 4), -32010)
        assert error["data"]["limit"] == "limits.batch_items"


# Errors

PARSE_ERRORS = {
    "cut off": '{"jsonrpc":"2.0","method":"foobar","params":"bar","baz]',
    "cut off batch": '[{"jsonrpc":"2.0","method":"sum","id":"1"},{"jsonrpc":"2.0","method"]',
    "empty": "",
    "white space": " \n",
    "trailing garbage": '{"jsonrpc":"2.0","id":1,"method":"ping"}x',
    "two texts": '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}',
    "bad literal in a skipped member": '{"jsonrpc":"2.0","id":1,"method":"ping","x":tru}',
    "leading zero in a skipped member": '{"jsonrpc":"2.0","id":1,"method":"ping","x":01}',
    "single quotes": "{'jsonrpc':'2.0'}",
    "trailing comma": '{"jsonrpc":"2.0","id":1,"method":"ping",}',
    "comment": '{"jsonrpc":"2.0","id":1,"method":"ping"}//',
    "control character in a string": '{"jsonrpc":"2.0","id":1,"method":"pi\nng"}',
    "not a number": '{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    "byte order mark": '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}',
}


@pytest.mark.parametrize("text", PARSE_ERRORS.values(), ids=PARSE_ERRORS.keys())
async def test_what_is_not_json_is_a_parse_error_and_the_connection_goes_on(hub, text):
    async with await TextClient.open(hub) as client:
        error_of(await client.exchange(text), -32700)
        assert await client.exchange(ECHO) == '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'


INVALID_REQUESTS = {
    "number": ("1", None),
    "string": ('"ping"', None),
    "null": ("null", None),
    "empty object": ("{}", None),
    "no version": ('{"id":1,"method":"ping"}', 1),
    "old version": ('{"jsonrpc":"1.0","id":1,"method":"ping"}', 1),
    "version as number": ('{"jsonrpc":2.0,"id":1,"method":"ping"}', 1),
    "no method": ('{"jsonrpc":"2.0","id":1}', 1),
    "method as number": ('{"jsonrpc":"2.0","id":1,"method":1,"params":"bar"}', 1),
    "params as string": ('{"jsonrpc":"2.0","id":1,"method":"echo","params":"bar"}', 1),
    "params null": ('{"jsonrpc":"2.0","id":1,"method":"echo","params":null}', 1),
    "id as object": ('{"jsonrpc":"2.0","id":{},"method":"echo"}', None),
    "id as array": ('{"jsonrpc":"2.0","id":[1],"method":"echo"}', None),
    "id as boolean": ('{"jsonrpc":"2.0","id":true,"method":"echo"}', None),
    "two methods": ('{"jsonrpc":"2.0","id":1,"method":"ping","method":"echo"}', 1),
    "two ids": ('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', None),
}


@pytest.mark.parametrize("text,id_value", INVALID_REQUESTS.values(), ids=INVALID_REQUESTS.keys())
async def test_what_is_no_request_is_invalid_and_the_connection_goes_on(hub, text, id_value):
    async with await TextClient.open(hub) as client:
        error_of(await client.exchange(text), -32600, id_value)
        assert await client.exchange(ECHO) == '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'


async def test_an_unknown_method_is_not_found(hub):
    async with await Client.open(hub) as client:
        for method in ("foobar", "", "Echo", "echo ", "rpc.nothing", "x" * 10000):
            error = await client.fails(method)
            assert error.code == -32601 and error.data["retryable"] is False


BAD_PARAMS = [
    ({}, "topic"),
    ({"topic": 5}, "topic"),
    ({"topic": None}, "topic"),
    ({"topic": "a", "nonsense": 1}, "nonsense"),
    ([], "topic"),
    ([5], "topic"),
]


@pytest.mark.parametrize("params,field", BAD_PARAMS)
async def test_invalid_params_name_the_field(hub, params, field):
    async with await Client.open(hub) as client:
        error = await client.fails("topic.subscribe", params)
        assert error.code == -32602
        assert error.data["field"] == field and error.data["retryable"] is False


async def test_invalid_params_tell_the_constraint_and_the_type_found(hub):
    async with await Client.open(hub) as client:
        error = await client.fails("topic.subscribe", {"topic": 5})
        assert error.data["got"] == "number" and "string" in error.data["constraint"]


async def test_json_may_nest_up_to_its_limit_and_no_deeper(hub):
    async with await TextClient.open(hub) as client:
        # The request object is the first level.
        fits = '{"jsonrpc":"2.0","id":1,"method":"echo","params":%s}' % ("[" * 63 + "]" * 63)
        assert "result" in json.loads(await client.exchange(fits))
        error = error_of(await client.exchange(fits.replace("[]", "[[]]")), -32700)
        assert error["data"]["limit"] == "limits.json_depth"
        error_of(await client.exchange("[" * 30000), -32700)


async def test_discovery_lists_the_methods(hub):
    async with await Client.open(hub) as client:
        document = await client.call("rpc.discover")
        assert document["openrpc"].startswith("1.")
        names = {method["name"] for method in document["methods"]}
        wanted = {"ping", "echo", "session.info", "session.send", "topic.subscribe", "topic.unsubscribe"}
        assert wanted | {"topic.publish", "hub.broadcast", "hub.stats"} <= names


# What is no text, or too much


async def test_invalid_utf8_closes_with_1007(hub):
    with rawws.connect(hub.address) as client:
        client.receive()
        client.send(rawws.TEXT, b'{"jsonrpc":"2.0","id":"\xff","method":"echo"}')
        assert until_close(client)[0] == 1007


async def test_binary_closes_with_1003(hub):
    async with await TextClient.open(hub) as client:
        await client.send(ECHO.encode())
        end, _ = await client.closed()
        assert end.code == 1003


async def test_a_message_at_the_limit_is_served_and_one_over_closes_with_1009_naming_the_limit(hub):
    head, tail = '{"jsonrpc":"2.0","id":1,"method":"echo","params":["', '"]}'
    fill = 65536 - len(head) - len(tail)
    async with await TextClient.open(hub) as client:
        assert len(json.loads(await client.exchange(head + "x" * fill + tail))["result"][0]) == fill
        await client.send(head + "x" * (fill + 1) + tail)
        end, _ = await client.closed()
        assert end.code == 1009
        assert "limits.message_bytes" in end.reason or "65536" in end.reason, end.reason


async def test_the_limit_counts_all_fragments_together(hub):
    with rawws.connect(hub.address) as client:
        client.receive()
        client.send(rawws.TEXT, b'"' + b"x" * 40000, fin=False)
        client.send(rawws.CONTINUATION, b"x" * 40000, fin=False)
        assert until_close(client)[0] == 1009


async def test_the_limit_counts_what_is_inflated(hub):
    async with await TextClient.open(hub, compression="deflate") as client:
        await client.send('["' + "x" * 1_000_000 + '"]')
        end, _ = await client.closed()
        assert end.code == 1009


async def test_a_16_mib_message_is_echoed_when_the_limit_allows_it(start_hub):
    server = start_hub({"limits.message_bytes": "17MiB", "limits.response_bytes": "17MiB"})
    text = "x" * (16 * 1024 * 1024)
    async with await Client.open(server) as client:
        assert client.opened["limits"]["message_bytes"] == 17 * 1024 * 1024
        assert await client.call("echo", [text]) == [text]
        assert await client.call("echo", [1]) == [1]


async def test_a_compressing_client_works(hub):
    async with await Client.open(hub, compression="deflate") as client:
        assert any("PerMessageDeflate" in type(e).__name__ for e in extensions_of(client.ws))
        for size in (1, 300, 60_000):
            text = "compress me " * (size // 12 + 1)
            assert await client.call("echo", [text[:size]]) == [text[:size]]


async def test_a_failing_client_does_not_disturb_another(hub):
    async with await Client.open(hub) as healthy, await TextClient.open(hub) as bad:
        await bad.exchange("rubbish")
        await bad.send(b"\x00")
        with pytest.raises(Closed):
            while True:
                await bad.receive()
        assert await healthy.call("echo", [1]) == [1]
        with pytest.raises(RpcError):
            await healthy.call("no.such")


def extensions_of(ws):
    protocol = getattr(ws, "protocol", ws)  # the new interface keeps them one object further in
    return getattr(protocol, "extensions", None) or getattr(ws, "extensions", [])


def until_close(client):
    """Skips messages up to the Close frame; its code and reason."""
    while (got := client.receive()).opcode != rawws.CLOSE:
        assert got.opcode == rawws.TEXT
    return rawws.read_close(got.payload)
