"""One run: a fresh server on one core, the load generator on another, and what came out.

Only processes that were started here are ended here, each with its own group.
"""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

START_SECONDS = 15
LISTENING = re.compile(r"^listening (\d+)(?: (\d+))?")


class BenchError(Exception):
    """A run that gave no number; the text says why."""


def pinned(command, core):
    """The command on that core; taskset becomes the command, so the process id is the command's own."""
    return command if core is None else ["taskset", "-c", str(core)] + command


class Server:
    """A running server; `port` and `pid` are what the generator needs. `pid` may be a worker of the process started."""

    def __init__(self, target, kind, core):
        self.lines = []
        self.found = threading.Event()
        command = target.command(kind)  # decides on a port, where the server does not
        self.port = target.port
        self.told = self.port is not None
        environment = dict(os.environ, NODE_ENV="production")
        # What it says may come on either stream, and is read to the end: a server that says much never waits for this.
        self.process = subprocess.Popen(pinned(command, core), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", env=environment,
                                        start_new_session=True)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            match = LISTENING.match(line)
            if match and not self.found.is_set():
                self.port = int(match.group(1))
                self.pid = int(match.group(2) or self.pid)
                self.found.set()
            self.lines = self.lines[-20:] + [line]
        self.found.set()

    def wait(self):
        """Until it listens: on the port it was told, or on the one it says."""
        until = time.monotonic() + START_SECONDS
        while self.told and time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        if not self.told:
            self.found.wait(START_SECONDS)
        if self.told or self.port is None:
            raise BenchError(f"the server did not start: {self.said()}")

    def said(self):
        return "".join(line for line in self.lines[-5:] if not LISTENING.match(line)).strip()

    def stop(self):
        """Asks a wrapper to clean up behind itself, then ends the whole group."""
        if self.pid != self.process.pid:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join(3)


def cpu_seconds():
    """Seconds that all cores of the machine were busy since boot, or taken by its host."""
    with open("/proc/stat", encoding="ascii") as stat:  # user nice system idle iowait irq softirq steal
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def failure_of(load):
    """What the generator said went wrong: in its JSON, or else on standard error."""
    try:
        told = json.loads(load.stdout).get("error")
    except (json.JSONDecodeError, AttributeError):
        told = None
    lines = [line for line in load.stderr.strip().splitlines() if not line.startswith("Try ")]
    return told or (lines or [f"the load generator ended with {load.returncode}"])[-1]


def run_load(command, seconds, server):
    try:
        load = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError("the load generator did not end") from error
    if load.returncode != 0:
        said = server.said()
        raise BenchError(failure_of(load) + (f" (the server said: {said})" if said else ""))
    return json.loads(load.stdout)


def measure(target, work, options, cores):
    """One run; the generator's JSON as a dict, and how busy the rest of the machine was."""
    server = Server(target, work.kind, cores[0])
    try:
        server.wait()
        command = [options.generator, "bench", work.mode, "--json", "--quiet", "--pid", str(server.pid)]
        command += target.load(work.kind, server.port) + work.arguments(options.seconds, options.warmup)
        began, busy = time.monotonic(), cpu_seconds()
        result = run_load(pinned(command, cores[1]), options.seconds + options.warmup + 90, server)
        busy = (cpu_seconds() - busy) / (time.monotonic() - began)
    finally:
        server.stop()
    shares = [result[side].get("cpu_share") or 0 for side in ("server", "generator")]
    # Roughly, for the window is a part of the run: cores used by neither server nor generator.
    result["others_share"] = max(0.0, busy - sum(shares))
    return result
