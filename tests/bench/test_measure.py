"""How bench/compare starts and ends a server, and what it makes of a load generator's answer."""
import json
import stat
import sys
import types

import pytest
from comparison import works
from comparison.measure import BenchError, Server, measure

WORK = works.select(["echo-1"], True)[0]


def script(folder, name, body):
    """A Python program in `folder`."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport json, os, subprocess, sys, time\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def target(command):
    return types.SimpleNamespace(port=None, command=lambda kind: [command], load=lambda kind, port: ["--url", f"ws://{port}"])


def options(generator):
    return types.SimpleNamespace(generator=generator, seconds=0.1, warmup=0.0)


def alive(pid):
    """Whether the process runs: the dead that nobody has asked about yet do not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


SERVING = "print('listening 4711', flush=True)\ntime.sleep(60)"


def test_a_server_says_its_port(tmp_path):
    server = Server(target(script(tmp_path, "server", SERVING)), "echo", None)
    server.wait()
    assert (server.port, server.pid) == (4711, server.process.pid)
    server.stop()
    assert not alive(server.pid)


def test_a_worker_is_measured_and_ends_with_its_wrapper(tmp_path):
    wrapper = script(tmp_path, "wrapper", "worker = subprocess.Popen(['sleep', '60'])\n"
                     "print('some words')\nprint('listening 4711', worker.pid, flush=True)\ntime.sleep(60)")
    server = Server(target(wrapper), "echo", None)
    server.wait()
    assert server.pid != server.process.pid and alive(server.pid)
    server.stop()
    assert not alive(server.pid)


def test_a_server_that_ends_at_once_is_an_error_with_its_words(tmp_path):
    server = Server(target(script(tmp_path, "server", "sys.exit('no such library')")), "echo", None)
    with pytest.raises(BenchError, match="no such library"):
        server.wait()
    server.stop()


def test_a_run_is_what_the_generator_tells(tmp_path):
    told = {"server": {"cpu_share": 0.1}, "generator": {"cpu_share": None}, "messages": 7}
    generator = script(tmp_path, "generator", f"assert sys.argv[1:3] == ['bench', 'echo']\nprint({json.dumps(json.dumps(told))})")
    run = measure(target(script(tmp_path, "server", SERVING)), WORK, options(generator), (None, None))
    assert run["messages"] == 7 and run["others_share"] >= 0


def test_a_generator_that_fails_is_an_error_and_leaves_no_server(tmp_path):
    body = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n" + SERVING
    generator = script(tmp_path, "generator", "print(json.dumps({'error': 'a reply is missing'}))\nsys.exit(1)")
    with pytest.raises(BenchError, match="a reply is missing"):
        measure(target(script(tmp_path, "server", body)), WORK, options(generator), (None, None))
    assert not alive(int((tmp_path / "pid").read_text(encoding="ascii")))


def test_a_generator_that_crashes_is_an_error(tmp_path):
    generator = script(tmp_path, "generator", "os.abort()")
    with pytest.raises(BenchError, match="ended with -6"):
        measure(target(script(tmp_path, "server", SERVING)), WORK, options(generator), (None, None))
