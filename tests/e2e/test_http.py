"""Plain HTTP on the same port: endpoints, CORS, refusals with the proper status, keep-alive, deadlines."""

import time

import http_raw
import pytest
import rawws
from http_raw import HttpConnection
from stats import limit_hits, metrics

HUB_SETTINGS = {
    "limits.rate_per_s": "0",
    "limits.head_deadline": "300ms",
    "cors.origins": "https://a.example",
    "access.origins": "https://a.example",
}
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


# Endpoints


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_and_readiness_answer_200(hub, path):
    assert http_raw.get(hub, path).status == 200


def test_metrics_are_prometheus_text(hub):
    response = http_raw.get(hub, "/metrics")
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    page = metrics(hub)
    assert page.types
    for name, kind in page.types.items():
        assert name.startswith(("hubbub_", "process_")), name
        assert name in page.helps, f"{name} has no HELP"
        assert kind != "counter" or name.endswith("_total"), name


def test_counters_only_rise_and_tell_what_happened(hub):
    before = metrics(hub)
    with rawws.connect(hub.address) as client:
        client.receive()
        client.text("rubbish")
        client.receive()
    after = metrics(hub)
    for name, kind in after.types.items():
        if kind == "counter":
            for labels, value in before.samples.get(name, {}).items():
                assert after.samples[name][labels] >= value, name
    assert before.samples != after.samples


def test_the_page_is_html_with_a_strict_policy(hub):
    response = http_raw.get(hub, "/")
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "<html" in response.text.lower()
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/"])
def test_head_gives_the_length_and_no_body(hub, path):
    with HttpConnection(hub.address) as connection:
        response = connection.get(path, method="HEAD")
        assert response.status == 200 and "content-length" in response.headers
        assert connection.get("/healthz").status == 200  # no stray body in between


def test_a_query_does_not_hide_an_endpoint(hub):
    assert http_raw.get(hub, "/healthz?verbose=1").status == 200


def test_keep_alive_serves_many_requests_on_one_connection(hub):
    with HttpConnection(hub.address) as connection:
        for _ in range(50):
            assert connection.get("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(hub):
    with HttpConnection(hub.address) as connection:
        connection.send("".join(connection.head(path) for path in ("/healthz", "/metrics", "/", "/healthz")))
        kinds = [connection.read().headers.get("content-type", "") for _ in range(4)]
        assert "html" in kinds[2] and "version=0.0.4" in kinds[1]


def test_connection_close_is_obeyed(hub):
    with HttpConnection(hub.address) as connection:
        assert connection.get("/healthz", headers=[("Connection", "close")]).headers["connection"] == "close"
        assert connection.at_end()


def test_http_1_0_closes_after_its_answer(hub):
    with HttpConnection(hub.address) as connection:
        connection.send("GET /healthz HTTP/1.0\r\n\r\n")
        assert connection.read().status == 200
        assert connection.at_end()


def test_a_request_that_arrives_byte_by_byte_is_served(hub):
    with HttpConnection(hub.address) as connection:
        for byte in connection.head("/healthz").encode():
            connection.send(bytes([byte]))
        assert connection.read().status == 200


def test_an_upgrade_after_plain_requests_on_one_connection_works(hub):
    with rawws.RawClient(hub.address) as client:
        client.send_bytes(f"GET /healthz HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
        status, headers = client.read_head()
        assert status == 200
        client.need(int(headers["content-length"]))
        del client.buffer[: int(headers["content-length"])]
        client.handshake()
        assert b"session.opened" in client.receive().payload


def test_frames_sent_together_with_the_upgrade_are_served(hub):
    with rawws.RawClient(hub.address) as client:
        call = rawws.frame(rawws.TEXT, b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}')
        client.send_bytes(rawws.upgrade_request(client.host) + call)
        assert client.read_head()[0] == 101
        assert b"session.opened" in client.receive().payload
        assert client.receive().payload == b'{"jsonrpc":"2.0","id":1,"result":[1]}'


# CORS


def test_cors_is_given_to_listed_origins_only(hub):
    listed = http_raw.get(hub, "/healthz", headers=[("Origin", "https://a.example")])
    assert listed.headers["access-control-allow-origin"] == "https://a.example"
    assert "origin" in listed.headers["vary"].lower()
    other = http_raw.get(hub, "/healthz", headers=[("Origin", "https://b.example")])
    assert other.status == 200 and "access-control-allow-origin" not in other.headers


def test_a_cors_preflight_is_answered(hub):
    headers = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")]
    response = http_raw.get(hub, "/metrics", method="OPTIONS", headers=headers)
    assert response.status in (200, 204)
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert "GET" in response.headers["access-control-allow-methods"]


def test_without_configuration_no_cors_header_is_sent(start_hub):
    response = http_raw.get(start_hub(), "/healthz", headers=[("Origin", "https://a.example")])
    assert "access-control-allow-origin" not in response.headers


# Refusals


@pytest.mark.parametrize("path", ["/nothing", "/ws/more", "/healthz/", "/../etc/passwd", "/%2e%2e/x"])
def test_an_unknown_path_is_404(hub, path):
    assert http_raw.get(hub, path).status == 404


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_another_method_is_405_and_tells_which_are_allowed(hub, path, method):
    response = http_raw.get(hub, path, method=method, headers=[("Content-Length", "0")])
    assert response.status == 405 and "GET" in response.headers["allow"]


def test_a_plain_get_of_ws_is_426_and_names_the_version(hub):
    response = http_raw.get(hub, "/ws")
    assert response.status == 426 and response.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("version", ["8", "0", "14", "13, 8"])
def test_another_websocket_version_is_426(hub, version):
    request = rawws.upgrade_request(hub.host).replace(b"Version: 13", f"Version: {version}".encode())
    response = http_raw.send(hub, request)
    assert response.status == 426 and response.headers["sec-websocket-version"] == "13"


BAD_UPGRADES = {
    "no key": (f"Sec-WebSocket-Key: {KEY}\r\n", ""),
    "short key": (KEY, "AAAA"),
    "key is not base64": (KEY, "!" * 22 + "=="),
    "two keys": (f"Sec-WebSocket-Key: {KEY}\r\n", f"Sec-WebSocket-Key: {KEY}\r\n" * 2),
}


@pytest.mark.parametrize("old,new", BAD_UPGRADES.values(), ids=BAD_UPGRADES.keys())
def test_a_bad_upgrade_is_400_and_says_why(hub, old, new):
    request = rawws.upgrade_request(hub.host, key=KEY).decode().replace(old, new)
    response = http_raw.send(hub, request)
    assert response.status == 400 and "sec-websocket-key" in response.text.lower()


def test_header_tokens_of_the_upgrade_are_case_insensitive_lists(hub):
    request = rawws.upgrade_request(hub.host).decode()
    request = request.replace("Connection: Upgrade", "connection: keep-alive, UPGRADE")
    assert http_raw.send(hub, request.replace("Upgrade: websocket", "UPGRADE: WebSocket")).status == 101


@pytest.mark.parametrize("origin", ["https://evil.example", "http://a.example", "null", "https://a.example.evil"])
def test_an_origin_that_is_not_allowed_is_403(hub, origin):
    assert http_raw.upgrade(hub, headers=[("Origin", origin)]).status == 403


def test_allowed_origins_and_no_origin_are_served(hub):
    assert http_raw.upgrade(hub, headers=[("Origin", "https://a.example")]).status == 101
    assert http_raw.upgrade(hub, headers=[("Origin", f"http://{hub.host}")]).status == 101
    assert http_raw.upgrade(hub).status == 101


BAD_REQUESTS = {
    "garbage": b"\x00\x01\x02 nonsense\r\n\r\n",
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 64 + b"\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "http 2": b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "space in a header name": b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n",
    "space before the colon": b"GET /healthz HTTP/1.1\r\nHost: x\r\nName : 1\r\n\r\n",
    "folded line": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: 1\r\n 2\r\n\r\n",
    "nul in a value": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "length and chunked": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_bad_request_is_400_and_ends_the_connection(hub, data):
    with HttpConnection(hub.address) as connection:
        connection.send(data)
        assert connection.read().status == 400
        assert connection.at_end()


def test_a_head_over_its_limit_is_431(hub):
    fits = http_raw.get(hub, "/healthz", headers=[("X-Fill", "x" * 7000)])
    assert fits.status == 200
    over = http_raw.get(hub, "/healthz", headers=[("X-Fill", "x" * 9000)])
    assert over.status == 431 and "limits.head_bytes" in over.text
    assert http_raw.get(hub, "/" + "x" * 9000).status in (414, 431)
    assert limit_hits(hub, "head_bytes") >= 2


def test_a_head_that_never_ends_is_431(hub):
    with HttpConnection(hub.address) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 2000)
        assert connection.read().status == 431


# Deadlines


def test_a_head_that_does_not_arrive_in_time_is_408(hub):
    with HttpConnection(hub.address) as connection:
        connection.send("GET /healthz HTTP/1.1\r\nHo")
        assert connection.read().status == 408
        assert connection.at_end()
    assert limit_hits(hub, "head_deadline") >= 1


def test_a_connection_that_says_nothing_is_ended(hub):
    with HttpConnection(hub.address) as connection:
        connection.sock.settimeout(http_raw.DEADLINE_S)
        data = connection.sock.recv(65536)
        assert data == b"" or data.startswith(b"HTTP/1.1 408")


def test_a_head_that_trickles_in_is_ended_all_the_same(hub):
    """The deadline is for the whole head: a byte now and then does not extend it."""
    with HttpConnection(hub.address) as connection:
        connection.sock.settimeout(0.05)
        end = time.monotonic() + http_raw.DEADLINE_S
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 5000:
            try:
                connection.send(bytes([byte]))
                if connection.sock.recv(1) in (b"", b"H"):
                    return
            except TimeoutError:
                assert time.monotonic() < end
            except OSError:
                return
        raise AssertionError("the head was still being taken")
