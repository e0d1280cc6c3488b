"""Section 6: text is UTF-8 and nothing else, however it is cut; what is invalid is refused with 1007 as soon as it
shows, not when the message ends."""

import pytest
from rawws import BINARY, CONTINUATION, PING, PONG, TEXT, frame

VALID = {
    "empty": b"",
    "ascii": b"Hello-\x00-\x7f",
    "greek": "Hello-µ@ßöäüàá-UTF-8!! κόσμε".encode(),
    "first of 2 bytes": "\u0080".encode(),
    "last of 2 bytes": "\u07ff".encode(),
    "first of 3 bytes": "\u0800".encode(),
    "last of 3 bytes": "\uffff".encode(),
    "first of 4 bytes": "\U00010000".encode(),
    "last code point": "\U0010ffff".encode(),
    "before surrogates": "\ud7ff".encode(),
    "after surrogates": "\ue000".encode(),
    "replacement character": "\ufffd".encode(),
    "noncharacters": "\ufffe\uffff\ufdd0\U0001fffe\U0002ffff\U0010fffe".encode(),
    "byte order mark": "\ufeffx".encode(),
    "emoji": "👩‍🚀🏽".encode(),
}

INVALID = {
    "continuation alone": b"\x80",
    "last continuation alone": b"\xbf",
    "two continuations": b"\x80\xbf",
    "start of 2 then space": b"\xc3 ",
    "start of 3 then space": b"\xe0\xa0 ",
    "start of 4 then space": b"\xf0\x9f\x98 ",
    "overlong slash in 2": b"\xc0\xaf",
    "overlong slash in 3": b"\xe0\x80\xaf",
    "overlong slash in 4": b"\xf0\x80\x80\xaf",
    "overlong nul": b"\xc0\x80",
    "overlong largest of 2": b"\xc1\xbf",
    "overlong largest of 3": b"\xe0\x9f\xbf",
    "overlong largest of 4": b"\xf0\x8f\xbf\xbf",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "above the last code point": b"\xf4\x90\x80\x80",
    "start of 5": b"\xf8\x88\x80\x80\x80",
    "start of 6": b"\xfc\x84\x80\x80\x80\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "greek with a surrogate": "κόσμε".encode() + b"\xed\xa0\x80edited",
}

UNFINISHED = {"of 2": b"\xc3", "of 3": b"\xe2\x9c", "of 4": b"\xf0\x9f\x98"}


@pytest.mark.parametrize("payload", VALID.values(), ids=VALID.keys())
def test_valid_text_is_echoed_whole_and_in_single_byte_fragments(client, payload):
    client.send(TEXT, payload)
    client.expect_message(TEXT, payload)
    pieces = [payload[i : i + 1] for i in range(len(payload))] or [b""]
    client.send(TEXT, pieces[0], fin=False)
    for piece in pieces[1:]:
        client.send(CONTINUATION, piece, fin=False)
    client.send(CONTINUATION, b"")
    client.expect_message(TEXT, payload)


@pytest.mark.parametrize("payload", INVALID.values(), ids=INVALID.keys())
def test_invalid_text_is_refused_whole(client, payload):
    client.send(TEXT, b"before-" + payload + b"-after")
    client.expect_close(1007)


@pytest.mark.parametrize("payload", INVALID.values(), ids=INVALID.keys())
def test_invalid_text_is_refused_across_fragments(client, payload):
    client.send(TEXT, payload[:1], fin=False)
    for i in range(1, len(payload)):
        client.send(CONTINUATION, payload[i : i + 1], fin=False)
    client.expect_close(1007)  # the message has no end yet


@pytest.mark.parametrize("payload", UNFINISHED.values(), ids=UNFINISHED.keys())
def test_a_message_that_ends_inside_a_character_is_refused(client, payload):
    client.send(TEXT, b"cut-" + payload)
    client.expect_close(1007)


def test_a_fragmented_message_that_ends_inside_a_character_is_refused(client):
    client.send_bytes(frame(TEXT, b"cut-\xe2", fin=False) + frame(CONTINUATION, b"\x9c"))
    client.expect_close(1007)


def test_a_character_cut_by_a_fragment_and_a_ping_is_joined(client):
    client.send_bytes(frame(TEXT, b"\xf0\x9f", fin=False) + frame(PING, b"\xff"))
    client.expect(PONG, b"\xff")  # control payloads are bytes, not text
    client.send(CONTINUATION, b"\x98\x80")
    client.expect_message(TEXT, b"\xf0\x9f\x98\x80")


@pytest.mark.parametrize("payload", [b"\xff\xfe\x80", bytes(range(256))])
def test_binary_may_hold_any_bytes(client, payload):
    client.send(BINARY, payload)
    client.expect_message(BINARY, payload)


def test_invalid_text_is_refused_before_its_message_ends(client):
    client.send(TEXT, "κόσμε".encode(), fin=False)
    client.send(CONTINUATION, b"\xf4\x90\x80\x80", fin=False)
    client.expect_close(1007)


@pytest.mark.parametrize("invalid", [b"\xf4\x90", b"\xed\xa0", b"\xc0", b"\xff", b"\xe0\x80"])
def test_invalid_text_is_refused_before_its_frame_ends(client, invalid):
    """The frame says 1000 bytes and only some arrive: no continuation can save what is already invalid."""
    whole = frame(TEXT, "κόσμε".encode() + invalid + b"x" * 988)
    head = 2 + 2 + 4
    client.send_bytes(whole[: head + len("κόσμε".encode()) + len(invalid)])
    client.expect_close(1007)


def test_an_invalid_byte_is_refused_when_it_arrives_byte_by_byte(client):
    whole = frame(TEXT, b"abc\xf4\x90" + b"x" * 100)
    for byte in whole[: 6 + 5]:
        client.send_bytes(bytes([byte]))
    client.expect_close(1007)
