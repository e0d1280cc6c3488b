"""Who may resume a session: one client at a time, with the token it was given last, within the grace time. Everybody
else learns nothing, not even why."""

import json
import time

import pytest
from peer import Ended, Peer, Refused, detach
from stats import metrics

HUB_SETTINGS = {"session.grace": "60s", "limits.rate_per_s": "0", "log.level": "debug"}
SESSION_UNKNOWN, INVALID_PARAMS, DRAINING = -32021, -32602, -32029


# --- Takeover and tokens


@pytest.mark.parametrize("plain", [False, True], ids=["v1", "plain"])
def test_a_resume_supersedes_the_attached_connection(hub, plain):
    before = metrics(hub).value("hubbub_session_events_total", event="superseded")
    one = Peer.open(hub, plain=plain)
    with Peer.open(hub) as other, Peer.resume(hub, one) as two:
        assert one.end() == 4512
        assert one.closing["code"] == 4512 and one.closing["reason"]
        assert other.call("session.send", {"to": one.code, "data": "new"}) == {"status": "delivered"}
        assert two.next("session.message")["data"] == "new"
    one.raw.sock.close()
    assert metrics(hub).value("hubbub_session_events_total", event="superseded") == before + 1


def test_the_token_before_is_good_until_the_client_has_shown_the_new_one(hub):
    one = Peer.open(hub)
    two = Peer.resume(hub, one)
    three = Peer.resume(hub, one)  # with the token of `one` again: nothing was heard on `two`
    assert two.end() == 4512
    three.ack()
    three.call("ping")
    four = Peer(hub)
    with four, pytest.raises(Refused) as refused:
        four.exchange("session.resume", one.claim)
    assert refused.value.code == SESSION_UNKNOWN
    assert three.end() == 4510
    assert three.closing["code"] == 4510
    for peer in (one, two, three):
        peer.raw.sock.close()


def test_a_token_that_comes_again_ends_the_session_and_is_logged(hub):
    before = metrics(hub).value("hubbub_session_events_total", event="token_reused")
    one = Peer.open(hub)
    detach(one, hub)
    two = Peer.resume(hub, one)
    two.call("ping")
    detach(two, hub)
    with Peer(hub) as thief:
        with pytest.raises(Refused) as refused:
            thief.exchange("session.resume", one.claim)
        assert refused.value.code == SESSION_UNKNOWN
        with pytest.raises(Refused):  # the owner, too, has to start anew
            thief.exchange("session.resume", two.claim)
    line = hub.wait_event("session token reused", session=one.code)
    assert line.level == "WARN"
    assert metrics(hub).value("hubbub_session_events_total", event="token_reused") == before + 1
    for secret in (one.claim["token"], two.claim["token"]):
        assert secret not in hub.log


def test_a_late_resume_of_an_older_connection_is_refused_and_harms_nothing(hub):
    one = Peer.open(hub)
    late = Peer(hub)
    detach(one, hub)
    with Peer.resume(hub, one) as two:
        two.call("ping")
        with late, pytest.raises(Refused) as refused:
            late.exchange("session.resume", one.claim)
        assert refused.value.code == SESSION_UNKNOWN
        assert two.call("echo", [1]) == [1]


def test_all_refusals_look_the_same(start_hub):
    server = start_hub({"session.grace": "50ms", "log.level": "debug"})
    expired = Peer.open(server)
    detach(expired, server)
    server.wait_event("session expired")
    closed = Peer.open(server)
    closed.call("session.close")
    assert closed.end() == 1000
    closed.raw.sock.close()
    one = Peer.open(server)
    claims = {
        "unknown": one.claim | {"code": "no-body-1"},
        "no code at all": one.claim | {"code": "x"},
        "expired": expired.claim,
        "closed": closed.claim,
        "wrong token": one.claim | {"token": "A" * 43},
        "short token": one.claim | {"token": ""},
        "wrong epoch": one.claim | {"epoch": "A" * 11},
        "wrong epoch, too much received": one.claim | {"epoch": "A" * 11, "received": 99},
    }
    errors = {}
    for name, claim in claims.items():
        with Peer(server) as peer, pytest.raises(Refused) as refused:
            peer.exchange("session.resume", claim)
        errors[name] = json.dumps(refused.value.error)
    assert len(set(errors.values())) == 1, errors
    assert refused.value.error["code"] == SESSION_UNKNOWN
    assert one.call("echo", [1]) == [1]  # nobody got in its way
    one.raw.sock.close()
    assert metrics(server).value("hubbub_resumes_total", result="refused") == len(claims)


def test_on_v1_a_refused_resume_may_be_followed_by_session_open(hub):
    with Peer(hub) as peer:
        with pytest.raises(Refused):
            peer.exchange("session.resume", {"code": "no-body-1", "token": "A" * 43, "epoch": "A" * 11, "received": 0})
        peer._begin(peer.exchange("session.open", {}))
        assert peer.opened["resumed"] is False
        assert peer.call("session.info")["received"] == 1


@pytest.mark.parametrize("change", [{"received": -1}, {"received": "1"}, {"token": 1}, {"more": 1}])
def test_wrong_params_are_told(hub, change):
    with Peer.open(hub) as one, Peer(hub) as two, pytest.raises(Refused) as refused:
        two.exchange("session.resume", one.claim | change)
    assert refused.value.code == INVALID_PARAMS


# --- The grace time, and the end of everything


def test_a_session_is_lost_when_its_grace_time_is_over(start_hub):
    server = start_hub({"session.grace": "1s", "log.level": "debug"})
    one = Peer.open(server)
    detach(one, server)
    two = Peer.resume(server, one)
    time.sleep(1.5)  # attached: the grace time does not run
    assert two.call("echo", [1]) == [1]
    detach(two, server)
    server.wait_event("session expired", session=one.code)
    with Peer(server) as late, pytest.raises(Refused) as refused:
        late.exchange("session.resume", two.claim)
    assert refused.value.code == SESSION_UNKNOWN


def test_without_grace_nothing_can_be_resumed(start_hub):
    server = start_hub({"session.grace": "0", "log.level": "debug"})
    one = Peer.open(server)
    detach(one, server)
    with Peer(server) as late, pytest.raises(Refused):
        late.exchange("session.resume", one.claim)


def test_a_draining_server_refuses_to_resume_and_says_when_to_come_back(start_hub):
    server = start_hub({"server.drain_period": "2s", "log.level": "debug"})
    one, waiting = Peer.open(server), Peer(server)
    detach(one, server)
    with Peer.open(server) as witness, waiting:
        server.signal()
        witness.next("session.draining")
        with pytest.raises((Refused, Ended)) as refused:
            waiting.exchange("session.resume", one.claim)
        if refused.type is Refused:
            assert refused.value.code == DRAINING and refused.value.error["data"]["retryable"] is True
        else:
            assert refused.value.code == 1012
        assert witness.end() == 1012
    assert server.wait_exit() == 0
