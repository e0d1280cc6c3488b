"""While nobody is attached: what waits for a session, what gives way, and how the client is told what is gone."""

import time

import pytest
from peer import Peer, detach
from stats import metrics

HUB_SETTINGS = {"session.grace": "60s", "limits.rate_per_s": "0", "log.level": "debug"}
MAILBOX_FULL = -32027


def test_messages_of_all_kinds_wait_in_order(hub):
    with Peer.open(hub) as other:
        one = Peer.open(hub)
        one.call("topic.subscribe", {"topic": "mixed"})
        detach(one, hub)
        assert other.call("session.send", {"to": one.code, "data": 1}) == {"status": "queued"}
        other.call("topic.publish", {"topic": "mixed", "data": 2})
        other.call("hub.broadcast", {"data": 3})
        other.call("session.send", {"to": one.code, "data": 4})
        with Peer.resume(hub, one) as again:
            again.catch_up()
            assert [(m["method"], m["params"]["data"]) for m in again.log] == [
                ("session.message", 1), ("topic.message", 2), ("hub.message", 3), ("session.message", 4)]
            assert other.call("session.send", {"to": one.code, "data": 5}) == {"status": "delivered"}
            assert again.next("session.message") == {"from": other.code, "data": 5}


def test_direct_messages_do_not_give_way_and_a_full_mailbox_is_told(start_hub):
    server = start_hub({"replay.messages": "4", "log.level": "debug", "history.messages": "0"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        one.call("topic.subscribe", {"topic": "t"})
        one.ack()
        one.call("ping")
        one.ack()
        one.call("ping")
        one.ack()
        detach(one, server)
        for n in range(3):
            other.call("topic.publish", {"topic": "t", "data": f"t{n}"})
            other.call("session.send", {"to": one.code, "data": n})
        assert other.call("session.send", {"to": one.code, "data": 3}) == {"status": "queued"}
        error = other.fails("session.send", {"to": one.code, "data": 4})
        assert error["code"] == MAILBOX_FULL and error["data"]["retryable"] is True
        with Peer.resume(server, one) as again:
            assert again.opened["recovered"] is False
            again.catch_up()
            assert again.data() == [0, 1, 2, 3] and again.data("topic.message") == []
            lost = sum(gap["to"] - gap["from"] + 1 for gap in again.gaps)
            if "missing" in again.opened:
                lost += again.opened["missing"]["to"] - again.opened["missing"]["from"] + 1
            assert lost == 3
            assert not any(gap["replies"] for gap in again.gaps)


def test_what_the_mailbox_let_go_is_named_exactly(start_hub):
    server = start_hub({"replay.messages": "5", "log.level": "debug", "history.messages": "0"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        one.call("topic.subscribe", {"topic": "t"})
        one.ack()
        detach(one, server)
        for n in range(1, 13):
            other.call("topic.publish", {"topic": "t", "data": n})
        with Peer.resume(server, one) as again:
            assert again.opened["missing"] == {"from": 2, "to": 8, "replies": False}
            assert again.opened["replayed"] == {"ring": 5, "history": 0}
            again.catch_up()
            assert again.data("topic.message") == [8, 9, 10, 11, 12] and again.gaps == []
            assert again.received == again.opened["sent"] == 13
            assert again.call("session.info")["sent"] == 13
    assert metrics(server).value("hubbub_resumes_total", result="incomplete") == 1
    assert metrics(server).value("hubbub_replayed_messages_total", **{"from": "ring"}) == 5


def test_what_the_mailbox_let_go_comes_back_out_of_the_topics_histories(start_hub):
    server = start_hub({"replay.messages": "4", "history.messages": "100", "log.level": "debug"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        for topic in ("a", "b"):
            one.call("topic.subscribe", {"topic": topic})
        one.ack()
        detach(one, server)
        wanted = []
        for n in range(12):
            topic = "ab"[n % 3 == 0]
            other.call("topic.publish", {"topic": topic, "data": n})
            wanted.append((topic, n))
        other.call("session.send", {"to": one.code, "data": "direct"})
        with Peer.resume(server, one) as again:
            assert again.opened["recovered"] is True and "missing" not in again.opened
            assert again.opened["replayed"] == {"ring": 4, "history": 9}
            again.catch_up()
            assert [(m["params"]["topic"], m["params"]["data"]) for m in again.log[:-1]] == wanted
            assert again.data() == ["direct"]
    assert metrics(server).value("hubbub_replayed_messages_total", **{"from": "history"}) == 9
    assert metrics(server).value("hubbub_resumes_total", result="recovered") == 1


def test_what_histories_have_not_either_is_a_gap_in_the_stream(start_hub):
    server = start_hub({"replay.messages": "4", "history.messages": "3", "log.level": "debug"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        one.call("topic.subscribe", {"topic": "t"})
        one.ack()
        detach(one, server)
        other.call("session.send", {"to": one.code, "data": "first"})
        for n in range(1, 11):
            other.call("topic.publish", {"topic": "t", "data": n})
        other.call("session.send", {"to": one.code, "data": "last"})
        with Peer.resume(server, one) as again:
            assert again.opened["recovered"] is False and "missing" not in again.opened
            again.catch_up()
            assert again.data("topic.message") == [8, 9, 10]
            assert again.gaps == [{"from": 3, "to": 9, "replies": False}]
            assert again.data() == ["first", "last"]
            assert again.received == 13


def test_replay_is_bounded_in_bytes(start_hub):
    server = start_hub({"replay.bytes": "4KiB", "log.level": "debug", "history.messages": "0"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        one.call("topic.subscribe", {"topic": "t"})
        one.ack()
        detach(one, server)
        for n in range(10):
            other.call("topic.publish", {"topic": "t", "data": f"{n}" * 1000})
        with Peer.resume(server, one) as again:
            assert again.opened["missing"] == {"from": 2, "to": 8, "replies": False}
            again.catch_up()
            assert [data[0] for data in again.data("topic.message")] == ["7", "8", "9"]


@pytest.mark.parametrize("key", ["replay.messages", "replay.bytes", "replay.age"])
def test_without_replay_everything_unread_is_named_and_the_session_stays(start_hub, key):
    server = start_hub({key: "0", "log.level": "debug", "history.messages": "0"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        one.call("topic.subscribe", {"topic": "t"})
        detach(one, server)
        other.call("topic.publish", {"topic": "t", "data": 1})
        assert other.fails("session.send", {"to": one.code, "data": 2})["code"] == MAILBOX_FULL
        with Peer.resume(server, one) as again:
            assert again.opened["resumed"] and not again.opened["recovered"]
            assert again.opened["missing"] == {"from": 2, "to": 2, "replies": False}
            assert again.call("session.info")["topics"] == ["t"]


def test_what_is_too_old_goes(start_hub):
    server = start_hub({"replay.age": "1s", "log.level": "debug", "history.messages": "0"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        detach(one, server)
        other.call("session.send", {"to": one.code, "data": "old"})
        time.sleep(2.5)
        other.call("session.send", {"to": one.code, "data": "new"})
        with Peer.resume(server, one) as again:
            assert again.opened["missing"] == {"from": 1, "to": 1, "replies": False}
            again.catch_up()
            assert again.data() == ["new"]


def test_answers_that_were_let_go_are_told_as_such(start_hub):
    server = start_hub({"replay.messages": "3", "log.level": "debug"})
    one = Peer.open(server)
    for n in range(8):
        one.call("echo", [n])
    one.received = 0  # as if none had arrived
    detach(one, server)
    with Peer.resume(server, one) as again:
        assert again.opened["missing"] == {"from": 1, "to": 5, "replies": True}
        assert again.opened["received"] == 8
        again.catch_up()
        assert [m["result"] for m in again.log] == [[5], [6], [7]]
