"""Sections 3 and 4: reserved bits and reserved opcodes end the connection with 1002, after what came before was
served."""

import pytest
from rawws import BINARY, CLOSE, PING, PONG, TEXT, close_payload, frame

RESERVED_DATA = [3, 4, 5, 6, 7]
RESERVED_CONTROL = [11, 12, 13, 14, 15]


@pytest.mark.parametrize("rsv", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG])
def test_reserved_bits_without_an_extension_are_a_protocol_error(client, opcode, rsv):
    client.send(opcode, b"abc", rsv=rsv)
    client.expect_close(1002)


@pytest.mark.parametrize("rsv", [1, 2, 4, 7])
def test_reserved_bits_on_a_close_frame_are_a_protocol_error(client, rsv):
    client.send(CLOSE, close_payload(1000), rsv=rsv)
    client.expect_close(1002)


@pytest.mark.parametrize("chop", [None, 1])
@pytest.mark.parametrize("rsv", [1, 4])
def test_the_message_before_a_frame_with_reserved_bits_is_still_echoed(client, rsv, chop):
    client.send_bytes(frame(TEXT, b"first") + frame(TEXT, b"second", rsv=rsv) + frame(PING), chop)
    client.expect_message(TEXT, b"first")
    client.expect_close(1002)


@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"])
@pytest.mark.parametrize("opcode", RESERVED_DATA + RESERVED_CONTROL)
def test_a_reserved_opcode_is_a_protocol_error(client, opcode, payload):
    client.send(opcode, payload)
    client.expect_close(1002)


@pytest.mark.parametrize("chop", [None, 1])
@pytest.mark.parametrize("opcode", [5, 13])
def test_the_message_before_a_reserved_opcode_is_still_echoed(client, opcode, chop):
    client.send_bytes(frame(TEXT, b"first") + frame(opcode, b"x") + frame(PING), chop)
    client.expect_message(TEXT, b"first")
    client.expect_close(1002)
