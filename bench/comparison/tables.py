"""The tables of the comparison, and the notes on what a server cannot do, from the results."""
import statistics

from . import targets, works

COST = "server.cpu_us_per_message"
TITLES = {target.name: target.title for target in targets.ALL}
# Why there is no number: what a server cannot do, or has no word for.
CANNOT = {
    ("hubbub", "echo"): "hubbub speaks JSON-RPC only: see the calls above.",
    ("rpc-websockets", "echo"): "rpc-websockets speaks JSON-RPC only.",
    ("libwebsockets", "jsonrpc"): "libwebsockets knows no JSON-RPC and brings no writer of JSON.",
    ("nchan", "echo"): "nchan publishes and subscribes; it answers nothing.",
    ("nchan", "jsonrpc"): "nchan publishes and subscribes; it answers nothing.",
    ("nats", "echo"): "nats-server passes messages on; an answer needs a service of somebody's own behind it.",
    ("nats", "jsonrpc"): "nats-server passes messages on; an answer needs a service of somebody's own behind it.",
    ("floor", "deflate"): "The floor compresses nothing.",
}
NOTES = {
    ("floor", "jsonrpc"): "The floor sends the text back as it came: it parses nothing.",
    ("socket.io", "jsonrpc"): "socket.io: an event with an acknowledgement, which is its way to call.",
    ("bun", "jsonrpc"): "bun, node ws: `JSON.parse`, a look at the method, `JSON.stringify`.",
    ("ws", "jsonrpc"): "bun, node ws: `JSON.parse`, a look at the method, `JSON.stringify`.",
    ("beast", "jsonrpc"): "Boost.Beast: with Boost.JSON.",
    ("nats", "fanout"): "nats-server puts several messages into one WebSocket frame, and a client's protocol is NATS' own.",
    ("hubbub", "connect"): "hubbub: with its session opened, and its code and token sent.",
    ("socket.io", "connect"): "socket.io: with its namespace joined.",
    ("hubbub", "idle"): "hubbub: with its session.",
    ("libwebsockets", "connect"): "libwebsockets keeps its timers in one sorted list, which a connection walks.",
    ("libwebsockets", "deflate"): "libwebsockets sets a compressor up and tears it down for every message without context.",
    ("hubbub", "deflate"): "hubbub and nchan compress a publication once for all subscribers, the others once for each.",
    ("nchan", "deflate"): "hubbub and nchan compress a publication once for all subscribers, the others once for each.",
}


def digits(value):
    """Three digits that count."""
    if not value:
        return "-" if value is None else "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.{2 if value >= 1 else 3}f}"


def times(ratio):
    """A multiple, with as many digits as mean something."""
    return "-" if not ratio else f"{ratio:.{2 if ratio < 10 else 1}f}"


def spread(values, scale=1.0, show=digits):
    """Median, and the range where there is one."""
    if not values:
        return "-"
    middle, least, most = (show(of(values) / scale) for of in (statistics.median, min, max))
    return middle if least == most else f"{middle} ({least}-{most})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" if i == 0 else "---:" for i in range(len(head))) + " |"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


class Footnotes:
    """Numbered in the order in which they are called for; one text has one number."""

    def __init__(self):
        self.texts = []

    def mark(self, note):
        if not note:
            return ""
        if note not in self.texts:
            self.texts.append(note)
        return f" <sup>{self.texts.index(note) + 1}</sup>"

    def lines(self):
        return [f"<sup>{number}</sup> {note}  " for number, note in enumerate(self.texts, 1)] + ([""] if self.texts else [])


class Tables:
    def __init__(self, results):
        self.results = results
        self.works = {work.key: work for work in works.all_works()}

    def measured(self, keys):
        """The targets that any of the works has, or could not have, in the order of targets.ALL."""
        present = {name for key in self.results.works for name in self.results.targets(key)}
        wanted = [name for name in targets.NAMES if name in present]
        return [name for name in wanted if any(self.results.targets(key) for key in keys)]

    def sorted_by(self, names, key, path):
        """Cheapest first; those without a number last."""
        medians = {name: self.results.median(key, name, path) for name in names}
        return sorted(names, key=lambda name: float("inf") if medians[name] is None else medians[name])

    def note(self, name, key):
        kind = self.works[key].kind
        errors = self.results.errors(key, name)
        if errors and not self.results.runs(key, name):
            return "Failed: " + errors[0].replace("|", "\\|").replace("\n", " ")[:200]
        if not self.results.targets(key) or name not in self.results.targets(key):
            return CANNOT.get((name, kind))
        return NOTES.get((name, kind))

    def costs(self, keys):
        """CPU per message and its ratio to the floor (where that was measured) for each work; for the last the rate, too."""
        notes = Footnotes()
        head = ["server"]
        for key in keys:
            head += [f"{self.works[key].title}, µs"] + ["× floor"] * self.has_floor(key)
        head.append("messages/s on one core")
        rows = []
        for name in self.sorted_by(self.measured(keys), keys[-1], COST):
            row = [TITLES[name] if name != "hubbub" else "**hubbub**"]
            for key in keys:
                row.append(spread(self.results.values(key, name, COST)) + notes.mark(self.note(name, key)))
                row += [times(self.results.ratio(key, name))] * self.has_floor(key)
            rows.append(row + [self.rate(keys[-1], name)])
        return table(head, rows) + notes.lines()

    def has_floor(self, key):
        return bool(self.results.runs(key, "floor"))

    def rate(self, key, name):
        rate = self.results.median(key, name, "messages_per_s")
        if rate is None:
            return "-"
        bound = any(run["generator"]["bound"] for run in self.results.runs(key, name))
        return ("≥ " if bound else "") + f"{round(rate, -3):,.0f}"

    def simple(self, key, columns):
        """A table of one work: (head, path, divisor) each."""
        notes = Footnotes()
        rows = []
        for name in self.sorted_by(self.measured([key]), key, columns[0][1]):
            row = [TITLES[name] if name != "hubbub" else "**hubbub**"]
            row += [spread(self.results.values(key, name, path), scale) for _, path, scale in columns]
            row[1] += notes.mark(self.note(name, key))
            rows.append(row)
        return table(["server"] + [head for head, _, _ in columns], rows) + notes.lines()

    def growing(self, kind):
        keys = [f"growth-{kind}-{count}" for count in works.GROWTH]
        names = [name for name in works.GROWING if any(self.results.runs(key, name) for key in keys)]
        rows = []
        for name in names:
            medians = [self.results.median(key, name, COST) for key in keys]
            grown = medians[-1] / medians[0] if medians[0] and medians[-1] else None
            rows.append([TITLES[name], *[spread(self.results.values(key, name, COST)) for key in keys],
                         f"{grown:.2f}" if grown else "-"])
        return table(["µs per message at", *[f"{count:,}" for count in works.GROWTH],
                      f"{works.GROWTH[-1]:,} / {works.GROWTH[0]}"], rows)

    def slow(self):
        rows = []
        for name in self.results.targets("slow"):
            def median(path, name=name):
                return self.results.median("slow", name, path)
            rss = median("rss_max_bytes")
            closed = self.results.median("slow", name, "stalled.closed_by_server")
            rows.append([TITLES[name], digits(median("baseline.latency_us.p99")), digits(median("latency_us.p99")),
                         spread(self.results.values("slow", name, "p99_ratio")),
                         f"{rss / 2**20:.0f}" if rss else "-", "-" if closed is None else f"{closed:.0f}"])
        head = ["server", "p99 without, µs", "p99 with, µs", "with / without", "RSS at most, MiB", "stalled, cut off"]
        return table(head, rows)
