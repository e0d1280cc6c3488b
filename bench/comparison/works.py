"""The works that are measured, and how one is scaled down to a quick try."""
import dataclasses

GROWTH = (100, 1000, 5000, 15000)
# Whose cost is followed from few connections to many: a chart of all ten cannot be read.
GROWING = ("floor", "hubbub", "bun", "beast", "nats", "ws")


@dataclasses.dataclass(frozen=True)
class Work:
    """One row of measurements. `kind` decides what servers are told (texts), `mode` is the load generator's."""

    key: str
    title: str
    kind: str
    mode: str
    connections: int
    in_flight: int = 1  # 0: `extra` gives a rate instead
    aim: float | None = None  # hubbub as a multiple of the floor
    rounds: int | None = None  # at most so many; what takes long or varies little needs fewer
    seconds: float | None = None  # at least so long a window
    extra: tuple = ()
    targets: tuple = ()  # empty: all

    @property
    def group(self):
        return self.key.partition("-")[0]

    def wants(self, target):
        return target.can(self) and (not self.targets or target.name in self.targets)

    def arguments(self, seconds, warmup):
        """The load generator's arguments about how much."""
        count = ["--connections", str(self.connections)]
        if self.mode != "idle" and self.in_flight:
            count += ["--in-flight", str(self.in_flight)]
        if self.mode != "connect":
            window = round(1000 * max(seconds, self.seconds or 0))
            count += ["--duration", f"{window}ms", "--warmup", f"{round(1000 * warmup)}ms"]
        return count + list(self.extra)


def all_works():
    works = [
        Work("jsonrpc-1", "1 call in flight", "jsonrpc", "echo", 100, 1, aim=1.12),
        Work("jsonrpc-16", "16 calls in flight", "jsonrpc", "echo", 100, 16, aim=2.0),
        Work("echo-1", "1 message in flight", "echo", "echo", 100, 1),
        Work("echo-16", "16 messages in flight", "echo", "echo", 100, 16),
        Work("fanout-1", "1 publication in flight", "fanout", "fan-out", 1000, 1, aim=1.05),
        Work("fanout-16", "16 publications in flight", "fanout", "fan-out", 1000, 16, aim=1.10),
        Work("large-16", "plain", "large", "fan-out", 1000, 16),
        Work("deflate-16", "compressed", "deflate", "fan-out", 1000, 16),
        Work("idle", "15,000 connections", "idle", "idle", 15000, rounds=3, seconds=2),
        Work("connect", "10,000 connects, 64 at a time", "connect", "connect", 10000, 64, rounds=3),
        # 0.8 MB/s for each reader: what the kernel takes for one that stopped is full, and the server's bound reached, in 5 s.
        Work("slow", "1,000 readers, 100 that stopped", "slow", "slow-readers", 1000, 0, rounds=3, seconds=8,
             extra=("--rate", "100", "--stalled", "100"), targets=("hubbub", "bun", "nats")),
    ]
    for kind, mode in (("jsonrpc", "echo"), ("fanout", "fan-out")):
        for count in GROWTH:
            works.append(Work(f"growth-{kind}-{count}", f"{count:,} connections", kind, mode, count, 1, rounds=3,
                              targets=GROWING))
    return works


def quick(work):
    """The same with a handful of connections: does it work, not how fast."""
    few = {"idle": 100, "connect": 100, "fanout": 30, "large": 20, "deflate": 20, "slow": 20}.get(work.kind, 10)
    extra = ("--rate", "100", "--stalled", "3") if work.kind == "slow" else work.extra
    return dataclasses.replace(work, connections=min(few, work.connections), seconds=None, rounds=1, extra=extra)


def select(keys, quickly):
    """The works whose key or group is named, in order; all for no names. A quick try of all has one work of each kind."""
    works = all_works()
    known = {work.key for work in works} | {work.group for work in works}
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise ValueError(f"no such work: {', '.join(unknown)} (known: {', '.join(sorted(known))})")
    chosen = [work for work in works if not keys or work.key in keys or work.group in keys]
    if not quickly:
        return chosen
    if not keys:
        # The last of its kind has the most messages in flight.
        chosen = list({work.kind: work for work in works if work.group != "growth"}.values())
    return [quick(work) for work in chosen]
