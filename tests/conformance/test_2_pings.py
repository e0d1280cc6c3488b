"""Section 2: pings are answered by pongs with the same payload, in order; pongs nobody asked for are ignored."""

import pytest
from rawws import PING, PONG, TEXT, frame


@pytest.mark.parametrize("payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125])
def test_a_ping_is_answered_with_its_payload(client, payload):
    client.send(PING, payload)
    client.expect(PONG, payload)
    client.close()
    client.expect_close(1000)


def test_a_ping_that_arrives_byte_by_byte_is_answered(client):
    client.send(PING, b"\xfe" * 125, chop=1)
    client.expect(PONG, b"\xfe" * 125)


@pytest.mark.parametrize("size", [126, 127, 65536])
def test_a_ping_longer_than_125_bytes_is_a_protocol_error(client, size):
    client.send(PING, b"\xfe" * size)
    client.expect_close(1002)


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
def test_an_unsolicited_pong_is_ignored(client, payload):
    client.send(PONG, payload)
    client.send(PING, b"still there?")
    client.expect(PONG, b"still there?")


@pytest.mark.parametrize("chop", [None, 1])
def test_ten_pings_in_a_row_are_all_answered_in_order(client, chop):
    payloads = [f"payload-{i}".encode() for i in range(10)]
    client.send_bytes(b"".join(frame(PING, payload) for payload in payloads), chop)
    for payload in payloads:
        client.expect(PONG, payload)


def test_a_ping_between_messages_does_not_disturb_them(client):
    client.send_bytes(frame(TEXT, b"one") + frame(PING, b"p") + frame(TEXT, b"two"))
    got = [client.receive() for _ in range(3)]
    assert [(f.opcode, f.payload) for f in got if f.opcode == TEXT] == [(TEXT, b"one"), (TEXT, b"two")]
    assert [f.payload for f in got if f.opcode == PONG] == [b"p"]
