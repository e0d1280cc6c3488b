"""Section 5: fragments in every legal order are joined, every illegal order ends with 1002, control frames may come
between."""

import pytest
from rawws import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_fragmented_control_frame_is_a_protocol_error(client, opcode):
    client.send_bytes(frame(opcode, b"", fin=False) + frame(CONTINUATION, b"", fin=True))
    client.expect_close(1002)


@pytest.mark.parametrize("chop", [None, 1])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_two_fragments_are_joined(client, opcode, chop):
    client.send_bytes(frame(opcode, b"fragment1", fin=False) + frame(CONTINUATION, b"fragment2"), chop)
    client.expect_message(opcode, b"fragment1fragment2")


@pytest.mark.parametrize("chop", [None, 1])
def test_a_ping_between_fragments_is_answered_at_once(client, chop):
    client.send_bytes(frame(TEXT, b"fragment1", fin=False) + frame(PING, b"ping"), chop)
    client.expect(PONG, b"ping")  # before the message is complete: nothing else has been sent yet
    client.send_bytes(frame(CONTINUATION, b"fragment2"), chop)
    client.expect_message(TEXT, b"fragment1fragment2")


def test_empty_fragments_are_joined(client):
    client.send(TEXT, b"", fin=False)
    client.send(CONTINUATION, b"", fin=False)
    client.send(CONTINUATION, b"")
    client.expect_message(TEXT, b"")
    client.send(TEXT, b"", fin=False)
    client.send(CONTINUATION, b"middle", fin=False)
    client.send(CONTINUATION, b"")
    client.expect_message(TEXT, b"middle")


@pytest.mark.parametrize("fin", [True, False])
def test_a_continuation_with_nothing_to_continue_is_a_protocol_error(client, fin):
    client.send_bytes(frame(CONTINUATION, b"lost", fin=fin) + frame(TEXT, b"next"))
    client.expect_close(1002)


@pytest.mark.parametrize("chop", [None, 1])
@pytest.mark.parametrize("fin", [True, False])
def test_a_continuation_after_a_whole_message_is_a_protocol_error(client, fin, chop):
    client.send_bytes(frame(TEXT, b"whole") + frame(CONTINUATION, b"more", fin=fin), chop)
    client.expect_message(TEXT, b"whole")
    client.expect_close(1002)


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_new_message_inside_a_fragmented_one_is_a_protocol_error(client, opcode, fin):
    client.send_bytes(frame(TEXT, b"fragment1", fin=False) + frame(opcode, b"fragment2", fin=fin))
    client.expect_close(1002)


def test_two_messages_of_five_fragments_with_pings_between(client):
    parts = [f"fragment{i}".encode() for i in range(1, 6)]
    for _ in range(2):
        client.send(TEXT, parts[0], fin=False)
        client.send(CONTINUATION, parts[1], fin=False)
        client.send(PING, b"pongme 1")
        client.expect(PONG, b"pongme 1")
        client.send(CONTINUATION, parts[2], fin=False)
        client.send(CONTINUATION, parts[3], fin=False)
        client.send(PING, b"pongme 2")
        client.expect(PONG, b"pongme 2")
        client.send(CONTINUATION, parts[4])
        client.expect_message(TEXT, b"".join(parts))


def test_a_close_inside_a_fragmented_message_is_answered(client):
    client.send(TEXT, b"never finished", fin=False)
    client.send(CLOSE, close_payload(1000))
    client.expect_close(1000)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_65536_fragments_make_one_message(client, opcode):
    frames = [frame(opcode, b"a", fin=False)] + [frame(CONTINUATION, b"a", fin=False)] * 65534
    client.send_bytes(b"".join(frames) + frame(CONTINUATION, b"a"))
    client.expect_message(opcode, b"a" * 65536)


def test_65536_empty_fragments_make_an_empty_message(client):
    frames = [frame(TEXT, fin=False)] + [frame(CONTINUATION, fin=False)] * 65534
    client.send_bytes(b"".join(frames) + frame(CONTINUATION))
    client.expect_message(TEXT, b"")
