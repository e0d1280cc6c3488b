"""docs/benchmarks.md and its charts, and what the README shows of them: all written from the results, nothing by hand."""
import dataclasses
import os
import re

from . import targets, works
from .figures import Figures
from .tables import COST, TITLES, digits, times

INTRO = """# Benchmarks

hubbub beside other WebSocket servers, and beside a *floor*: the least that a server can do (epoll, recv, send, no checks at
all; `bench/floor.cc`). The number is the **server's CPU time per message**, kernel included, as the kernel counts it. It is what
a core can carry, it does not depend on the load generator's speed, and it can be compared with the floor's on any machine.

This page is written by `./dev bench`, which installs what it needs, runs everything and takes about 40 minutes.

## How it is measured

- One server at a time, a fresh process for each run, on one core; the load generator ([`hubbub bench`](bench.md)) on
  another.
- All servers take turns in each round, so that whatever else the machine does hits all of them. A table shows the median of the
  rounds and their range; "× floor" is the median of the ratios within each round.
- Calls are of one size for everybody, and publications are of one size when they are delivered, whatever the framing.
- Every reply and every delivery is counted and looked at: a run with one missing or wrong gives no number.
- Each server is set up as its documentation advises for production: no logging, compression off unless it is what is measured
  (then at level 1), one thread or process. Their sources are in [bench/peers](../bench/peers).
- hubbub does its whole job: sessions open, replay on, topics with history, JSON-RPC parsed and checked. Off are the limits that
  load from one address runs into, and its log below warnings. Its clients here never acknowledge, so every ring is full.
"""


@dataclasses.dataclass(frozen=True)
class Section:
    """A chapter of the page; left out if none of its works was measured."""

    title: str
    text: str
    keys: tuple
    body: object  # Tables to lines
    chart: str = ""
    alt: str = ""


def costs(title, text, keys, chart="", alt=""):
    return Section(title, text, keys, lambda tables: tables.costs(keys), chart, alt)


def simple(title, text, key, columns, chart, alt):
    return Section(title, text, (key,), lambda tables: tables.simple(key, columns), chart, alt)


def growing(tables):
    return ["JSON-RPC echo, one call in flight on each connection (the floor sends the text back):", "",
            *tables.growing("jsonrpc"), "Fan-out, one publication in flight:", "", *tables.growing("fanout")]


SECTIONS = (
    costs("JSON-RPC echo", "100 connections, each with one call under way, or 16.", ("jsonrpc-1", "jsonrpc-16"),
          "calls", "Server CPU per JSON-RPC call"),
    costs("Echo", "The same text sent back as it is.", ("echo-1", "echo-16")),
    costs("Fan-out", "One publisher, 1,000 subscribers of one topic; CPU per delivery.", ("fanout-1", "fanout-16"),
          "fanout", "Server CPU per delivery"),
    costs("Broadcast of 1 KiB, plain and compressed",
          "JSON to 1,000 subscribers, 16 publications in flight, without and with permessage-deflate.",
          ("large-16", "deflate-16"), "compressed", "Server CPU per delivery of 1 KiB"),
    simple("Idle connections", "What the server's resident memory grows by, divided by the connections. The kernel's memory "
           "for sockets is not in it.", "idle",
           (("KiB per connection", "server.rss_per_connection", 1024), ("whole server, MiB", "server.rss_bytes", 2**20),
            ("CPU, % of a core", "server.cpu_share", 0.01)), "idle", "Memory of an idle connection"),
    simple("Connecting", "10,000 connects, 64 at a time: TCP, HTTP upgrade, and what the server opens then.", "connect",
           (("CPU per connection, µs", COST, 1), ("connections/s", "messages_per_s", 1)),
           "connect", "Server CPU per connection"),
    Section("From 100 connections to 15,000", "What a message costs as connections become many.",
            tuple(f"growth-{kind}-{count}" for kind in ("jsonrpc", "fanout") for count in works.GROWTH), growing,
            "growth", "Cost per message from 100 to 15,000 connections"),
    Section("Slow readers", "100 publications of 8 KiB a second to 1,000 readers; then beside 100 subscribers that stopped "
            "reading. Latency counts from when a publication was due. Measured are servers with a bound for what waits for a "
            "reader.",
            ("slow",), lambda tables: tables.slow()),
)
README_CHARTS = (("calls", "JSON-RPC echo: server CPU per call"), ("fanout", "Fan-out: server CPU per delivery"),
                 ("growth", "Cost per message as connections grow"))
AGAIN = """## Again

```sh
./dev bench                                    # all of it, and this page
./dev bench --quick                            # does it work: a minute, no numbers
./dev bench --targets floor,hubbub --works fanout --rounds 9
```
"""


class Document:
    def __init__(self, results):
        self.results = results
        self.figures = Figures(results)
        self.charts = self.figures.charts()

    def section(self, section):
        if not any(self.results.runs(key, name) for key in section.keys for name in self.results.targets(key)):
            return []
        lines = [f"## {section.title}", "", section.text, ""]
        if f"{section.chart}.svg" in self.charts:
            lines += [f"![{section.alt}](benchmarks/{section.chart}.svg)", ""]
        return lines + section.body(self.figures)

    def about(self):
        about = self.results.about
        pinned = "server on one core, load on another" if about.get("pinned") else "not pinned: fewer than two cores"
        lines = [f"{about['date']}. {about['machine']}; {about['system']}; {about['compiler']}. {self.results.rounds()} rounds "
                 f"of {about['seconds']:g} s (fewer where a run takes long), {pinned}.", ""]
        noise = self.results.noise()
        if noise is not None and noise > 0.2:
            lines += [f"**Not a quiet machine:** others kept {noise:.1f} cores busy meanwhile, so all numbers are higher than "
                      "they would be alone, and their ranges wider. Ratios suffer less.", ""]
        return lines

    def versions(self):
        versions = self.results.about["versions"]
        rows = [[TITLES[name], versions[name]] for name in targets.NAMES if versions.get(name)]
        lines = ["| server | version |", "| --- | --- |", *(f"| {title} | {version} |" for title, version in rows), ""]
        missing = self.results.about.get("missing", {})
        if missing:
            told = "; ".join(f"{TITLES[name]} ({reason})" for name, reason in missing.items())
            lines += [f"Not measured, because not installed: {told}.", ""]
        return lines

    def markdown(self):
        chapters = [line for section in SECTIONS for line in self.section(section)]
        return "\n".join([INTRO, *self.about(), *self.versions(), *chapters, *self.failures(), AGAIN])

    def failures(self):
        errors = self.results.all_errors()
        if not errors:
            return []
        lines = ["## Runs that failed", "", "They gave no number and are in no table.", ""]
        return lines + [f"- {TITLES[name]}, {key}: {text.splitlines()[0][:200]}" for key, name, text in errors] + [""]

    def readme(self):
        """The README's part: the works that matter first, and charts."""
        heads = {"jsonrpc-1": "JSON-RPC echo, 1 in flight", "jsonrpc-16": "16 in flight",
                 "fanout-1": "fan-out to 1,000, 1 in flight", "fanout-16": "16 in flight", "deflate-16": "compressed, 1 KiB"}
        lines = ["| server CPU per message, µs | " + " | ".join(heads.values()) + " |", "| --- |" + " ---: |" * len(heads)]
        for name in self.figures.measured(heads):
            row = "".join(f" {self.brief(key, name)} |" for key in heads)
            lines.append(f"| {'**hubbub**' if name == 'hubbub' else TITLES[name]} |{row}")
        lines.append("")
        for chart, alt in README_CHARTS:
            if f"{chart}.svg" in self.charts:
                lines += [f"![{alt}](docs/benchmarks/{chart}.svg)", ""]
        about = self.results.about
        return lines + [f"{about['date']}, {about['machine']}; in brackets: × floor.",
                        "[docs/benchmarks.md](docs/benchmarks.md) has memory, connects, slow readers, versions and ranges."]

    def brief(self, key, name):
        ratio = self.results.ratio(key, name) if name != "floor" else None
        return digits(self.results.median(key, name, COST)) + (f" ({times(ratio)}×)" if ratio else "")

    def write(self, root):
        """The page, the charts, and the part of the README between its marks."""
        folder = os.path.join(root, "docs", "benchmarks")
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            if name.endswith(".svg") and name not in self.charts:
                os.remove(os.path.join(folder, name))
        for name, svg in self.charts.items():
            put(os.path.join(folder, name), svg)
        put(os.path.join(root, "docs", "benchmarks.md"), self.markdown())
        path = os.path.join(root, "README.md")
        with open(path, encoding="utf-8") as file:
            before = file.read()
        put(path, between_marks(before, "\n".join(self.readme())))


def between_marks(text, content):
    """The text with `content` between its marks; without the marks it stays as it is."""
    marks = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
    return marks.sub(lambda found: found[1] + content + "\n" + found[2], text)


def put(path, content):
    with open(path, "w", encoding="utf-8") as out:
        out.write(content)
