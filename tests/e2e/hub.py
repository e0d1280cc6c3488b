"""Runs the real server for tests: starts it, waits for its log to say it listens, and at the end holds it to account.

At the end means: the process was alive all the time, leaves with status 0 within its drain period after SIGTERM, and
no sanitizer wrote a report. """

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")
FIELD = re.compile(r' ([a-z_][a-z0-9_.]*)=("(?:[^"\\]|\\.)*"|\S*)')


def binary():
    return os.environ.get("HUBBUB_BIN") or str(ROOT / "build/dev/hubbub")


def sanitizer():
    """The sanitizer the binary was built with ("address", "thread" or ""): bounds on time and memory depend on it."""
    image = Path(binary()).read_bytes()
    return "address" if b"__asan_init" in image else "thread" if b"__tsan_init" in image else ""


def environment(extra=None):
    """Our environment without HUBBUB_* (the server takes those for its configuration), sanitizers set to stop at the
    first finding."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    defaults = {
        "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "TSAN_OPTIONS": "exitcode=99:halt_on_error=1:second_deadlock_stack=1",
    }
    for name, value in defaults.items():
        env[name] = value + (":" + env[name] if env.get(name) else "")
    return env | (extra or {})


class LogLine:
    """One line of the text log: `TIME LEVEL event words name=value …`."""

    def __init__(self, text):
        self.text = text
        time_and_level = text.split(" ", 2)
        self.level = time_and_level[1] if len(time_and_level) == 3 else ""
        rest = " " + time_and_level[2] if len(time_and_level) == 3 else ""
        self.fields = {name: value.strip('"') for name, value in FIELD.findall(rest)}
        first = FIELD.search(rest)
        self.event = rest[: first.start() if first else None].strip()


class Hub:
    """One server process. `settings` become --set KEY=VALUE."""

    def __init__(self, settings=None, args=(), env=None, preexec=None, listen="127.0.0.1:0"):
        self.settings = {"server.drain_period": "100ms"} | (settings or {})
        self.command = [binary(), "serve", "--listen", listen]
        for key, value in self.settings.items():
            self.command += ["--set", f"{key}={value}"]
        self.command += args
        self.env, self.preexec = environment(env), preexec
        self.lines, self.ended = [], False
        self.news = threading.Condition()
        self.process, self.address = None, None

    def launch(self):
        """Starts the process without waiting for it to listen."""
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            preexec_fn=self.preexec,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._read_log, daemon=True).start()

    def start(self):
        self.launch()
        try:
            line = self.wait_log(lambda line: "listening" in line and "address" in line)
        except BaseException:
            self.kill()
            raise
        host, _, port = re.search(r'address"?[=:]\s*"?([^\s",]+)', line).group(1).rpartition(":")
        self.address = (host.strip("[]"), int(port))
        return self

    def _read_log(self):
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    @property
    def pid(self):
        return self.process.pid

    @property
    def host(self):
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def url(self):
        return f"ws://{self.host}/ws"

    @property
    def log(self):
        with self.news:
            return "\n".join(self.lines)

    def wait_log(self, wanted, timeout=DEADLINE_S):
        """The first log line for which `wanted` is true, waiting for it if need be."""
        end, seen = time.monotonic() + timeout, 0
        with self.news:
            while True:
                for line in self.lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self.lines)
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    why = "the server ended" if self.ended else "no such line in time"
                    raise AssertionError(f"{why}; command {self.command}; log:\n" + "\n".join(self.lines[-40:]))
                self.news.wait(left)

    def wait_event(self, event, timeout=DEADLINE_S, **fields):
        """The first log line of that event with those fields."""

        def wanted(text):
            line = LogLine(text)
            return line.event == event and all(line.fields.get(name) == value for name, value in fields.items())

        return LogLine(self.wait_log(wanted, timeout))

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss_bytes(self):
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self):
        """User and system time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def alive(self):
        return self.process.poll() is None

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait_exit(self, timeout=DEADLINE_S):
        """The exit status; the log is complete afterwards."""
        status = self.process.wait(timeout)
        with self.news:
            self.news.wait_for(lambda: self.ended, timeout)
        return status

    def stop(self):
        """Ends the server the proper way and checks that it deserved no complaint."""
        if self.process is None:
            return
        try:
            assert self.alive(), f"the server died with status {self.process.returncode}; log:\n{self.log[-8000:]}"
            self.signal()
            status = self.wait_exit()
            assert status == 0, f"exit status {status} after SIGTERM; log:\n{self.log[-8000:]}"
            self.check_sanitizers()
        finally:
            self.kill()

    def check_sanitizers(self):
        log = self.log
        for report in SANITIZER_REPORTS:
            assert report not in log, log[max(0, log.index(report) - 2000) :][:12000]

    def kill(self):
        if self.process and self.alive():
            self.process.kill()
        if self.process:
            self.process.wait()
