"""Section 1: payload lengths at every edge of the three length forms, whole and cut into small TCP segments."""

import pytest
from rawws import BINARY, TEXT, frame

SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_every_length_is_echoed_whole(client, opcode, size):
    payload = (b"*" if opcode == TEXT else b"\xfe") * size
    client.send(opcode, payload)
    client.expect_message(opcode, payload)
    client.close()
    client.expect_close(1000)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("chop", [997, 4096])
def test_a_message_cut_into_small_segments_is_echoed_whole(client, opcode, chop):
    payload = bytes(range(32, 127)) * 689 + b"x" * 81
    assert len(payload) == 65536
    client.send(opcode, payload, chop=chop)
    client.expect_message(opcode, payload)


def test_a_message_that_arrives_byte_by_byte_is_echoed_whole(client):
    for size in (0, 5, 126, 300):
        client.send(TEXT, b"a" * size, chop=1)
        client.expect_message(TEXT, b"a" * size)


def test_many_messages_in_one_segment_are_echoed_in_order(client):
    texts = [f"message {i}".encode() for i in range(500)]
    client.send_bytes(b"".join(frame(TEXT, text) for text in texts))
    for text in texts:
        client.expect_message(TEXT, text)


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"])
def test_every_masking_key_is_taken_off(client, mask):
    payload = "Grüße ✓".encode()
    client.send(TEXT, payload, mask=mask)
    client.expect_message(TEXT, payload)


def test_an_unmasked_frame_is_a_protocol_error(client):
    client.send(TEXT, b"plain", mask=None)
    client.expect_close(1002)


@pytest.mark.parametrize("size,length_bytes", [(5, 2), (125, 2), (5, 8), (126, 8), (65535, 8)])
def test_a_length_in_a_longer_form_than_needed_is_a_protocol_error(client, size, length_bytes):
    client.send(TEXT, b"a" * size, length_bytes=length_bytes)
    client.expect_close(1002)


def test_a_length_with_the_top_bit_set_is_a_protocol_error(client):
    client.send_bytes(b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0")
    client.expect_close(1002)
