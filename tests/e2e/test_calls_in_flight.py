"""A call that is in flight when its connection is cut runs once and is answered once, on the connection that comes
next. Uses tests/torture's server, whose counter.later answers late from another thread; HUBBUB_TORTURE_SERVER names it,
else it is looked for beside the hub's own binary."""

import os
from pathlib import Path

import pytest
from hub import Hub, binary
from peer import Peer, detach

PROGRAM = Path(os.environ.get("HUBBUB_TORTURE_SERVER") or Path(binary()).parent / "tests/torture_server")
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not there: build torture_server")


@pytest.fixture(scope="module")
def hub():
    server = Hub({"session.grace": "60s", "limits.rate_per_s": "0", "log.level": "debug", "replay.messages": "20"})
    server.command[:2] = [str(PROGRAM)]
    try:
        yield server.start()
    finally:
        server.stop()


def later(peer, counter, ms):
    return peer.request("counter.later", {"counter": counter, "n": 1, "ms": ms})


def test_an_answer_that_is_ready_while_nobody_is_attached_waits(hub):
    one = Peer.open(hub)
    id = later(one, "waits", 300)
    one.call("ping")
    detach(one, hub)
    with Peer.open(hub) as other:
        other.answer(later(other, "elsewhere", 800))  # so the answer is ready by now
    with Peer.resume(hub, one) as again:
        assert again.opened["sent"] == 2 and again.opened["recovered"]
        assert again.answer(id)["result"] == 1
        assert again.call("counter.get", {"counter": "waits"}) == 1


def test_an_answer_that_is_not_ready_at_the_resume_comes_afterwards(hub):
    one = Peer.open(hub)
    id = later(one, "after", 2500)
    one.call("ping")
    detach(one, hub)
    with Peer.resume(hub, one) as again:
        assert again.call("session.info")["calls_in_flight"] == 1
        assert again.answer(id)["result"] == 1


def test_a_call_in_flight_survives_a_takeover_and_can_be_cancelled_after_it(hub):
    one = Peer.open(hub)
    id, cancelled = later(one, "taken", 1500), later(one, "cancelled", 9000)
    one.call("ping")
    with Peer.resume(hub, one) as two:
        assert one.end() == 4512
        two.request("$/cancelRequest", {"id": cancelled})
        assert two.answer(cancelled)["error"]["code"] == -32800
        assert two.answer(id)["result"] == 1
    one.raw.sock.close()


def test_answers_are_kept_when_topics_fill_the_mailbox(hub):
    with Peer.open(hub) as other:
        one = Peer.open(hub)
        one.call("topic.subscribe", {"topic": "noise"})
        ids = [later(one, "kept", 400) for _ in range(5)]
        one.call("ping")
        one.ack()
        detach(one, hub)
        for n in range(60):
            other.call("topic.publish", {"topic": "noise", "data": n})
        other.answer(later(other, "elsewhere", 1000))
        for n in range(60):
            other.call("topic.publish", {"topic": "noise", "data": n})
        with Peer.resume(hub, one) as again:
            again.catch_up()
            answers = {m["id"]: m["result"] for m in again.log if "id" in m}
            assert answers == {id: n for n, id in enumerate(ids, 1)}
            assert not any(gap["replies"] for gap in again.gaps)


def test_calls_sent_again_run_once_however_often_the_connection_is_cut(hub):
    peer, calls = Peer.open(hub), 60
    written = [
        {"jsonrpc": "2.0", "id": f"c{n}", "method": "counter.add", "params": {"counter": "again", "n": 1}}
        for n in range(calls)
    ]
    results = []
    for stop in range(3, calls + 4, 3):
        for message in written[peer.sent : min(stop + 5, calls)]:
            peer.write(message)
        peer.raw.reset()  # with some of them on their way
        again = Peer.resume(hub, peer)
        again.catch_up()
        results += [m["result"] for m in again.log]
        peer = again
    for message in written[peer.sent :]:
        peer.write(message)
    while len(results) < calls:
        results.append(peer.take()["result"]) if not results or results[-1] < calls else None
    assert results == list(range(1, calls + 1))
    assert peer.call("counter.get", {"counter": "again"}) == calls
    peer.raw.sock.close()
