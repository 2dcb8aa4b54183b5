"""
Many waits behind one limit, and at a distance, without an engine: `python bench/limits.py` prints Markdown.

Half an hour. With the argument `outages` or `rivals` it prints only those rows, in ten minutes or less. *used* is the
admitted rate against the limit until the last undeployment was finished; *refused* the share of all requests; *gap* the
longest time that one model went without a poll, against the mean.

With the argument `comparators`, and then the names of some if not all are wanted, it compares our pace with other
limiters in an hour: see comparators.py. Each does the same work twice, in turns with the others, and each wait ends
after two minutes.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import comparators

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.event_loop import Loop
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import Goal

# Seconds for a wait with a comparator: half as much again as the longest ideal.
LONGEST = 120.0
SERVER = str(Path(__file__).with_name("server.py"))


@contextlib.contextmanager
def server(*options: object) -> Iterator[str]:
    """Serve in a process of its own; give the address."""
    command = [sys.executable, SERVER, *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def stats(url: str) -> list:
    """Return what the server saw."""
    with urllib.request.urlopen(f"{url}/stats") as answer:  # noqa: S310 - loopback
        return json.load(answer)


def follow(url: str, name: str, count: int, *, undeploy: bool, limiter: str = "ours", timeout: float = 1800.0) -> int:
    """Follow a fleet of *count*; return how many were lost."""

    async def main() -> int:
        client = NugenClient(Settings("bench", url))
        goals = {f"{name}-{number}": Goal(request=undeploy) for number in range(count)}
        async with comparators.swapped(client, limiter):
            outcomes = await follow_all(client, goals, WaitPolicy(timeout=timeout), wait=True)
        await client.aclose()
        return sum(not (outcome.known and outcome.known.reached) for outcome in outcomes.values())

    with contextlib.closing(Loop()) as loop:
        return loop.run_until_complete(main())


def fleet(count: int, *options: object, undeploy: bool = False) -> tuple[int, list]:
    """Follow a fleet of *count*; return how many were lost, and what the server saw."""
    with server(*options) as url:
        return follow(url, "m", count, undeploy=undeploy), stats(url)


def limit(rate: int, burst: int, refusal: int, count: int, *, undeploy: bool) -> None:
    """Print a row: a limit."""
    lost, (polls, deletes, _, refused, longest, took, twice, used, _) = fleet(
        count, 10, rate, burst, refusal, undeploy=undeploy
    )
    mean = took * count / max(polls, 1)
    cells = rate, burst, refusal, count, "yes" if undeploy else "", lost, deletes, twice, f"{took:.0f}"
    shares = f"{used:.2f}", f"{refused / (polls + deletes + refused):.3f}", f"{longest:.0f} / {mean:.0f}"
    print("|", " | ".join(map(str, (*cells, *shares))), "|", flush=True)


def distance(count: int) -> None:
    """Print a row: a latency of 200 ms."""
    lost, (polls, _, lags, *_) = fleet(count, 60, 0, 1, 429, 0.2)
    lags.sort()
    print(
        f"| {count} | {lost} | {polls} | {statistics.mean(lags):.1f} | {lags[int(len(lags) * 0.95)]:.1f} |", flush=True
    )


def outage(since: int, lasts: int, retry_after: int, rate: int) -> None:
    """Print a row: an outage, in which two hundred models of 30 s are undeployed."""
    began = time.monotonic()
    lost, (polls, deletes, _, refused, _, _, twice, _, during) = fleet(
        200, 30, rate, max(rate, 1), 429, 0, since, lasts, retry_after, undeploy=True
    )
    took = time.monotonic() - began
    # Behind a limit, 200 polls and 200 DELETEs with a burst of one second's take this long.
    ideal = since + lasts + 30 if since == 0 else max(30, since + lasts)
    ideal += (400 - rate) / rate if rate and not since else 0
    cells = (
        since,
        lasts,
        {0: "", -1: "nobody listens"}.get(retry_after, retry_after),
        rate or "",
        lost,
        twice,
        f"{ideal:.0f}",
        f"{took:.0f}",
        during,
    )
    print("|", " | ".join(map(str, (*cells, f"{refused / (polls + deletes + refused):.3f}"))), "|", flush=True)


def race(url: str, processes: int, count: int, limiter: str, timeout: float) -> list[tuple[int, float]]:
    """Undeploy *count* models in each of so many processes; return how many each lost, and its seconds."""
    started = [
        subprocess.Popen(
            [sys.executable, __file__, "rival", url, f"r{number}", str(count), limiter, str(timeout)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    said = [process.communicate()[0].split() for process in started]
    return [(int(lost), float(seconds)) for lost, seconds in said]


def rivals(count: int, rate: int) -> None:
    """Print a row: so many processes behind one limit, each with 200 models that are undeployed at once."""
    with server(0, rate, rate, 429) as url:
        began = time.monotonic()
        ended = race(url, count, 200, "ours", 1800.0)
        took = time.monotonic() - began
        polls, deletes, _, refused, _, _, twice, *_ = stats(url)
    seconds = [seconds for _, seconds in ended]
    # A poll, a DELETE and a poll for each model.
    ideal = (count * 600 - rate) / rate
    lost = sum(lost for lost, _ in ended)
    cells = count, rate, lost, twice, f"{ideal:.0f}", f"{took:.0f}", f"{min(seconds):.0f}", f"{max(seconds):.0f}"
    print("|", " | ".join(map(str, (*cells, f"{refused / (polls + deletes + refused):.3f}"))), "|", flush=True)


# The last three have no listener, instead of 503s.
OUTAGES = (
    (0, 24, 0, 0),
    (0, 24, 2, 0),
    (0, 60, 5, 0),
    (10, 60, 0, 0),
    (0, 24, 0, 20),
    (0, 24, -1, 0),
    (10, 60, -1, 0),
    (0, 24, -1, 20),
)


def outages() -> None:
    """Measure outages."""
    print("\n| from, s | for, s | Retry-After | limit/s | lost | twice | ideal, s | took, s | probes | refused |")
    print("|" + "---|" * 10)
    for row in OUTAGES:
        outage(*row)


def all_rivals() -> None:
    """Measure processes that share a limit."""
    print("\n| processes | limit/s | lost | twice | ideal, s | took, s | fastest, s | slowest, s | refused |")
    print("|" + "---|" * 9)
    for rate in (50, 20):
        for count in (2, 4):
            rivals(count, rate)


def compare(limiter: str, processes: int, count: int, *options: object) -> tuple[str, ...]:
    """Undeploy *count* models in each process; return lost, took, used, refused and probes."""
    with server(*options) as url:
        ended = race(url, processes, count, limiter, LONGEST)
        polls, deletes, _, refused, _, _, _, used, probes = stats(url)
    lost = sum(lost for lost, _ in ended)
    took = max(seconds for _, seconds in ended)
    share = refused / (polls + deletes + refused)
    return str(lost), f"{took:.0f}", f"{used:.2f}" if used else "-", f"{share:.3f}", str(probes)


def all_comparators() -> None:
    """Measure other limiters beside ours."""
    limiters = sys.argv[2:] or ["ours", *comparators.LIMITERS]
    for limiter in limiters:
        if limiter != "ours":
            comparators.LIMITERS[limiter]()  # ends here if its package is missing
    print("\n| | limiter | lost | ideal, s | took, s | used | refused | probes |")
    print("|" + "---|" * 8)
    scenarios = (
        ("20/s, burst 20, 200 models", 19, 1, 200, 10, 20, 20),
        ("20/s, no burst, 200 models", 20, 1, 200, 10, 20, 1),
        ("200/s, no burst, 1000 models", 15, 1, 1000, 10, 200, 1),
        ("5/s, burst 5, 200 models", 79, 1, 200, 10, 5, 5),
        ("503 for 24 s, 200 models", 54, 1, 200, 30, 0, 1, 503, 0, 0, 24),
        ("20/s, burst 20, two processes of 200", 39, 2, 200, 0, 20, 20),
    )
    for title, ideal, *work in scenarios:
        rounds = [[compare(limiter, *work) for limiter in limiters] for _ in range(2)]
        for limiter, *samples in zip(limiters, *rounds, strict=True):
            lost, *cells = (" / ".join(cell) for cell in zip(*samples, strict=True))
            print("|", " | ".join((title, limiter, lost, str(ideal), *cells)), "|", flush=True)


def main() -> None:
    """Measure everything, or what the command line names."""
    if sys.argv[1:2] == ["rival"]:
        url, name, count, limiter, timeout = sys.argv[2:]
        began = time.monotonic()
        lost = follow(url, name, int(count), undeploy=True, limiter=limiter, timeout=float(timeout))
        print(lost, time.monotonic() - began)
        return
    if len(sys.argv) > 1:
        {"outages": outages, "rivals": all_rivals, "comparators": all_comparators}[sys.argv[1]]()
        return
    print("\n| models, 60 s, 200 ms | lost | polls | mean lag, s | p95 |\n|---|---|---|---|---|")
    for count in (1000, 5000):
        distance(count)
    print(
        "\n| limit/s | burst | refusal | models | undeploy | lost | DELETEs | twice | took, s | used | refused | gap |"
    )
    print("|" + "---|" * 12)
    for rate in (200, 50, 20, 5):
        for burst, refusal in ((1, 429), (rate, 503)):
            for count in (200, 1000) if rate >= 50 else (200,):
                for undeploy in (False, True):
                    limit(rate, burst, refusal, count, undeploy=undeploy)
    outages()
    all_rivals()


if __name__ == "__main__":
    main()
