"""
Measure side by side with the real engine: `make bench`. Prints the tables of which README.md shows a part.

The server (server.py) is as light as Python can serve, in a process of its own, and answers a request in about a
tenth of the processor time that a client spends on it: it is not the bottleneck. On a noisy machine only the ratios
within one run say much.
"""

import datetime as dt
import os
import platform
import statistics
import subprocess
import sys

from measure import Api, Sample, api, up

TRIVIAL = """
import time
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Sleeper(ResourceProvider):
    def create(self, props):
        time.sleep({seconds})
        return CreateResult(props["n"], props)

class Trivial(Resource, module="bench", name="Trivial"):
    pass

for n in range({count}):
    Trivial(Sleeper(), f"m-{{n}}", {{"n": str(n)}})
"""

SINGLES = """
from nugen_pulumi import UndeployedModel

for n in range({count}):
    UndeployedModel(f"m-{{n}}", model_id=f"m-{{n}}")
"""

FLEET = """
from nugen_pulumi import UndeployedModels

UndeployedModels("fleet", model_ids=[f"m-{{n}}" for n in range({count})])
"""

HEAD = "took, s | x one | polls | mean lag, s | p95 lag | memory, MiB | CPU, s | state, KiB"
WIDE = ("--parallel", "256")


def say(*cells: object) -> None:
    """Print a row of a table."""
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def head(titles: str) -> None:
    """Print the head of a table."""
    print(f"\n| {titles} |\n|{'---|' * (titles.count('|') + 1)}")


def show(seconds: float, count: int, sample: Sample, one: Sample) -> None:
    """Print what was measured."""
    ratio = f"{sample.took / one.took:.2f}"
    lags = f"{sample.lag:.2f}", f"{sample.lag95:.2f}"
    used = f"{sample.memory:.0f}", f"{sample.cpu:.1f}", f"{sample.state:.0f}"
    say(f"{seconds:g}", count, f"{sample.took:.1f}", ratio, sample.polls, *lags, *used)


def middle(program: str, server: Api, *options: str, rounds: int) -> Sample:
    """Return the sample in the middle of *rounds*."""
    return sorted((up(program, server, *options) for _ in range(rounds)), key=lambda s: s.took)[rounds // 2]


def series(program: str, seconds: float, counts: list[int], *options: str, rounds: int = 1) -> None:
    """Print a row for each count."""
    samples: list[Sample] = []
    with api(seconds) as server:
        for count in counts:
            samples.append(middle(program.format(count=count), server, *options, rounds=rounds))
            show(seconds, count, samples[-1], samples[0])


def against_trivial(seconds: float) -> None:
    """Compare single resources with a trivial one that sleeps as long in the stock host."""
    head(f"models, {seconds:g} s each | -p | trivial resource, s | this resource, s | ratio")
    with api(seconds) as server:
        for parallel in ("8", "256"):
            for count in (1, 16, 64, 200):
                trivial = up(TRIVIAL.format(count=count, seconds=seconds), server, "--parallel", parallel).took
                ours = up(SINGLES.format(count=count), server, "--parallel", parallel).took
                say(count, parallel, f"{trivial:.1f}", f"{ours:.1f}", f"{ours / trivial:.2f}")


def settled(rounds: int = 7) -> None:
    """One model that is undeployed already, against a resource that does nothing."""
    with api(0) as server:
        pairs = [
            (up(TRIVIAL.format(count=1, seconds=0), server).took, up(SINGLES.format(count=1), server).took)
            for _ in range(rounds)
        ]
    ratios = sorted(ours / trivial for trivial, ours in pairs)
    print(f"\nOne model that is undeployed already: {statistics.median(ratios):.2f} x the trivial resource ", end="")
    print(f"(median of {rounds}, {ratios[0]:.2f} to {ratios[-1]:.2f}; goal: at most 1.15).", flush=True)


def imports(rounds: int = 15) -> None:
    """What `import nugen_pulumi` adds to a program that imports pulumi anyway."""
    script = "import time, pulumi; t = time.perf_counter(); import nugen_pulumi; print(time.perf_counter() - t)"
    run = [sys.executable, "-c", script]
    costs = [float(subprocess.run(run, check=True, capture_output=True, text=True).stdout) for _ in range(rounds)]
    print(f"\n`import nugen_pulumi` after `import pulumi`: {statistics.median(costs) * 1000:.0f} ms ", end="")
    print(f"(median of {rounds}, {min(costs) * 1000:.0f} to {max(costs) * 1000:.0f}; goal: at most 20).", flush=True)


def main() -> None:
    """Measure everything, in half an hour."""
    today = dt.datetime.now(tz=dt.UTC).date()
    print(f"{today}, {os.cpu_count()} processors, Python {platform.python_version()}")
    imports()
    settled()
    against_trivial(2.0)
    head(f"model, s | one fleet of | {HEAD}")
    series(FLEET, 2.0, [1, 40, 200, 1000, 5000], rounds=3)
    series(FLEET, 10.0, [1, 40, 200, 1000, 5000])
    series(FLEET, 150.0, [1, 1000])
    head(f"model, s | single resources | {HEAD}")
    series(SINGLES, 2.0, [1, 40, 200, 1000], *WIDE)
    series(SINGLES, 10.0, [1, 40, 200, 1000], *WIDE)


if __name__ == "__main__":
    main()
