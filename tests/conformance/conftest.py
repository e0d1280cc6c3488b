"""The WebSocket conformance suite: RFC 6455 and RFC 7692 checked frame by frame against an echo server, in the order
of the sections of the Autobahn suite. It runs against `hubbub serve --echo`, or against any server that echoes every
text and binary message when HUBBUB_CONFORMANCE_ADDRESS=HOST:PORT names it (then /ws is the path)."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))  # hub
import rawws  # noqa: E402
from hub import Hub  # noqa: E402

TEST_DEADLINE_S = 90


@pytest.fixture(scope="session")
def address():
    named = os.environ.get("HUBBUB_CONFORMANCE_ADDRESS")
    if named:
        host, _, port = named.rpartition(":")
        yield host, int(port)
        return
    server = Hub(args=["--echo"]).start()
    try:
        yield server.address
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def deadline():
    def expire(*_):
        raise TimeoutError(f"the test took longer than {TEST_DEADLINE_S} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(TEST_DEADLINE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def client(address):
    """A fresh connection without extensions."""
    with rawws.connect(address) as connection:
        yield connection
