"""`hubbub bench` against a real hub and against servers that know nothing of hubbub: everything is counted and checked;
speed is not. What is wrong or missing must show in the exit code and in a sentence."""

import asyncio
import contextlib
import json
import os
import subprocess
import threading

import pytest
from hub import binary, environment, sanitizer
from websockets import broadcast, serve

HUB_SETTINGS = {"limits.rate_per_s": "0", "limits.message_bytes": "1MiB"}
OK, WRONG, USAGE = 0, 1, 2
DEADLINE_S = 60
SHORT = ["--duration", "300ms", "--warmup", "50ms"]
CONNECTIONS = 20 if sanitizer() else 60


def run(mode, *args, url=None):
    """Status, the JSON object if there is one, and stderr."""
    command = [binary(), "bench", mode, "--json", "--quiet"] + (["--url", url] if url else []) + [str(arg) for arg in args]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=DEADLINE_S)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def good(mode, *args, url):
    status, result, errors = run(mode, *args, url=url)
    assert status == OK, errors
    assert result["errors"] == 0 and result["error"] is None and result["mode"] == mode
    return result


@contextlib.contextmanager
def foreign(handler, **settings):
    """A python-websockets server in a thread of its own; gives its URL."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    port, stop = [], None

    async def main():
        nonlocal stop
        stop = asyncio.Event()
        async with serve(handler, "127.0.0.1", 0, **settings) as server:
            port.append(server.sockets[0].getsockname()[1])
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert started.wait(10)
    try:
        yield f"ws://127.0.0.1:{port[0]}/"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def echo(socket):
    async for message in socket:
        await socket.send(message)


# Against hubbub


@pytest.mark.parametrize("load", [["--in-flight", 1], ["--in-flight", 16], ["--rate", 500], ["--bytes", 2000]], ids=str)
@pytest.mark.parametrize("session", [[], ["--subprotocol", "hubbub.v1", "--ack-every", 16], ["--deflate"]], ids=str)
def test_echo(hub, load, session):
    result = good("echo", "--connections", CONNECTIONS, "--pid", hub.pid, *load, *session, *SHORT, url=hub.url)
    assert result["messages"] > 0 and result["messages_per_s"] > 0
    assert result["server"]["cpu_us_per_message"] > 0 and result["server"]["rss_bytes"] > 0
    latency = result["latency_us"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]
    assert result["generator"]["cpu_share"] > 0 and result["generator"]["lag_us"] >= 0


def test_echo_without_a_pid_knows_nothing_of_the_server(hub):
    server = good("echo", "--connections", 2, *SHORT, url=hub.url)["server"]
    assert set(server.values()) == {None}


def test_a_rate_is_kept(hub):
    result = good("echo", "--connections", 5, "--rate", 400, "--duration", "1s", "--warmup", 0, url=hub.url)
    assert 350 <= result["messages"] <= 410 and result["parameters"]["rate"] == 400


def test_the_window_ends_after_so_many_messages(hub):
    result = good("echo", "--connections", 2, "--messages", 100, "--duration", "20s", "--warmup", 0, url=hub.url)
    assert 100 <= result["messages"] < 1000 and result["seconds"] < 10


@pytest.mark.parametrize(
    "load",
    [["--in-flight", 1], ["--in-flight", 16], ["--rate", 100], ["--publishers", 3, "--in-flight", 2], ["--deflate", "--bytes", "1KiB"]],
    ids=str,
)
def test_fan_out(hub, load):
    result = good("fan-out", "--connections", CONNECTIONS, "--pid", hub.pid, *load, *SHORT, url=hub.url)
    assert result["messages"] > 0 and result["latency_us"]["p50"] > 0


@pytest.mark.parametrize("call", [[], ["--call"], ["--call", "--ack-every", 1]], ids=str)
def test_idle(hub, call):
    result = good("idle", "--connections", CONNECTIONS, "--pid", hub.pid, *call, *SHORT, url=hub.url)
    assert result["messages"] == 0 and result["server"]["rss_per_connection"] is not None


@pytest.mark.parametrize("how", [[], ["--close"], ["--rate", 200], ["--subprotocol", "hubbub.v1"], ["--in-flight", 1]], ids=str)
def test_connect(hub, how):
    result = good("connect", "--connections", CONNECTIONS, "--pid", hub.pid, *how, url=hub.url)
    assert result["messages"] == CONNECTIONS and result["server"]["cpu_us_per_message"] > 0


def test_slow_readers(start_hub):
    limits = {"outbox.hard_bytes": "256KiB", "outbox.soft_bytes": "128KiB", "limits.rate_per_s": "0"}
    hub = start_hub(limits)
    # More than the sockets' own buffers hold, so that the server has to do something.
    load = ["--connections", 4, "--stalled", 5, "--bytes", 60000, "--rate", 100, "--duration", "2s", "--warmup", "50ms"]
    result = good("slow-readers", "--pid", hub.pid, *load, url=hub.url)
    assert result["stalled"] == {"connections": 5, "closed_by_server": 5}
    assert result["baseline"]["latency_us"]["p99"] > 0 and result["p99_ratio"] > 0
    assert len(result["rss"]) > 1 and result["rss_max_bytes"] >= result["rss"][0]["bytes"]


@pytest.mark.parametrize("how", [[], ["--messages", 5], ["--in-flight", 1]], ids=str)
def test_resume(hub, how):
    result = good("resume", "--connections", CONNECTIONS, "--warmup", "100ms", "--pid", hub.pid, *how, url=hub.url)
    assert result["messages"] == CONNECTIONS
    assert result["resume"]["all_back_ms"] > 0
    assert {result["resume"][name] for name in ("missed", "twice", "refused")} == {0}


def test_a_run_leaves_no_sessions_behind(start_hub):
    hub = start_hub(HUB_SETTINGS)
    good("fan-out", "--connections", 10, *SHORT, url=hub.url)
    good("resume", "--connections", 10, "--warmup", "50ms", url=hub.url)
    status, text = 0, subprocess.run(
        ["/usr/bin/python3", "-c", f"import urllib.request as u;print(u.urlopen('http://{hub.host}/metrics').read().decode())"],
        capture_output=True, text=True, timeout=10,
    ).stdout
    counts = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("hubbub_sessions{")]
    assert counts and sum(counts) == 0, text


def test_people_get_text(hub):
    done = subprocess.run(
        [binary(), "bench", "echo", "--url", hub.url, "--pid", str(hub.pid), "--connections", "2", *SHORT],
        env=environment(), capture_output=True, text=True, timeout=DEADLINE_S,
    )
    assert done.returncode == OK and done.stderr == ""
    for word in ("echo: 2 connections", "server CPU", "latency", "p99.9", "generator"):
        assert word in done.stdout, word


# Against any server


@pytest.mark.parametrize(
    "texts",
    [[], ["--binary"], ["--bytes", 70000], ["--bytes", "900KiB"], ["--payload", '{"id":{n},"t":{t},"who":{i},"x":"{pad}"}', "--bytes", 300], ["--payload", "ping"]],
    ids=str,
)
def test_echo_of_a_foreign_server(texts):
    with foreign(echo, compression=None) as url:
        result = good("echo", "--dialect", "raw", "--connections", 3, "--in-flight", 4, *texts, *SHORT, url=url)
        assert result["messages"] > 0


def test_deflate_with_a_foreign_server():
    with foreign(echo) as url:
        good("echo", "--dialect", "raw", "--connections", 3, "--deflate", "--bytes", 3000, *SHORT, url=url)


def test_fan_out_of_a_foreign_server_by_its_own_words(tmp_path):
    subscribers = set()

    async def room(socket):
        greeting, _, index = (await socket.recv()).partition("\t")
        assert greeting == "hi" and 100_000 <= int(index) <= 100_005
        async for message in socket:
            if message == "SUB":
                subscribers.add(socket)
                await socket.send("welcome")
            else:
                await socket.send("status: " + str(len(subscribers)))
                broadcast(subscribers, "[" + message[4:] + "]")

    (tmp_path / "publish").write_text("PUB {n} {pad}\n")
    words = ["--hello", r"hi\t{i}", "--subscribe", "SUB", "--publish", f"@{tmp_path}/publish", "--bytes", "200", "--escapes"]
    with foreign(room, compression=None) as url:
        for more in ([], ["--subscribe-reply", "welcome"], ["--expect", "[1"]):
            good("fan-out", "--dialect", "raw", "--connections", 5, "--in-flight", 3, *words, *more, *SHORT, url=url)


def test_a_greeting_is_waited_for():
    async def shy(socket):
        assert await socket.recv() == "40"
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.1)
            return  # it spoke too early
        await socket.send("40 welcome")
        await echo(socket)

    with foreign(shy) as url:
        words = ["--hello", "40", "--hello-reply", "welcome"]
        good("echo", "--dialect", "raw", "--connections", 3, *words, *SHORT, url=url)
        assert good("connect", "--dialect", "raw", "--connections", 3, *words, url=url)["latency_us"]["p50"] > 50_000


def test_messages_packed_as_a_server_likes():
    async def packer(socket):
        buffer = b""
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                buffer += await asyncio.wait_for(socket.recv(), 0.02)
                if buffer.count(b"\r\n") < 3:
                    continue
            cut = len(buffer) * 2 // 3
            for piece in (buffer[:cut], buffer[cut:]):
                await socket.send(piece)
            buffer = b""

    with foreign(packer) as url:
        words = ["--payload", r"MSG {n}\r\n", "--escapes", "--binary", "--stream", "--in-flight", 3]
        good("echo", "--dialect", "raw", "--connections", 3, *words, *SHORT, url=url)


def test_headers_and_subprotocol_reach_the_server():
    seen = []

    async def handler(socket):
        headers = socket.request_headers if hasattr(socket, "request_headers") else socket.request.headers
        seen.append((headers["X-Team"], socket.subprotocol))
        await echo(socket)

    with foreign(handler, subprotocols=["chat"]) as url:
        args = ["--header", "X-Team: seven", "--subprotocol", "chat", "--connections", 2, *SHORT]
        good("echo", "--dialect", "raw", *args, url=url)
    assert set(seen) == {("seven", "chat")}


# What must fail


def failed(mode, *args, url, saying):
    status, result, errors = run(mode, *args, url=url)
    assert status == WRONG
    assert saying in errors and errors.startswith("hubbub bench: ")
    assert saying in result["error"]


def test_nobody_listens():
    for mode in ("echo", "fan-out", "idle"):
        failed(mode, "--connections", 2, *SHORT, url="ws://127.0.0.1:1/", saying="Connection refused")
    status, result, errors = run("connect", "--connections", 3, url="ws://127.0.0.1:1/")
    assert status == WRONG and result["errors"] == 3 and result["messages"] == 0 and "Connection refused" in errors


def test_an_upgrade_that_is_refused_is_quoted(hub):
    failed("echo", "--connections", 1, url=f"ws://{hub.host}/nothing", saying="404")


def test_a_wrong_answer_is_quoted():
    async def liar(socket):
        async for message in socket:
            await socket.send(message.replace("status", "stutus"))

    with foreign(liar) as url:
        failed("echo", "--dialect", "raw", "--connections", 1, "--bytes", 1000, *SHORT, url=url, saying="wrong answer")


def test_a_refused_call_is_wrong_also_if_it_carries_the_number(hub):
    call = '{"jsonrpc":"2.0","id":{n},"method":"no.such"}'
    failed("echo", "--connections", 1, "--payload", call, *SHORT, url=hub.url, saying="wrong answer")


def test_an_answer_that_never_comes():
    async def forgetful(socket):
        count = 0
        async for message in socket:
            count += 1
            if count % 50:
                await socket.send(message)

    with foreign(forgetful) as url:
        failed("echo", "--dialect", "raw", "--connections", 1, "--timeout", "1s", *SHORT, url=url, saying="nothing came for 1 s")


@pytest.mark.parametrize("fault, saying", [("lose", "lost or out of order"), ("double", "twice")])
def test_deliveries_that_are_lost_or_doubled(fault, saying):
    everybody = set()

    async def room(socket):
        everybody.add(socket)
        count = 0
        async for message in socket:
            count += 1
            faulty = count == 20
            if not (faulty and fault == "lose"):
                broadcast(everybody, message)
            if faulty and fault == "double":
                broadcast(everybody, message)

    with foreign(room) as url:
        failed("fan-out", "--dialect", "raw", "--connections", 2, "--in-flight", 4, "--publish", "x{n}", *SHORT, url=url, saying=saying)


def test_a_server_that_ends_in_the_middle():
    async def quitter(socket):
        count = 0
        async for message in socket:
            count += 1
            if count == 20:
                await socket.close(4001, "enough")
            await socket.send(message)

    with foreign(quitter) as url:
        failed("echo", "--dialect", "raw", "--connections", 2, *SHORT, url=url, saying="4001 enough")


def test_a_server_that_dies(start_hub):
    hub = start_hub(HUB_SETTINGS)
    threading.Timer(1.0, hub.kill).start()
    status, result, errors = run("echo", "--connections", 3, "--duration", "20s", url=hub.url)
    hub.kill()  # the timer's may be under way
    assert status == WRONG and "connection" in errors and result["error"]


def test_a_foreign_server_in_hubbubs_dialect_gets_a_hint():
    with foreign(echo) as url:
        failed("echo", "--connections", 1, "--timeout", "300ms", url=url, saying="--dialect raw")


def test_a_resume_of_sessions_that_are_gone(start_hub):
    hub = start_hub(HUB_SETTINGS | {"session.grace": "50ms"})
    status, result, errors = run("resume", "--connections", 5, "--warmup", "500ms", url=hub.url)
    assert status == WRONG and "refused" in errors
    assert result["resume"]["refused"] == 5 and result["errors"] >= 5


def test_a_process_that_is_not_there(hub):
    failed("echo", "--pid", 2**22 - 1, url=hub.url, saying="no process")


@pytest.mark.parametrize(
    "args, word",
    [
        ([], "mode"),
        (["dance"], "dance"),
        (["echo", "--connections", "0"], "--connections"),
        (["echo", "--url", "http://x"], "--url"),
        (["echo", "--url", "wss://x"], "TLS"),
        (["echo", "--duration", "10"], "--duration"),
        (["echo", "--bytes", "2"], "--bytes"),
        (["echo", "--subprotocol", "chat"], "--subprotocol"),
        (["echo", "--payload", "@/no/such/file"], "--payload"),
        (["resume", "--dialect", "raw"], "resume"),
        (["idle", "--rate", "5"], "--rate"),
    ],
    ids=str,
)
def test_a_command_line_that_is_not_understood_names_what(args, word):
    done = subprocess.run([binary(), "bench", *args], env=environment(), capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == USAGE and word in done.stderr and done.stdout == ""


def test_help_names_every_option():
    text = subprocess.run([binary(), "bench", "--help"], env=environment(), capture_output=True, text=True).stdout
    documented = (os.path.dirname(os.path.abspath(__file__)), "../../docs/bench.md")
    with open(os.path.join(*documented), encoding="utf-8") as page:
        page = page.read()
    for word in text.split():
        option = word.strip("',.")
        if option.startswith("--") and option not in ("--help", "--"):
            assert f"`{option}" in page, option
