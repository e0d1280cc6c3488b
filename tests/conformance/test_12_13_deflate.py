"""Sections 12 and 13: permessage-deflate (RFC 7692): messages of every size both ways, every negotiation parameter,
and the limits of what may be compressed."""

import re
import zlib

import pytest
import rawws
from rawws import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, HandshakeRefused

EXTENSION = "Sec-WebSocket-Extensions"
PROSE = b"It was the best of times, it was the worst of times, it was the age of wisdom. "


class DeflateClient:
    """permessage-deflate from the client's side, by what the server agreed to."""

    def __init__(self, address, offer):
        self.raw = rawws.connect(address, headers=[(EXTENSION, offer)])
        self.agreed = parse_agreement(self.raw.headers.get(EXTENSION.lower(), ""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.sock.close()

    def start(self):
        """Called once the agreement is known to be there."""
        assert self.agreed is not None, "not negotiated"
        # zlib cannot deflate into a raw 8-bit window; with 9 bits no match reaches back further than 512 - 262 bytes,
        # which an 8-bit window holds.
        self.client_bits = int(self.agreed.get("client_max_window_bits") or 15)
        self.server_bits = int(self.agreed.get("server_max_window_bits") or 15)
        self.deflater, self.inflater = self.new_deflater(), self.new_inflater()
        return self

    def new_deflater(self):
        return zlib.compressobj(6, zlib.DEFLATED, -max(9, self.client_bits))

    def new_inflater(self):
        return zlib.decompressobj(-self.server_bits)

    def deflated(self, message):
        if "client_no_context_takeover" in self.agreed:
            self.deflater = self.new_deflater()
        body = self.deflater.compress(message) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        return body[:-4]

    def send(self, opcode, message, pieces=1):
        """Compressed, in `pieces` fragments; RSV1 stands on the first only (RFC 7692 section 6.1)."""
        body = self.deflated(message)
        step = max(1, -(-len(body) // pieces))
        parts = [body[i : i + step] for i in range(0, len(body), step)] or [b""]
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            self.raw.send(CONTINUATION if i else opcode, part, rsv=0 if i else 4, fin=last)

    def receive(self):
        """One message, inflated if it came compressed; also whether it did."""
        first, body = None, b""
        while True:
            got = self.raw.receive()
            assert got is not None, "the connection ended"
            assert got.opcode != CLOSE, got.payload
            assert got.rsv in ((0, 4) if first is None else (0,)), f"reserved bits {got.rsv}"
            first, body = first or got, body + got.payload
            if got.fin:
                break
        if not first.rsv:
            return first.opcode, body, False
        if "server_no_context_takeover" in self.agreed:
            self.inflater = self.new_inflater()
        text = self.inflater.decompress(body + b"\x00\x00\xff\xff")
        assert not self.inflater.unconsumed_tail
        return first.opcode, text, True

    def echo(self, opcode, message, pieces=1):
        self.send(opcode, message, pieces)
        got_opcode, got, compressed = self.receive()
        assert (got_opcode, len(got)) == (opcode, len(message))
        assert got == message
        return compressed


def parse_agreement(value):
    """Parameters of the accepted permessage-deflate as a dict, or None if it was declined."""
    if not value:
        return None
    assert "," not in value, f"more than one extension accepted: {value}"
    name, *parameters = (part.strip() for part in value.split(";"))
    assert name == "permessage-deflate", value
    agreed = {}
    for parameter in parameters:
        key, _, text = parameter.partition("=")
        assert key.strip() not in agreed, f"repeated: {value}"
        agreed[key.strip()] = text.strip().strip('"')
    return agreed


def text_of(size):
    return (PROSE * (size // len(PROSE) + 1))[:size]


def noise_of(size):
    """Bytes without repeats worth compressing, always the same ones."""
    value, out = 12345, bytearray()
    while len(out) < size:
        value = (value * 6364136223846793005 + 1442695040888963407) % 2**64
        out += (value >> 16).to_bytes(8, "little")[:6]
    return bytes(out[:size])


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_compressed_messages_of_every_size_are_echoed(address, opcode, size):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start()
        for _ in range(20):
            compressed = client.echo(opcode, text_of(size))
        assert compressed or size < 4096, "a large compressible message came back uncompressed"


@pytest.mark.parametrize("size", [100, 10_000, 1_000_000])
def test_incompressible_messages_are_echoed(address, size):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start()
        client.echo(BINARY, noise_of(size))


@pytest.mark.parametrize("pieces", [2, 7, 100])
def test_a_compressed_message_in_fragments_is_echoed(address, pieces):
    with DeflateClient(address, "permessage-deflate; client_max_window_bits") as client:
        client.start()
        for _ in range(5):
            client.echo(TEXT, text_of(20_000), pieces)


def test_1000_compressed_messages_in_a_row_are_echoed_in_order(address):
    with DeflateClient(address, "permessage-deflate; client_max_window_bits") as client:
        client.start()
        for start in range(0, 1000, 100):
            texts = [PROSE * 4 + str(i).encode() for i in range(start, start + 100)]
            for text in texts:
                client.send(TEXT, text)
            assert [client.receive()[1] for _ in texts] == texts


def test_16_mib_compressed_are_echoed(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start().echo(TEXT, text_of(16 * 1024 * 1024))


CLIENT_WINDOWS = ["", "; client_max_window_bits"] + [f"; client_max_window_bits={n}" for n in (8, 9, 12, 15)]
SERVER_WINDOWS = [""] + [f"; server_max_window_bits={n}" for n in range(8, 16)]
TAKEOVERS = ["", "; server_no_context_takeover", "; client_no_context_takeover"]
TAKEOVERS.append(TAKEOVERS[1] + TAKEOVERS[2])


@pytest.mark.parametrize("server_window", SERVER_WINDOWS)
@pytest.mark.parametrize("client_window", CLIENT_WINDOWS)
def test_every_combination_of_parameters_is_honoured(address, client_window, server_window):
    for takeover in TAKEOVERS:
        offer = "permessage-deflate" + takeover + client_window + server_window
        with DeflateClient(address, offer) as client:
            check_agreement(offer, client.agreed)
            client.start()
            # Repeats at distances of 250, 3,000 and 20,000 bytes: a window too large by the agreement fails to inflate.
            for distance in (250, 3_000, 20_000):
                unit = noise_of(distance).hex().encode()[:distance]
                client.echo(TEXT, unit * 3)
            client.echo(TEXT, text_of(5_000), pieces=3)


def check_agreement(offer, agreed):
    """RFC 7692 section 7.1: what the answer must and may contain for an offer."""
    assert agreed is not None, f"declined: {offer}"
    if "server_no_context_takeover" in offer:
        assert "server_no_context_takeover" in agreed
    asked = re.search(r"server_max_window_bits=(\d+)", offer)
    if asked:
        assert 8 <= int(agreed["server_max_window_bits"]) <= int(asked.group(1))
    if "client_max_window_bits" not in offer:
        assert "client_max_window_bits" not in agreed, "the client cannot know this parameter"
    hint = re.search(r"client_max_window_bits=(\d+)", offer)
    if hint and "client_max_window_bits" in agreed:
        assert 8 <= int(agreed["client_max_window_bits"]) <= int(hint.group(1))
    known = {"server_no_context_takeover", "client_no_context_takeover"}
    assert set(agreed) <= known | {"server_max_window_bits", "client_max_window_bits"}


BAD_OFFERS = [
    "permessage-deflate; unknown",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; client_max_window_bits=0",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=abc",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
    "x-webkit-deflate-frame",
    "permessage-bzip2",
]


@pytest.mark.parametrize("offer", BAD_OFFERS)
def test_an_unacceptable_offer_is_declined_and_the_connection_works(address, offer):
    with DeflateClient(address, offer) as client:
        assert client.agreed is None
        client.raw.send(TEXT, b"plain")
        client.raw.expect_message(TEXT, b"plain")


@pytest.mark.parametrize("offer", BAD_OFFERS)
def test_the_next_offer_is_taken_when_one_is_declined(address, offer):
    with DeflateClient(address, f"{offer}, permessage-deflate") as client:
        client.start().echo(TEXT, text_of(1000))


def test_quoted_values_and_spare_spaces_are_understood(address):
    offer = 'permessage-deflate ;  server_max_window_bits = "10" ; client_max_window_bits'
    try:
        with DeflateClient(address, offer) as client:
            client.start()
            assert int(client.agreed["server_max_window_bits"]) <= 10
            client.echo(TEXT, text_of(5000))
    except HandshakeRefused as refused:  # spaces around "=" are bad grammar: refusing them is within the RFC
        assert refused.status == 400


def test_uncompressed_messages_are_taken_on_a_compressing_connection(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start()
        client.raw.send(TEXT, text_of(1000))
        assert client.receive()[:2] == (TEXT, text_of(1000))
        client.echo(TEXT, text_of(1000))


def test_control_frames_between_compressed_fragments_are_plain(address):
    with DeflateClient(address, "permessage-deflate") as client:
        body = client.start().deflated(text_of(1000))
        client.raw.send(TEXT, body[:10], rsv=4, fin=False)
        client.raw.send(PING, b"now")
        client.raw.expect(PONG, b"now")
        client.raw.send(CONTINUATION, body[10:])
        assert client.receive()[:2] == (TEXT, text_of(1000))


@pytest.mark.parametrize("opcode,rsv", [(PING, 4), (CLOSE, 4), (TEXT, 2), (TEXT, 1), (TEXT, 6)])
def test_reserved_bits_beyond_the_extension_are_a_protocol_error(address, opcode, rsv):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start().raw.send(opcode, b"", rsv=rsv)
        client.raw.expect_close(1002)


def test_rsv1_on_a_continuation_is_a_protocol_error(address):
    with DeflateClient(address, "permessage-deflate") as client:
        body = client.start().deflated(text_of(1000))
        client.raw.send(TEXT, body[:10], rsv=4, fin=False)
        client.raw.send(CONTINUATION, body[10:], rsv=4)
        client.raw.expect_close(1002)


def test_corrupt_compressed_data_is_refused(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start().raw.send(BINARY, b"\xff\xff\xff\xff\xff", rsv=4)
        client.raw.expect_close(1007, 1002)


def test_invalid_utf8_inside_compressed_text_is_refused(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start().send(TEXT, b"abc\xed\xa0\x80def")
        client.raw.expect_close(1007)


def test_several_blocks_and_a_final_block_are_understood(address):
    """RFC 7692 sections 7.2.3.4 and 7.2.3.5: a message may hold many DEFLATE blocks, and one with BFINAL set."""
    with DeflateClient(address, "permessage-deflate") as client:
        client.start()
        deflater = client.new_deflater()
        body = b"".join(deflater.compress(PROSE) + deflater.flush(zlib.Z_SYNC_FLUSH) for _ in range(5))
        client.raw.send(TEXT, body[:-4], rsv=4)
        assert client.receive()[:2] == (TEXT, PROSE * 5)
        deflater = client.new_deflater()
        client.raw.send(TEXT, deflater.compress(PROSE) + deflater.flush() + b"\x00", rsv=4)
        assert client.receive()[:2] == (TEXT, PROSE)


def test_stored_blocks_are_understood(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start()
        deflater = zlib.compressobj(0, zlib.DEFLATED, -15)
        body = deflater.compress(PROSE) + deflater.flush(zlib.Z_SYNC_FLUSH)
        client.raw.send(TEXT, body[:-4], rsv=4)
        assert client.receive()[:2] == (TEXT, PROSE)


def test_an_empty_compressed_message_is_an_empty_message(address):
    with DeflateClient(address, "permessage-deflate") as client:
        client.start().raw.send(TEXT, b"\x00", rsv=4)
        assert client.receive()[:2] == (TEXT, b"")
