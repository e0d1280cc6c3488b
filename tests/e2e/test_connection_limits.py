"""Limits that act before a WebSocket exists: connections of one address, of the whole node, and of the process when it
has no descriptors left."""

import asyncio
import os
import resource
import time

import http_raw
import pytest
import rawws
from client import eventually
from hub import LogLine
from stats import limit_hits

SHARDS = len(os.sched_getaffinity(0))  # of a server that is not told how many


def test_connections_of_one_address_are_limited_with_429(start_hub):
    server = start_hub(
        {"limits.ip_exempt_loopback": "false", "limits.ip_connections": "2", "limits.ip_connects_per_s": "0"}
    )
    with rawws.connect(server.address) as one, rawws.connect(server.address):
        refused = http_raw.upgrade(server)
        assert refused.status == 429 and int(refused.headers["retry-after"]) >= 1
        with rawws.connect(server.address, source="127.0.0.9") as other:  # another address has its own allowance
            assert b"session.opened" in other.receive().payload
        one.sock.close()
        wait_upgrade(server)
    assert limit_hits_later(server, "ip_connections") >= 1


def test_new_connections_of_one_address_are_limited_with_429(start_hub):
    server = start_hub(
        {"limits.ip_exempt_loopback": "false", "limits.ip_connects_per_s": "0.5", "limits.ip_connects_burst": "3"}
    )
    statuses = [http_raw.upgrade(server) for _ in range(6)]
    assert [response.status for response in statuses][:3] == [101] * 3
    refused = [response for response in statuses if response.status == 429]
    assert len(refused) >= 2 and all(int(response.headers["retry-after"]) >= 1 for response in refused)


def test_loopback_is_exempt_from_limits_per_address_by_default(start_hub):
    server = start_hub(
        {"limits.ip_connections": "2", "limits.ip_connects_per_s": "1", "limits.ip_connects_burst": "1"}
    )
    clients = [rawws.connect(server.address) for _ in range(10)]
    for client in clients:
        client.sock.close()


def test_behind_a_trusted_proxy_each_client_has_its_own_allowance(start_hub):
    server = start_hub(
        {"proxy.trusted": "127.0.0.1", "limits.ip_connections": "2", "limits.ip_connects_per_s": "0"}
    )

    def proxied(told):
        return rawws.connect(server.address, headers=[("X-Forwarded-For", told)])

    def refused(told):
        return http_raw.upgrade(server, headers=[("X-Forwarded-For", told)]).status

    with proxied("203.0.113.5"), proxied("6.6.6.6, 203.0.113.5"):
        assert refused("7.7.7.7, 203.0.113.5") == 429  # what the client wrote itself does not make it another
        with proxied("203.0.113.6") as other:
            assert b"session.opened" in other.receive().payload
        with rawws.connect(server.address), rawws.connect(server.address), rawws.connect(server.address):
            pass  # the proxy's own
    server.wait_event("connection opened", remote="203.0.113.5")


def test_a_full_node_answers_503_with_retry_after(start_hub):
    server = start_hub({"limits.connections": "3"})
    clients = [rawws.connect(server.address) for _ in range(3)]
    refused = http_raw.upgrade(server)
    assert refused.status == 503 and int(refused.headers["retry-after"]) >= 1
    clients[0].close()
    clients[0].sock.close()
    wait_upgrade(server)
    for client in clients:
        client.sock.close()
    assert limit_hits_later(server, "connections") >= 1


def test_a_full_node_still_tells_its_health_and_metrics(start_hub):
    server = start_hub({"limits.connections": "2"})
    with rawws.connect(server.address), rawws.connect(server.address):
        for path in ("/healthz", "/readyz", "/metrics"):
            with http_raw.HttpConnection(server.address) as connection:
                response = connection.get(path)
                assert response.status == 200 and response.headers["connection"] == "close", path
                assert connection.at_end()
        for path in ("/", "/ws", "/nothing"):
            refused = http_raw.get(server, path)
            assert refused.status == 503 and int(refused.headers["retry-after"]) >= 1, path
        assert http_raw.upgrade(server).status == 503
        assert limit_hits(server, "connections") >= 7


def test_an_address_with_too_many_connections_gets_429_from_every_endpoint(start_hub):
    server = start_hub(
        {"limits.ip_exempt_loopback": "false", "limits.ip_connections": "1", "limits.ip_connects_per_s": "0"}
    )
    with rawws.connect(server.address):
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            assert http_raw.get(server, path).status == 429, path


def limit_hits_later(server, limit):
    """Asks once a connection is free again for the asking."""
    wait_upgrade(server)
    return limit_hits(server, limit)


def wait_upgrade(server):
    """Waits until an upgrade is served again."""

    def served():
        try:
            return http_raw.upgrade(server).status == 101
        except OSError:
            return False

    asyncio.run(eventually(served))


def knock(server, count):
    """Connects `count` times and leaves every connection open; what became of them. A server out of descriptors may
    leave connections in its listen queue: no answer is an outcome, too. The first that gets none is given seconds, for
    machines are slow at times; those behind it in the queue wait less."""
    clients, outcomes = [], []
    for _ in range(count):
        client = rawws.RawClient(server.address)
        client.send_bytes(rawws.upgrade_request(client.host))
        clients.append(client)
    for client in clients:
        client.sock.settimeout(0.02 if "no answer" in outcomes else 5.0)
        try:
            outcomes.append(client.read_head()[0])
        except TimeoutError:
            outcomes.append("no answer")
        except OSError:
            outcomes.append("ended")
    return clients, outcomes


@pytest.mark.slow
def test_a_server_with_few_descriptors_survives_hundreds_of_connects(start_hub):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    server = start_hub(preexec=few)
    for _ in range(3):
        clients, outcomes = knock(server, 100)
        assert 1 <= outcomes.count(101) < 40
        assert set(outcomes) <= {101, 503, "ended", "no answer"}
        for client in clients:
            client.reset()
        wait_upgrade(server)  # each shard notices by itself that its clients are gone


def test_a_server_with_few_descriptors_keeps_some_for_those_it_refuses(start_hub):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))

    server = start_hub(preexec=few)
    line = LogLine(server.wait_log(lambda text: "listening" in text))
    most = int(line.fields["connections_max"])
    assert 100 < most < 300
    clients, outcomes = knock(server, 300)
    assert outcomes.count(101) == most
    assert 503 in outcomes and set(outcomes) <= {101, 503, "ended"}
    assert server.fds() < 300
    for client in clients[most:]:
        client.reset()

    def told():
        try:
            return http_raw.get(server, "/healthz").status == 200
        except OSError:
            return False

    asyncio.run(eventually(told))
    assert limit_hits(server, "fds") == 0
    for client in clients[:most]:
        client.reset()


@pytest.mark.slow
def test_running_out_of_descriptors_neither_kills_nor_spins(start_hub):
    """The limit drops under the server's feet, as when the whole machine runs out: accept() fails with EMFILE while
    connections wait. The idle server must not burn a core asking again and again."""
    server = start_hub()
    with rawws.connect(server.address) as before:
        before.receive()
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (server.fds() + 5, hard))
        clients, outcomes = knock(server, 60)
        # Each shard keeps a descriptor in reserve; one that gives it up for a moment may find it taken by another.
        assert outcomes.count(101) <= 5 + SHARDS
        cpu, began = server.cpu_s(), time.monotonic()
        before.text('{"jsonrpc":"2.0","id":1,"method":"echo","params":["still served"]}')
        assert b"still served" in before.receive().payload
        time.sleep(1.0)  # the window over which the processor time is measured
        assert (server.cpu_s() - cpu) / (time.monotonic() - began) < 0.5, "the server spins on accept()"
        for client in clients:
            client.reset()
        wait_upgrade(server)
