"""The charts of the comparison, from the results."""
import statistics

from . import chart, works
from .tables import COST, TITLES, Tables, digits, times


class Figures(Tables):
    """Files by name, each an SVG; those of works that were not measured are missing."""

    def panel(self, key, title, path=COST, scale=1.0, unit="µs", axis="server CPU per message, µs"):
        shown = []
        for name in self.sorted_by(self.measured([key]), key, path):
            values = [value / scale for value in self.results.values(key, name, path)]
            if values:
                ratio = self.results.ratio(key, name, path) if name != "floor" and path == COST else None
                label = f"{digits(statistics.median(values))} {unit}" + (f" · {times(ratio)}×" if ratio else "")
                kind = {"hubbub": "ours", "floor": "base"}.get(name, "theirs")
                shown.append(chart.Bar(TITLES[name], statistics.median(values), min(values), max(values), label, kind))
        return chart.Panel(title, axis, shown)

    def growth_panel(self, kind, title):
        lines = []
        for colour, name in enumerate(works.GROWING):
            points = [(count, self.results.median(f"growth-{kind}-{count}", name, COST)) for count in works.GROWTH]
            points = [(x, y) for x, y in points if y is not None]
            if points:
                lines.append(chart.Line(TITLES[name].partition(" (")[0], points, colour))
        return chart.Growth(title, "server CPU per message, µs (logarithmic)", "connections", lines)

    def charts(self):
        """File name to SVG, for whatever was measured."""
        both = ", × floor"
        drawn = {
            "calls": ("JSON-RPC echo: server CPU per call" + both,
                      [self.panel(key, f"100 connections, {self.works[key].title}") for key in ("jsonrpc-1", "jsonrpc-16")]),
            "fanout": ("Fan-out to 1,000 subscribers: server CPU per delivery" + both,
                       [self.panel(key, self.works[key].title) for key in ("fanout-1", "fanout-16")]),
            "compressed": ("Broadcast of 1 KiB of JSON to 1,000 subscribers: server CPU per delivery",
                           [self.panel(key, self.works[key].title) for key in ("large-16", "deflate-16")]),
            "idle": ("Memory of an idle connection",
                     [self.panel("idle", self.works["idle"].title, "server.rss_per_connection", 1024, "KiB",
                                 "resident memory per connection, KiB")]),
            "connect": ("Connecting: server CPU per connection" + both,
                        [self.panel("connect", self.works["connect"].title, axis="server CPU per connection, µs")]),
        }
        files = {f"{name}.svg": chart.bars(title, panels) for name, (title, panels) in drawn.items()
                 if any(panel.bars for panel in panels)}
        grown = [self.growth_panel("jsonrpc", "JSON-RPC echo"), self.growth_panel("fanout", "fan-out")]
        if any(panel.lines for panel in grown):
            files["growth.svg"] = chart.growth("From 100 connections to 15,000", grown)
        return files
