"""Charts as SVG, small and without anything from elsewhere: bars for servers beside each other, lines for growth.

Every chart has a background of its own and follows the reader's dark or light scheme, so it can be read wherever it is shown.
Lengths are on linear axes that begin at zero; lines have logarithmic ones, so that equal growth is equal slope.
"""
import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH = 760
STYLE = """
    .ground { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d8dee4 }
    .axis { stroke: #59636e } .ours { fill: #0969da } .base { fill: #8c959f } .theirs { fill: #54aeff; fill-opacity: .55 }
    .range { stroke: #1f2328 } .c0 { --c: #8c959f } .c1 { --c: #0969da } .c2 { --c: #bc4c00 } .c3 { --c: #1a7f37 }
    .c4 { --c: #8250df } .c5 { --c: #bf3989 } .line { stroke: var(--c); fill: none } .dot, .name { fill: var(--c) }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; stroke: #30363d } .text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #262c36 }
      .axis { stroke: #9198a1 } .ours { fill: #4493f8 } .base { fill: #7d8590 } .theirs { fill: #1f6feb; fill-opacity: .5 }
      .range { stroke: #e6edf3 } .c0 { --c: #9198a1 } .c1 { --c: #4493f8 } .c2 { --c: #f0883e } .c3 { --c: #3fb950 }
      .c4 { --c: #a371f7 } .c5 { --c: #f778ba }
    }"""


@dataclasses.dataclass
class Bar:
    name: str
    value: float
    low: float
    high: float
    label: str
    kind: str = "theirs"  # ours, base, theirs


@dataclasses.dataclass
class Panel:
    title: str
    axis: str  # what its numbers are, with their unit
    bars: list


@dataclasses.dataclass
class Line:
    name: str
    points: list  # (x, y)
    colour: int = 0  # of six


@dataclasses.dataclass
class Growth:
    title: str
    axis: str
    x_axis: str
    lines: list


def ticks(most, wanted=5):
    """Round numbers from 0 to `most`, about `wanted` steps."""
    if most <= 0:
        return [0]
    step = 10 ** math.floor(math.log10(most / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if most / (step * factor) <= wanted)
    return [step * i for i in range(int(most / step + 1e-9) + 1)]


def number(value):
    return f"{value:,.10g}"


def at(value):
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(x, y, content, style="text", anchor="start", more=""):
    return f'<text x="{at(x)}" y="{at(y)}" class="{style}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<path d="M{at(x1)} {at(y1)}L{at(x2)} {at(y2)}" class="{style}"/>'


def document(title, description, height, parts):
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {at(height)}" role="img" aria-labelledby="t d" '
         'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="13">',
         f'  <title id="t">{escape(title)}</title>', f'  <desc id="d">{escape(description)}</desc>', f"  <style>{STYLE}",
         "  </style>", f'  <rect x=".5" y=".5" width="{WIDTH - 1}" height="{at(height - 1)}" rx="8" class="ground"/>',
         text(20, 28, title, more=' font-weight="600" font-size="16"')]
        + ["  " + part for part in parts] + ["</svg>", ""])


def bar_panel(panel, top):
    """Drawn parts and the height they take."""
    left, right, row = 170, WIDTH - 150, 24
    most = max((bar.high for bar in panel.bars), default=1) or 1
    scale = (right - left) / most
    bottom = top + 34 + row * len(panel.bars)
    parts = [text(20, top + 18, panel.title, more=' font-weight="600"')]
    for tick in ticks(most):
        x = left + tick * scale
        parts += [line(x, top + 28, x, bottom, "grid"), text(x, bottom + 16, number(tick), "faint", "middle")]
    for index, bar in enumerate(panel.bars):
        y = top + 34 + row * index
        length = max(1.0, bar.value * scale)
        parts += [text(left - 10, y + 14, bar.name, anchor="end", more=' font-weight="600"' if bar.kind == "ours" else ""),
                  f'<rect x="{left}" y="{at(y + 2)}" width="{at(length)}" height="{row - 7}" rx="2" class="{bar.kind}"/>']
        if bar.high > bar.low:
            parts.append(line(left + bar.low * scale, y + 10.5, left + bar.high * scale, y + 10.5, "range"))
        parts.append(text(left + max(length, bar.high * scale) + 8, y + 14, bar.label))
    parts += [line(left, top + 28, left, bottom, "axis"), text((left + right) / 2, bottom + 34, panel.axis, "faint", "middle")]
    return parts, bottom + 46 - top


def bars(title, panels):
    """Panels of horizontal bars below each other; the thin line across a bar's end is the range of the rounds."""
    parts, top = [], 36.0
    for panel in panels:
        drawn, height = bar_panel(panel, top)
        parts += drawn
        top += height
    told = "; ".join(f"{panel.title}: " + ", ".join(f"{bar.name} {bar.label}" for bar in panel.bars) for panel in panels)
    return document(title, told, top + 6, parts)


def apart(heights, gap, lowest):
    """The heights moved as little as labels need to be `gap` from each other, in their order, none below `lowest`."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    moved = list(heights)
    for above, below in zip(order, order[1:]):
        moved[below] = max(moved[below], moved[above] + gap)
    for index in reversed(order):
        moved[index] = min(moved[index], lowest)
        lowest = moved[index] - gap
    return moved


def log_ticks(least, most):
    """1, 2, 5, 10 and so on, from the last at or below `least` to the first at or above `most`."""
    steps = [factor * 10.0 ** power for power in range(-6, 10) for factor in (1, 2, 5)]
    low = max(step for step in steps if step <= least)
    high = min(step for step in steps if step >= most)
    return [step for step in steps if low <= step <= high]


def growth_panel(panel, left, top, width, height):
    xs = sorted({x for one in panel.lines for x, _ in one.points})
    ys = [y for one in panel.lines for _, y in one.points]
    marks = log_ticks(min(ys), max(ys))
    place = {x: left + (index + 0.4) * width / len(xs) for index, x in enumerate(xs)}
    bottom = top + height

    def rise(value):
        return bottom - height * math.log(value / marks[0]) / math.log(marks[-1] / marks[0] if len(marks) > 1 else 2)

    parts = [text(left - 36, top - 30, panel.title, more=' font-weight="600"'), text(left - 36, top - 12, panel.axis, "faint")]
    for tick in marks:
        parts += [line(left, rise(tick), left + width, rise(tick), "grid"),
                  text(left - 6, rise(tick) + 4, number(round(tick, 6)), "faint", "end")]
    parts += [text(place[x], bottom + 18, number(x), "faint", "middle") for x in xs]
    parts += [line(left, bottom, left + width, bottom, "axis"),
              text(left + width / 2, bottom + 38, panel.x_axis, "faint", "middle")]
    names = apart([rise(one.points[-1][1]) for one in panel.lines], 15, bottom - 4)
    for one, name in zip(panel.lines, names):
        path = "L".join(f"{at(place[x])} {at(rise(y))}" for x, y in one.points)
        dots = "".join(f'<circle cx="{at(place[x])}" cy="{at(rise(y))}" r="3" class="dot"/>' for x, y in one.points)
        label = text(place[one.points[-1][0]] + 10, name + 4, one.name, "name")
        parts.append(f'<g class="c{one.colour}"><path d="M{path}" class="line" stroke-width="2"/>{dots}{label}</g>')
    return parts


def growth(title, panels):
    """Panels of lines beside each other: how a cost changes with the number of connections."""
    panels = [panel for panel in panels if panel.lines]
    height, top = 250, 96
    parts = []
    for index, panel in enumerate(panels):
        share = (WIDTH - 20) / len(panels)
        parts += growth_panel(panel, 60 + index * share, top, share - 125, height)
    told = "; ".join(f"{panel.title}: " + ", ".join(f"{one.name} " + " ".join(f"{y:.3g}" for _, y in one.points)
                                                    for one in panel.lines) for panel in panels)
    return document(title, told, top + height + 56, parts)
