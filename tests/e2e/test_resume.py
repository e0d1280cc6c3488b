"""Sessions resume after any cut, and both sides go on where they stopped: nothing comes twice, nothing is run twice.
What waits meanwhile: test_mailbox.py. Who may: test_takeover.py. Topics: test_history.py."""

import json
import socket
import time

import pytest
import rawws
import shapes
from peer import V1, Peer, Refused, detach
from stats import metrics

HUB_SETTINGS = {"session.grace": "60s", "limits.rate_per_s": "0", "log.level": "debug"}
RESUMED = shapes.OPENED | {"recovered": bool, "missing?": dict, "replayed": {"ring": int, "history": int}}
SESSION_UNKNOWN, INVALID_PARAMS, INVALID_REQUEST = -32021, -32602, -32600


def fin(peer):
    peer.raw.sock.shutdown(socket.SHUT_WR)
    peer.raw.sock.close()


def close_frame(peer):
    peer.raw.close(1000)
    assert peer.end() == 1000
    peer.raw.sock.close()


def half_a_frame(peer):
    message = rawws.frame(rawws.TEXT, json.dumps({"jsonrpc": "2.0", "id": "half", "method": "echo"}).encode())
    peer.raw.send_bytes(message[: len(message) // 2])
    peer.raw.reset()


def a_fragment(peer):
    peer.raw.send(rawws.TEXT, b'{"jsonrpc":"2.0",', fin=False)
    peer.raw.reset()


CUTS = {"rst": None, "fin": fin, "close": close_frame, "half a frame": half_a_frame, "a fragment": a_fragment}


def cut(peer, hub, how):
    detach(peer, hub, CUTS[how]) if CUTS[how] else detach(peer, hub)


# --- A session goes on


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("plain", [False, True], ids=["v1", "plain"])
def test_a_session_resumes_after_any_end_of_its_connection(hub, how, plain):
    with Peer.open(hub) as other:
        one = Peer.open(hub, {} if plain else {"data": {"name": "Ada"}}, plain=plain)
        one.call("topic.subscribe", {"topic": f"any-{how.replace(' ', '-')}-{plain}"})
        cut(one, hub, how)
        for n in range(3):
            assert other.call("session.send", {"to": one.code, "data": n}) == {"status": "queued"}
        with Peer.resume(hub, one, plain=plain) as again:
            shapes.check(again.opened, RESUMED)
            assert again.opened["resumed"] and again.opened["recovered"]
            assert again.code == one.code
            assert again.opened["session"]["epoch"] == one.opened["session"]["epoch"]
            assert again.opened["session"]["token"] != one.opened["session"]["token"]
            assert again.opened["received"] == one.sent
            assert again.opened["replayed"] == {"ring": 3, "history": 0}
            again.catch_up()
            assert again.data() == [0, 1, 2]
            info = again.call("session.info")
            assert info["topics"] == [f"any-{how.replace(' ', '-')}-{plain}"]
            assert info.get("data") == (None if plain else {"name": "Ada"})


def test_a_quiet_session_resumes_with_nothing_to_say(hub):
    one = Peer.open(hub)
    detach(one, hub)
    with Peer.resume(hub, one) as again:
        assert again.opened["recovered"] and again.opened["replayed"] == {"ring": 0, "history": 0}
        assert (again.opened["sent"], again.opened["received"]) == (0, 0)
        assert again.call("echo", [1]) == [1]


def test_a_session_resumes_again_and_again(hub):
    with Peer.open(hub) as other:
        peer, sessions = Peer.open(hub), set()
        for n in range(20):
            detach(peer, hub)
            other.call("session.send", {"to": peer.code, "data": n})
            again = Peer.resume(hub, peer)
            again.catch_up()
            assert again.data() == [n]
            assert again.call("echo", [n]) == [n]
            sessions.add(again.opened["session"]["token"])
            peer = again
        assert len(sessions) == 20
        peer.raw.sock.close()


def test_a_resume_cut_before_its_answer_is_read_can_be_tried_again(hub):
    with Peer.open(hub) as other:
        one = Peer.open(hub)
        detach(one, hub)
        other.call("session.send", {"to": one.code, "data": "kept"})
        for _ in range(3):
            half = Peer(hub)
            half.exchange("session.resume", one.claim)  # the answer and the replay get lost with the connection
            half.raw.reset()
        with Peer.resume(hub, one) as again:
            again.catch_up()
            assert again.data() == ["kept"]


def test_an_unacknowledged_message_comes_again_and_an_acknowledged_one_does_not(hub):
    one = Peer.open(hub)
    for n in range(10):
        one.call("echo", [n])
    one.ack(4)
    one.call("ping")
    one.received = 7  # as if the last four had been lost with the connection
    detach(one, hub)
    with Peer.resume(hub, one) as again:
        assert again.opened["replayed"]["ring"] == 4 and again.opened["sent"] == 11
        again.catch_up()
        assert [m["result"] for m in again.log[:3]] == [[7], [8], [9]]
    one.received, two = 3, Peer(hub)  # less than was acknowledged: that is gone
    with two:
        one.opened = again.opened
        two.take_over(one)
        assert two.opened["recovered"] is False
        assert two.opened["missing"]["from"] == 4 and two.opened["missing"]["replies"] is True


# --- The client's own messages


def test_messages_the_server_never_got_are_sent_again_and_run_once(hub):
    one = Peer.open(hub)
    one.call("topic.subscribe", {"topic": "once"})
    published = [{"jsonrpc": "2.0", "id": f"p{n}", "method": "topic.publish", "params": {"topic": "once", "data": n}}
                 for n in range(10)]
    for message in published[:5]:
        one.write(message)
    one.answer("p4")
    frames = b"".join(rawws.frame(rawws.TEXT, json.dumps(m).encode()) for m in published[5:])
    one.raw.send_bytes(frames[: len(frames) // 2])
    detach(one, hub)
    with Peer.resume(hub, one) as again:
        got = again.opened["received"] - 1  # but for the subscription
        assert 5 <= got < 10
        for message in published[got:]:
            again.write(message)
        again.answer("p9")
        assert one.data("topic.message") + again.data("topic.message") == list(range(10))
        answers = [m["id"] for peer in (one, again) for m in peer.log if str(m.get("id", "")).startswith("p")]
        assert answers == [f"p{n}" for n in range(10)]


def test_whatever_is_text_counts_once(hub):
    with Peer.open(hub) as peer:
        peer.write("no json")
        peer.write([{"jsonrpc": "2.0", "method": "echo"}, {"jsonrpc": "2.0", "id": 1, "method": "echo"}])
        peer.write({"jsonrpc": "2.0", "method": "echo"})
        peer.write({"jsonrpc": "2.0", "id": 2, "result": 1})
        peer.write({"jsonrpc": "2.0", "id": 3, "method": "session.open"})
        peer.write({"jsonrpc": "2.0", "id": 4, "method": "session.ack", "params": {"received": 0}})
        peer.ack(0)
        info = peer.call("session.info")
        assert info["received"] == peer.sent == 7
        assert info["sent"] + info["unsent"] == 5 and peer.received == 6


def test_session_info_tells_the_same_counts_on_both_sides_across_resumes(hub):
    peer = Peer.open(hub)
    for _ in range(3):
        peer.call("ping")
        detach(peer, hub)
        peer = Peer.resume(hub, peer)
        info = peer.call("session.info")
        assert (info["received"], info["sent"]) == (peer.sent, peer.received - 1)
        assert info["unsent"] == 0
    peer.raw.sock.close()


# --- Acknowledgements


def test_the_server_acknowledges_after_64_messages_or_one_second(hub):
    with Peer.open(hub) as peer:
        for _ in range(63):
            peer.write({"jsonrpc": "2.0", "method": "echo"})
        peer.call("ping")
        peer.take() if not peer.acks else None
        assert peer.acks == [64]
        peer.write({"jsonrpc": "2.0", "method": "echo"})
        start = time.monotonic()
        peer.next("session.ack")
        assert peer.acks == [64, 65] and 0.5 < time.monotonic() - start < 20


def test_a_plain_client_gets_acks_only_once_it_has_shown_that_it_knows_them(hub):
    with Peer.open(hub, plain=True) as peer:
        for _ in range(130):
            peer.write({"jsonrpc": "2.0", "method": "echo"})
        peer.call("ping")
        time.sleep(1.3)
        peer.call("ping")
        assert peer.acks == []
        peer.ack()
        for _ in range(64):
            peer.write({"jsonrpc": "2.0", "method": "echo"})
        peer.next("session.ack")


def test_a_plain_client_that_resumed_gets_acks(hub):
    one = Peer.open(hub, plain=True)
    detach(one, hub)
    with Peer.resume(hub, one, plain=True) as again:
        for _ in range(64):
            again.write({"jsonrpc": "2.0", "method": "echo"})
        again.next("session.ack")
        assert again.acks == [64]


def test_an_ack_of_more_than_was_sent_closes_with_1002(hub):
    with Peer.open(hub) as peer:
        peer.call("ping")
        peer.ack(2)
        assert peer.end() == 1002


def test_session_ack_as_a_call_is_answered_and_counted(hub):
    with Peer.open(hub) as peer:
        assert peer.call("session.ack", {"received": 0}) is None
        assert peer.call("session.info")["received"] == 2


def test_claiming_more_than_was_ever_sent_is_refused_and_harms_nothing(hub):
    one = Peer.open(hub)
    one.call("ping")
    detach(one, hub)
    with Peer(hub) as two:
        with pytest.raises(Refused) as refused:
            two.exchange("session.resume", one.claim | {"received": 2})
        assert refused.value.code == INVALID_PARAMS and refused.value.error["data"]["field"] == "received"
        two.take_over(one)
        assert two.opened["recovered"]


# --- Plain mode


def test_in_plain_mode_the_fresh_session_gives_way_to_the_resumed_one(hub):
    one = Peer.open(hub, plain=True)
    detach(one, hub)
    with Peer.open(hub) as other, Peer.resume(hub, one, plain=True) as again:
        assert again.code == one.code != again.fresh["session"]["code"]
        assert other.fails("session.send", {"to": again.fresh["session"]["code"], "data": 1})["code"] == -32026


def test_in_plain_mode_a_refused_resume_leaves_the_fresh_session_and_may_be_tried_again(hub):
    one = Peer.open(hub, plain=True)
    detach(one, hub)
    with Peer.open(hub, plain=True) as two:
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                two.exchange("session.resume", one.claim | {"epoch": "A" * 11})
            assert refused.value.code == SESSION_UNKNOWN
        two.take_over(one)
        assert two.code == one.code
    with Peer.open(hub, plain=True) as three:
        with pytest.raises(Refused):
            three.exchange("session.resume", one.claim | {"code": "no-body-1"})
        info = three.call("session.info")
        assert info["code"] == three.fresh["session"]["code"] and info["received"] == 1


def test_in_plain_mode_a_resume_that_is_not_the_first_message_is_an_ordinary_call(hub):
    one = Peer.open(hub, plain=True)
    detach(one, hub)
    with Peer.open(hub, plain=True) as two:
        two.call("ping")
        assert two.fails("session.resume", one.claim)["code"] == INVALID_REQUEST
        assert two.call("session.info")["code"] == two.code
    with Peer.resume(hub, one, plain=True) as again:
        assert again.opened["recovered"]
        assert again.fails("session.resume", again.claim)["code"] == INVALID_REQUEST


def test_a_plain_session_resumes_on_v1_and_back(hub):
    one = Peer.open(hub, plain=True)
    detach(one, hub)
    two = Peer.resume(hub, one)
    two.call("ping")
    detach(two, hub)
    with Peer.resume(hub, two, plain=True) as three:
        assert three.code == one.code and three.call("echo", [3]) == [3]


# --- Everything is told


def test_a_resume_is_logged_and_counted(start_hub):
    server = start_hub({"log.level": "debug"})
    one = Peer.open(server)
    detach(one, server)
    with Peer.resume(server, one) as again:
        assert server.wait_event("session resumed", session=one.code).level == "DEBUG"
        assert metrics(server).value("hubbub_resumes_total", result="recovered") == 1
        assert again.call("hub.stats")["sessions"]["resumed"] == 1
        assert again.raw.headers["sec-websocket-protocol"] == V1
