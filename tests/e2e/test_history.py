"""What topics keep, who is there, and what a resume does about both: late subscribers catch up without a hole or a
double, members stay through their grace time, and watchers are told once for many changes."""

import itertools
import json
import time

import pytest
from peer import Peer, detach

HUB_SETTINGS = {"session.grace": "60s", "limits.rate_per_s": "0", "log.level": "debug", "presence.interval": "50ms",
                "history.messages": "10", "replay.messages": "20", "limits.ip_connects_per_s": "0"}
INVALID_PARAMS, NOT_IN_HISTORY = -32602, -32031
names = (f"topic-{n}" for n in itertools.count())


def publish(peer, topic, *data):
    for item in data:
        peer.call("topic.publish", {"topic": topic, "data": item})


def subscribe(peer, topic, **params):
    return peer.call("topic.subscribe", {"topic": topic, **params})


def messages(peer, topic):
    return [
        (m["params"]["offset"], m["params"]["data"])
        for m in peer.log
        if isinstance(m, dict) and m.get("method") == "topic.message" and m["params"]["topic"] == topic
    ]


# --- History


def test_a_subscriber_with_since_gets_what_came_after_and_then_live_messages(hub):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as two:
        publish(one, topic, *range(1, 7))
        epoch = one.call("topic.history", {"topic": topic})["epoch"]
        answer = subscribe(two, topic, since={"epoch": epoch, "offset": 2})
        assert answer == {"epoch": epoch, "offset": 6, "recovered": True}
        publish(one, topic, 7)
        two.until(lambda m: m.get("params", {}).get("offset") == 7)
        assert messages(two, topic) == [(n, n) for n in range(3, 8)]


@pytest.mark.parametrize(("since", "recovered", "first"), [(0, False, 6), (4, False, 6), (5, True, 6), (15, True, 16)])
def test_since_tells_whether_all_of_it_is_there(hub, since, recovered, first):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as two:
        publish(one, topic, *range(1, 16))  # of which ten are kept
        epoch = one.call("topic.history", {"topic": topic})["epoch"]
        assert subscribe(two, topic, since={"epoch": epoch, "offset": since})["recovered"] is recovered
        two.call("ping")
        assert [offset for offset, _ in messages(two, topic)] == list(range(first, 16))


def test_since_of_another_epoch_gets_everything_that_is_kept(hub):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as two:
        publish(one, topic, 1, 2, 3)
        assert subscribe(two, topic, since={"epoch": "A" * 11, "offset": 3})["recovered"] is False
        two.call("ping")
        assert messages(two, topic) == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(("last", "offsets"), [(0, []), (2, [14, 15]), (1000, list(range(6, 16)))])
def test_last_gives_the_most_recent_messages(hub, last, offsets):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as two:
        publish(one, topic, *range(1, 16))
        assert "recovered" not in subscribe(two, topic, last=last)
        two.call("ping")
        assert [offset for offset, _ in messages(two, topic)] == offsets


def test_history_is_told_without_subscribing(hub):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as two:
        publish(one, topic, *range(1, 16))
        all_kept = two.call("topic.history", {"topic": topic})
        epoch = all_kept["epoch"]
        assert all_kept["offset"] == 15
        assert all_kept["messages"] == [{"offset": n, "data": n} for n in range(6, 16)]
        assert [m["offset"] for m in two.call("topic.history", {"topic": topic, "limit": 2})["messages"]] == [14, 15]
        since = {"epoch": epoch, "offset": 7}
        found = two.call("topic.history", {"topic": topic, "since": since, "limit": 3})
        assert [m["offset"] for m in found["messages"]] == [8, 9, 10]
        lost = two.fails("topic.history", {"topic": topic, "since": since | {"offset": 4}})
        assert lost["code"] == NOT_IN_HISTORY
        other = two.fails("topic.history", {"topic": topic, "since": since | {"epoch": "A" * 11}})
        assert other["code"] == NOT_IN_HISTORY
        publish(one, topic, 16)
        two.call("ping")
        assert messages(two, topic) == []


def test_asking_for_the_history_of_an_unused_topic_does_not_create_it(hub):
    topic = next(names)
    with Peer.open(hub) as one:
        before = one.call("hub.stats")["topics"]
        nothing = {"epoch": "", "offset": 0, "messages": []}
        assert one.call("topic.history", {"topic": topic}) == nothing
        assert one.call("hub.stats")["topics"] == before


@pytest.mark.parametrize(
    "params", [{"since": {"epoch": "A", "offset": 0}, "last": 1}, {"last": -1}, {"since": {"offset": 1}}, {"since": 1}]
)
def test_wrong_params_of_subscribe_are_told(hub, params):
    with Peer.open(hub) as one:
        assert one.fails("topic.subscribe", {"topic": "wrong", **params})["code"] == INVALID_PARAMS
        assert one.call("session.info")["topics"] == []


@pytest.mark.parametrize("limit", [0, 1001, "1"])
def test_wrong_limits_of_history_are_told(hub, limit):
    with Peer.open(hub) as one:
        assert one.fails("topic.history", {"topic": "wrong", "limit": limit})["code"] == INVALID_PARAMS


def test_history_data_is_passed_on_byte_for_byte(hub):
    topic, data = next(names), '{"b" : 1.0,  "a":[1e2, "\\u00e9"]}'
    with Peer.open(hub) as one:
        one.write('{"jsonrpc":"2.0","id":1,"method":"topic.publish","params":{"topic":"%s","data":%s}}' % (topic, data))
        one.answer(1)
        one.raw.text(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "topic.history", "params": {"topic": topic}}))
        assert data.encode() in one.raw.receive_message()[1]


def test_a_batch_that_subscribes_and_publishes_keeps_its_order(hub):
    topic = next(names)

    def call(id, method, **params):
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": {"topic": topic, **params}}

    with Peer.open(hub) as one:
        publish(one, topic, "before")
        one.write([
            call("p1", "topic.publish", data="missed"),
            call("s", "topic.subscribe", last=10),
            call("p2", "topic.publish", data="live"),
        ])
        answers = one.until(lambda m: isinstance(m, list))
        assert {a["id"] for a in answers} == {"p1", "s", "p2"} and all("result" in a for a in answers)
        one.call("ping")
        assert messages(one, topic) == [(1, "before"), (2, "missed"), (3, "live")]
        kinds = ["answers" if isinstance(m, list) else m.get("method") for m in one.log[1:]]
        assert kinds.index("answers") < kinds.index("topic.message")


def test_a_lost_session_catches_up_with_a_new_one_from_where_it_was(start_hub):
    server = start_hub({"session.grace": "50ms", "log.level": "debug"})
    with Peer.open(server) as other:
        one = Peer.open(server)
        at = subscribe(one, "news")
        publish(other, "news", 1)
        one.next("topic.message")
        detach(one, server)
        server.wait_event("session expired", session=one.code)
        publish(other, "news", 2, 3)
        with Peer.open(server) as two:
            assert subscribe(two, "news", since={"epoch": at["epoch"], "offset": 1})["recovered"] is True
            two.call("ping")
            assert messages(two, "news") == [(2, 2), (3, 3)]


def test_a_resume_in_the_middle_of_catching_up_loses_nothing(hub):
    topic = next(names)
    with Peer.open(hub) as other:
        publish(other, topic, *range(1, 11))
        one = Peer.open(hub)
        one.request("topic.subscribe", {"topic": topic, "last": 10})
        one.answer(1)
        for _ in range(4):
            one.take()
        detach(one, hub)
        publish(other, topic, 11)
        with Peer.resume(hub, one) as again:
            assert again.opened["recovered"] is True
            again.catch_up()
            assert messages(one, topic) + messages(again, topic) == [(n, n) for n in range(1, 12)]


# --- Presence


def presence(peer):
    return peer.next("topic.presence")


def test_watchers_are_told_who_comes_and_goes(hub):
    topic = next(names)
    with Peer.open(hub) as watcher:
        subscribe(watcher, topic, presence=True)
        one = Peer.open(hub)
        subscribe(one, topic)
        seen = presence(watcher)
        while one.code not in seen.get("joined", []):
            seen = presence(watcher)
        assert seen["topic"] == topic and seen["count"] == 2 and "left" not in seen and "more" not in seen
        one.call("topic.unsubscribe", {"topic": topic})
        assert presence(watcher) == {"topic": topic, "count": 1, "left": [one.code]}
        subscribe(one, topic)
        presence(watcher)
        one.call("session.close")
        assert presence(watcher) == {"topic": topic, "count": 1, "left": [one.code]}
        one.raw.sock.close()


def test_members_are_those_who_subscribe_detached_or_not(hub):
    topic = next(names)
    with Peer.open(hub) as one, Peer.open(hub) as asker:
        two = Peer.open(hub)
        assert asker.call("topic.presence", {"topic": topic}) == {"count": 0, "members": []}
        subscribe(one, topic)
        subscribe(two, topic)
        detach(two, hub)
        found = asker.call("topic.presence", {"topic": topic})
        assert found["count"] == 2 and sorted(found["members"]) == sorted([one.code, two.code])


def test_a_member_that_resumes_was_never_away_and_one_that_does_not_leaves_after_its_grace(start_hub):
    server = start_hub({"session.grace": "1500ms", "presence.interval": "20ms", "log.level": "debug"})
    with Peer.open(server) as watcher:
        subscribe(watcher, "t", presence=True)
        one = Peer.open(server)
        subscribe(one, "t")
        while one.code not in presence(watcher).get("joined", []):
            pass
        detach(one, server)
        again = Peer.resume(server, one)
        again.call("ping")
        start = time.monotonic()
        detach(again, server)
        assert presence(watcher) == {"topic": "t", "count": 1, "left": [one.code]}
        assert time.monotonic() - start > 1


def test_many_changes_in_one_interval_are_one_notification(start_hub):
    server = start_hub({"presence.interval": "2s", "presence.list": "3", "presence.members": "4"})
    with Peer.open(server) as watcher:
        subscribe(watcher, "t", presence=True)
        first = presence(watcher)
        assert first == {"topic": "t", "count": 1, "joined": [watcher.code]}
        peers = [Peer.open(server) for _ in range(5)]
        for peer in peers:
            subscribe(peer, "t")
        peers[0].call("topic.unsubscribe", {"topic": "t"})  # came and went: not told
        seen = presence(watcher)
        assert seen["count"] == 5 and len(seen["joined"]) == 3 and seen["more"] is True and "left" not in seen
        assert peers[0].code not in seen["joined"]
        members = watcher.call("topic.presence", {"topic": "t"})
        assert members["count"] == 5 and len(members["members"]) == 4
        for peer in peers:
            peer.raw.sock.close()


def test_without_presence_nothing_is_told_and_a_later_subscribe_changes_that(hub):
    topic = next(names)
    with Peer.open(hub) as watcher, Peer.open(hub) as one:
        subscribe(watcher, topic)
        subscribe(one, topic)
        time.sleep(0.3)
        watcher.call("ping")
        assert not any("presence" in m.get("method", "") for m in watcher.log)
        subscribe(watcher, topic, presence=True)
        one.call("topic.unsubscribe", {"topic": topic})
        while one.code not in presence(watcher).get("left", []):
            pass
        subscribe(watcher, topic)
        told = len(watcher.log)
        subscribe(one, topic)
        time.sleep(0.3)
        watcher.call("ping")
        assert [m for m in watcher.log[told:] if "presence" in m.get("method", "")] == []


def test_presence_waits_for_a_detached_watcher(hub):
    topic = next(names)
    with Peer.open(hub) as one:
        watcher = Peer.open(hub)
        subscribe(watcher, topic, presence=True)
        detach(watcher, hub)
        subscribe(one, topic)
        time.sleep(0.3)
        with Peer.resume(hub, watcher) as again:
            again.catch_up()
            told = [m["params"] for m in again.log if m.get("method") == "topic.presence"]
            assert [one.code in t.get("joined", []) for t in told][-1] and told[-1]["count"] == 2
