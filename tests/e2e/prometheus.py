"""A strict reader of the Prometheus text format (version 0.0.4), as far as the hub uses it: fails on what a scraper
would reject or misread."""

import re
from collections import defaultdict

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class Metrics:
    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, defaultdict(dict)
        assert text.endswith("\n"), "the last line has no end"
        for line in text.splitlines():
            self._read(line)
        for name in self.types:
            if self.types[name] == "histogram":
                self._check_histogram(name)

    def _read(self, line):
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            assert name not in self.helps and words.strip(), line
            self.helps[name] = words
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in self.types and kind in TYPES, line
            self.types[name] = kind
        elif line and not line.startswith("#"):
            self._read_sample(line)

    def _read_sample(self, line):
        match = SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.groups()
        assert family(name, self.types) in self.types, f"a sample before its TYPE: {line!r}"
        assert not labels or re.fullmatch(f"(?:{LABEL.pattern})+", labels), f"bad labels: {line!r}"
        key = tuple(sorted(LABEL.findall(labels or "")))
        assert key not in self.samples[name], f"twice: {line!r}"
        self.samples[name][key] = float(value)

    def _check_histogram(self, name):
        """Buckets rise, and the last equals the count."""
        series = defaultdict(list)
        for labels, value in self.samples[name + "_bucket"].items():
            bound = float(dict(labels)["le"])
            series[tuple(pair for pair in labels if pair[0] != "le")].append((bound, value))
        for labels, buckets in series.items():
            values = [value for _, value in sorted(buckets)]
            assert values == sorted(values), f"{name}{labels} is not cumulative"
            assert max(buckets)[0] == float("inf") and values[-1] == self.samples[name + "_count"][labels]

    def value(self, name, **labels):
        """The sum of the samples of that name with those labels; 0 if there are none."""
        wanted = set(labels.items())
        return sum(value for key, value in self.samples.get(name, {}).items() if wanted <= set(key))


def family(sample, types):
    for suffix in ("_bucket", "_count", "_sum"):
        if sample.endswith(suffix) and types.get(sample.removesuffix(suffix)) in ("histogram", "summary"):
            return sample.removesuffix(suffix)
    return sample
