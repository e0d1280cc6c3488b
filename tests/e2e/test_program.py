"""The program as its operator meets it: command line, configuration, exit codes, signals, log."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time

import http_raw
import pytest
from client import Client, Closed, eventually, open_many
from hub import DEADLINE_S, Hub, LogLine, binary, environment

OK, USAGE, UNAVAILABLE, CONFIGURATION = 0, 2, 69, 78


def run(*args, env=None):
    """Runs the program to its end: status and all it printed."""
    done = subprocess.run(
        [binary(), *args], env=environment(env), stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_S
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


# Command line


@pytest.mark.parametrize("args", [["version"], ["--version"]])
def test_version_is_one_line(args):
    status, text = run(*args)
    assert status == OK and re.fullmatch(r"hubbub \d+\.\d+\.\d+\S*\n", text)


def test_help_teaches(start_hub):
    status, text = run("--help")
    assert status == OK
    for word in ("serve", "check-config", "version", "Exit codes", "HUBBUB_", "docs/"):
        assert word in text, word
    status, text = run("serve", "--help")
    assert status == OK
    for word in ("--listen", "--config", "--set", "--log-level", "--log-format", "--echo"):
        assert word in text, word


@pytest.mark.parametrize("args", [[], ["dance"], ["serve", "--nonsense"], ["serve", "extra"], ["check-config"]])
def test_a_command_line_that_is_not_understood_is_2(args):
    status, text = run(*args)
    assert status == USAGE and "help" in text


def test_a_port_in_use_is_69_and_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, text = run("serve", "--listen", address)
    assert status == UNAVAILABLE and address in text


# Configuration


def test_a_good_file_is_valid(tmp_path):
    file = tmp_path / "good.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:9000"\n[limits]\nmessage_bytes = "1MiB"\n')
    status, text = run("check-config", str(file))
    assert status == OK and "valid" in text


def test_all_mistakes_of_a_file_are_told_with_their_lines(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(
        '[server]\nlisten = "127.0.0.1:9000"\n\n[limits]\nmesage_bytes = "1MiB"\nbatch_items = 0\n'
        'open_deadline = "soon"\n[log]\nlevel = "verbose"\n'
    )
    status, text = run("check-config", str(file))
    assert status == CONFIGURATION
    for line, word in ((5, "message_bytes"), (6, "batch_items"), (7, "open_deadline"), (9, "verbose")):
        assert re.search(rf"bad\.toml:{line}: .*{word}", text), (line, text)


def test_start_up_tells_the_same_mistakes_and_does_not_start(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('[limits]\nmesage_bytes = "1MiB"\n[nonsense]\nx = 1\n')
    checked, started = run("check-config", str(file)), run("serve", "--config", str(file))
    assert started[0] == CONFIGURATION
    mistakes = [line for line in checked[1].splitlines() if "bad.toml:" in line]
    assert len(mistakes) == 2 and all(line in started[1] for line in mistakes)


def test_broken_toml_names_the_line(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:9000\n')
    status, text = run("check-config", str(file))
    assert status == CONFIGURATION and "broken.toml:2" in text


def test_a_file_that_is_not_there_is_a_mistake(tmp_path):
    status, text = run("serve", "--config", str(tmp_path / "none.toml"))
    assert status == CONFIGURATION and "none.toml" in text


def test_mistakes_of_flags_and_environment_are_told_together():
    status, text = run("serve", "--set", "limits.batch_items=0", "--set", "no.such=1", env={"HUBBUB_LOG_LEVEL": "loud"})
    assert status == CONFIGURATION
    for word in ("limits.batch_items", "no.such", "HUBBUB_LOG_LEVEL"):
        assert word in text, word


async def test_later_sources_win(start_hub, tmp_path):
    file = tmp_path / "hubbub.toml"
    file.write_text('[limits]\nmessage_bytes = "10KiB"\nbatch_items = 11\ntopics_per_session = 12\n')
    env = {"HUBBUB_LIMITS_MESSAGE_BYTES": "20KiB", "HUBBUB_LIMITS_BATCH_ITEMS": "21"}
    server = start_hub({"limits.message_bytes": "30KiB"}, args=["--config", str(file)], env=env)
    async with await Client.open(server) as client:
        limits = client.opened["limits"]
        assert (limits["message_bytes"], limits["batch_items"], limits["topics"]) == (30 * 1024, 21, 12)


def test_without_access_rules_only_loopback_is_listened_on():
    status, text = run("serve", "--listen", "0.0.0.0:0")
    assert status == CONFIGURATION
    assert "access.allow" in text and "loopback" in text


async def test_access_rules_open_other_addresses_and_bound_the_methods(start_hub):
    server = start_hub({"access.allow": "session.*,echo"}, listen="0.0.0.0:0")
    server.address = ("127.0.0.1", server.address[1])
    async with await Client.open(server) as client:
        assert await client.call("echo", [1]) == [1]
        assert (await client.fails("hub.broadcast", {"data": 1})).code == -32024
        assert (await client.fails("hub.stats")).code == -32024


async def test_compression_can_be_turned_off(start_hub):
    server = start_hub({"compression.enabled": "false"})
    async with await Client.open(server, compression="deflate") as client:
        assert await client.call("echo", ["x" * 1000]) == ["x" * 1000]
    response = http_raw.upgrade(server, headers=[("Sec-WebSocket-Extensions", "permessage-deflate")])
    assert response.status == 101 and "sec-websocket-extensions" not in response.headers


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_server_with_0(start_hub, number):
    server = start_hub()
    server.signal(number)
    assert await asyncio.to_thread(server.wait_exit) == OK
    server.check_sanitizers()


async def test_draining_tells_everyone_refuses_newcomers_and_closes_spread_over_its_period(start_hub):
    period_s = 2.0
    server = start_hub({"server.drain_period": "2s"})
    clients = await open_many(server, 20)
    loop = asyncio.get_running_loop()
    closed_at = {}

    async def follow(number, client):
        notice = await client.next("session.draining")
        assert notice["retry_after_ms"] >= 0
        end = await client.closed()
        closed_at[number] = loop.time()
        return end.code

    followers = [asyncio.ensure_future(follow(number, client)) for number, client in enumerate(clients)]
    assert (await asyncio.to_thread(http_raw.get, server, "/readyz")).status == 200
    began = loop.time()
    server.signal()
    await asyncio.sleep(0)
    statuses = []
    while not closed_at or len(closed_at) < 5:  # while most are still connected
        statuses.append((await asyncio.to_thread(http_raw.get, server, "/readyz")).status)
        if statuses[-1] == 503:
            break
    assert statuses[-1] == 503
    assert (await asyncio.to_thread(http_raw.get, server, "/healthz")).status == 200
    newcomer = await asyncio.to_thread(http_raw.upgrade, server)
    assert newcomer.status == 503 and int(newcomer.headers["retry-after"]) >= 1
    assert set(await asyncio.gather(*followers)) == {1012}
    assert await asyncio.to_thread(server.wait_exit) == OK
    times = sorted(closed_at.values())
    assert times[-1] - times[0] > 0.4 * period_s, "all were closed at once: they would all come back at once"
    assert loop.time() - began < period_s + 10
    server.check_sanitizers()


async def test_calls_are_still_answered_while_draining(start_hub):
    server = start_hub({"server.drain_period": "2s"})
    clients = await open_many(server, 10)
    server.signal()
    answered = 0
    for client in clients:
        try:
            await client.next("session.draining")
            assert await client.call("echo", [1]) == [1]
            answered += 1
        except Closed as end:
            assert end.code == 1012
    assert answered >= 1
    assert await asyncio.to_thread(server.wait_exit) == OK


async def test_a_second_signal_exits_at_once(start_hub):
    server = start_hub({"server.drain_period": "5m"})
    client = await Client.open(server)
    more = await open_many(server, 3)
    server.signal()
    await client.next("session.draining")
    began = time.monotonic()
    server.signal()
    status = await asyncio.to_thread(server.wait_exit)
    assert time.monotonic() - began < 5
    assert status not in (-signal.SIGSEGV, -signal.SIGABRT)
    server.check_sanitizers()
    for each in (client, *more):
        await each.closed()


async def test_a_client_that_does_not_answer_the_close_cannot_hold_up_the_drain(start_hub):
    server = start_hub({"server.drain_period": "200ms", "limits.close_deadline": "300ms"})
    with http_raw.HttpConnection(server.address) as silent:
        silent.send(http_raw.upgrade_request(server.host))
        assert silent.read().status == 101
        server.signal()
        assert await asyncio.to_thread(server.wait_exit) == OK


async def test_an_idle_keep_alive_connection_cannot_hold_up_the_drain(start_hub):
    server = start_hub()
    with http_raw.HttpConnection(server.address) as idle:
        assert idle.get("/healthz").status == 200
        server.signal()
        assert await asyncio.to_thread(server.wait_exit) == OK


# Log


async def test_a_log_reader_that_goes_away_does_not_end_the_server():
    read_end, write_end = os.pipe()
    server = Hub(args=["--log-level", "debug"])
    with open(read_end, "rb") as log, open(write_end, "wb") as stderr:
        server.process = subprocess.Popen(
            server.command, env=server.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
        stderr.close()
        try:
            host, port = re.search(rb"address=([0-9.]+):(\d+)", log.readline()).groups()
            server.address = (host.decode(), int(port))
            log.close()
            for _ in range(3):
                async with await Client.open(server) as client:
                    assert await client.call("echo", [1]) == [1]
            server.signal()
            assert await asyncio.to_thread(server.process.wait, DEADLINE_S) == OK
        finally:
            server.kill()


async def test_connections_are_logged_with_code_duration_counts_and_address(start_hub):
    server = start_hub()
    async with await Client.open(server) as client:
        await client.call("echo", [1])
        host, port = client.ws.local_address[:2]
    remote = f"{host}:{port}"
    opened = server.wait_event("connection opened", remote=remote)
    closed = server.wait_event("connection closed", remote=remote)
    assert opened.level == closed.level == "INFO"
    assert closed.fields["code"] == "1000"
    assert {"reason", "connection"} <= set(closed.fields)
    assert opened.fields["connection"] == closed.fields["connection"]
    for part in ("duration", "messages_in", "bytes_in", "bytes_out"):
        assert any(name.startswith(part) for name in closed.fields), (part, closed.text)


async def test_no_token_and_no_message_body_is_ever_logged(start_hub):
    server = start_hub(args=["--log-level", "debug"])
    tokens = []
    for mode in (None, "hubbub.v1"):
        async with await Client.open(server, subprotocol=mode) as client:
            tokens.append(client.token)
            await client.call("echo", {"secret": "do-not-log-this-body"})
            code, epoch = client.code, client.opened["session"]["epoch"]
            await client.fails("session.resume", {"code": code, "token": client.token, "epoch": epoch, "received": 0})
            await client.fails("no.such", {"token": client.token})
    tokens_sent = "A" * 43
    await asyncio.to_thread(http_raw.get, server, f"/ws?token={tokens_sent}", headers=[("Authorization", tokens_sent)])
    server.wait_log(lambda line: "echo" in line)
    server.stop()
    for secret in (*tokens, tokens_sent, "do-not-log-this-body"):
        assert secret not in server.log, secret


async def test_debug_shows_each_messages_method_and_size(start_hub):
    server = start_hub(args=["--log-level", "debug"])
    async with await Client.open(server) as client:
        await client.call("topic.subscribe", {"topic": "t"})
    line = LogLine(server.wait_log(lambda text: "method=topic.subscribe" in text))
    assert line.level == "DEBUG" and int(line.fields["bytes"]) > 40


async def test_json_logs_are_one_object_a_line(start_hub):
    server = start_hub(args=["--log-format", "json", "--log-level", "debug"])
    async with await Client.open(server) as client:
        await client.fails('evil"\n\u2028{method')
        await client.call("echo", [1])
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    for line in lines:
        assert {"time", "level", "event"} <= set(line), line
    events = {line["event"] for line in lines}
    assert {"listening", "connection opened", "connection closed"} <= events


async def test_peers_cannot_forge_log_lines(start_hub):
    server = start_hub(args=["--log-level", "debug"])
    forged = "x\n2026-01-01T00:00:00.000Z ERROR forged=1"
    async with await Client.open(server) as client:
        await client.fails(forged)
        await client.fails("session.send", {"to": forged, "data": 1})
        await client.ws.close(4000, "bye\nERROR forged")
    server.stop()
    assert not [line for line in server.log.splitlines() if LogLine(line).level == "ERROR"]
    assert all(re.match(r"\d{4}-\d\d-\d\dT[0-9:.]+Z (DEBUG|INFO|WARN) ", line) for line in server.log.splitlines())


async def test_a_quiet_level_keeps_quiet():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    server = Hub(args=["--log-level", "error"], listen=f"{address[0]}:{address[1]}")
    server.launch()
    server.address = address

    def served():
        try:
            return http_raw.get(server, "/healthz").status == 200
        except OSError:
            return False

    await eventually(served)
    server.stop()
    assert server.log == ""
