"""Section 7: the close handshake: answered once with the same code, nothing is served after it, the TCP connection
then ends by FIN; codes and reasons are validated."""

import pytest
from rawws import CLOSE, CONTINUATION, PING, TEXT, close_payload, frame

VALID_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
INVALID_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


def test_a_message_then_a_close_is_served_then_closed(client):
    client.send_bytes(frame(TEXT, b"Hello World!") + frame(CLOSE, close_payload(1000)))
    client.expect_message(TEXT, b"Hello World!")
    client.expect_close(1000)


def test_a_second_close_is_ignored(client):
    client.send_bytes(frame(CLOSE, close_payload(1000)) * 2)
    client.expect_close(1000)


@pytest.mark.parametrize("opcode", [PING, TEXT])
def test_what_comes_after_a_close_is_ignored(client, opcode):
    client.send_bytes(frame(CLOSE, close_payload(1000)) + frame(opcode, b"too late"))
    client.expect_close(1000)


def test_a_large_message_after_a_close_does_not_destroy_the_answer(client):
    """Unread bytes in the server's socket would turn its FIN into a RST that can overtake the Close frame."""
    client.send_bytes(frame(CLOSE, close_payload(1000)))
    client.send_bytes(frame(TEXT, b"x" * 262144))
    client.expect_close(1000)


def test_a_continuation_after_a_close_is_ignored(client):
    client.send_bytes(frame(TEXT, b"fragment1", fin=False) + frame(CLOSE, close_payload(1000)))
    client.send_bytes(frame(CONTINUATION, b"fragment2"))
    client.expect_close(1000)


def test_a_message_of_256_kib_then_a_close_is_served_then_closed(client):
    payload = b"BAsd7&jh23" * 26214 + b"x" * 4
    client.send_bytes(frame(TEXT, payload) + frame(CLOSE, close_payload(1000)))
    client.expect_message(TEXT, payload)
    client.expect_close(1000)


def test_a_close_without_a_code_is_answered(client):
    client.send(CLOSE)
    client.expect_close(None, 1000)


def test_a_close_with_one_byte_is_a_protocol_error(client):
    client.send(CLOSE, b"a")
    client.expect_close(1002)


@pytest.mark.parametrize("reason", [b"", b"Hello World!", b"*" * 123, "✓".encode() * 41])
def test_a_close_with_a_reason_is_answered(client, reason):
    client.send(CLOSE, close_payload(1000, reason))
    client.expect_close(1000)


def test_a_close_with_124_bytes_of_reason_is_a_protocol_error(client):
    client.send(CLOSE, close_payload(1000, b"*" * 124))
    client.expect_close(1002)


@pytest.mark.parametrize("reason", [b"\xce\xba\xed\xa0\x80", b"\xff", b"cut \xe2\x9c"])
def test_a_close_reason_that_is_not_utf8_is_refused(client, reason):
    client.send(CLOSE, close_payload(1000, reason))
    client.expect_close(1007, 1002)


@pytest.mark.parametrize("code", VALID_CODES)
def test_a_valid_close_code_is_echoed(client, code):
    client.send(CLOSE, close_payload(code))
    client.expect_close(code)


@pytest.mark.parametrize("code", INVALID_CODES)
@pytest.mark.parametrize("reason", [b"", b"with a reason"])
def test_an_invalid_close_code_is_a_protocol_error(client, code, reason):
    client.send(CLOSE, close_payload(code, reason))
    client.expect_close(1002)


def test_a_close_that_arrives_byte_by_byte_is_answered(client):
    client.send(CLOSE, close_payload(1001, b"going away"), chop=1)
    client.expect_close(1001)
