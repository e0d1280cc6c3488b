"""Sections 9 and 10: large messages, whole, fragmented and cut, and many small ones. Sizes stop at 16 MiB; the counts
are smaller than Autobahn's, to stay quick under a sanitizer."""

import pytest
from rawws import BINARY, CONTINUATION, TEXT, frame

KIB, MIB = 1024, 1024 * 1024


def payload_of(size):
    return (b"0123456789abcdefghijklmnopqrstuvwxyz-" * (size // 37 + 1))[:size]


def fragments(opcode, payload, size):
    pieces = [payload[i : i + size] for i in range(0, len(payload), size)]
    last = len(pieces) - 1
    return b"".join(frame(CONTINUATION if i else opcode, p, fin=i == last) for i, p in enumerate(pieces))


@pytest.mark.parametrize("size", [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_large_message_is_echoed(client, opcode, size):
    client.send(opcode, payload_of(size))
    client.expect_message(opcode, payload_of(size))


@pytest.mark.parametrize("size", [64, 1 * KIB, 16 * KIB, 256 * KIB, 4 * MIB])
def test_4_mib_in_fragments_of_any_size_are_echoed(client, size):
    payload = payload_of(4 * MIB)
    client.send_bytes(fragments(TEXT, payload, size))
    client.expect_message(TEXT, payload)


@pytest.mark.parametrize("chop", [64, 512, 2048])
def test_1_mib_cut_into_small_segments_is_echoed(client, chop):
    payload = payload_of(MIB)
    client.send(TEXT, payload, chop=chop)
    client.expect_message(TEXT, payload)


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_300_round_trips_of_small_messages(client, opcode, size):
    payload = payload_of(size)
    for _ in range(300):
        client.send(opcode, payload)
        client.expect_message(opcode, payload)


def test_a_message_in_1300_byte_fragments_is_joined(client):
    payload = payload_of(65536)
    client.send_bytes(fragments(TEXT, payload, 1300))
    client.expect_message(TEXT, payload)


def test_text_of_four_byte_characters_survives_every_cut(client):
    payload = "😀".encode() * 65536
    client.send_bytes(fragments(TEXT, payload, 1021), chop=3001)
    client.expect_message(TEXT, payload)
