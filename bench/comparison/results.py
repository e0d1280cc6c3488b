"""The numbers of all runs: kept, saved, read again, and asked for medians.

As JSON: {"about": {...}, "works": {KEY: {"connections": N, "targets": {NAME: [run of round 1, ...]}}}}, a run being what the
load generator told, or {"error": TEXT}.
"""
import json
import statistics


class Results:
    def __init__(self, about=None, works=None):
        self.about = about or {}
        self.works = works or {}

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            stored = json.load(file)
        return cls(stored["about"], stored["works"])

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"about": self.about, "works": self.works}, out, indent=1)
            out.write("\n")

    def forget(self, work):
        self.works[work.key] = {"connections": work.connections, "targets": {}}

    def add(self, work, target, run):
        self.works[work.key]["targets"].setdefault(target, []).append(run)

    def targets(self, key):
        return list(self.works.get(key, {}).get("targets", {}))

    def runs(self, key, target):
        """The runs that gave numbers."""
        return [run for run in self.works.get(key, {}).get("targets", {}).get(target, []) if not run.get("error")]

    def errors(self, key, target):
        runs = self.works.get(key, {}).get("targets", {}).get(target, [])
        return [run["error"] for run in runs if run.get("error")]

    def all_errors(self):
        """(key, target, text) of every run that failed."""
        return [(key, target, text) for key, work in self.works.items() for target in work["targets"]
                for text in self.errors(key, target)]

    def values(self, key, target, path):
        """A number of each run: `path` as in "server.rss_bytes". Runs that have none are left out."""
        found = []
        for run in self.runs(key, target):
            value = run
            for part in path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                found.append(value)
        return found

    def median(self, key, target, path):
        values = self.values(key, target, path)
        return statistics.median(values) if values else None

    def ratio(self, key, target, path="server.cpu_us_per_message", base="floor"):
        """Median over the rounds of target / base; both were measured one after the other in each round."""
        rounds = zip(*(self.works.get(key, {}).get("targets", {}).get(name, []) for name in (target, base)))
        ratios = []
        for ours, theirs in rounds:
            if not ours.get("error") and not theirs.get("error") and path.startswith("server."):
                cost = [run["server"].get(path.partition(".")[2]) for run in (ours, theirs)]
                if all(cost):
                    ratios.append(cost[0] / cost[1])
        return statistics.median(ratios) if ratios else None

    def rounds(self):
        """Of the work that was measured most often."""
        return max((len(runs) for work in self.works.values() for runs in work["targets"].values()), default=0)

    def noise(self):
        """Cores that others kept busy, as a median of all runs; None without runs."""
        shares = [run["others_share"] for key, work in self.works.items() for target in work["targets"]
                  for run in self.runs(key, target) if "others_share" in run]
        return statistics.median(shares) if shares else None
