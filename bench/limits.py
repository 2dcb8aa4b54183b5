"""
Many waits behind one limit, and at a distance, without an engine: `python bench/limits.py` prints Markdown.

A quarter of an hour. *used* is the admitted rate against the limit until the last undeployment was finished; *refused*
the share of all requests; *gap* the longest time that one model went without a poll, against the mean.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.loop import Loop
from nugen_pulumi.waiting.waiter import WaitPolicy

SERVER = str(Path(__file__).with_name("server.py"))


def fleet(count: int, *options: object, undeploy: bool = False) -> tuple[int, list]:
    """Follow a fleet of *count*; return how many were lost, and what the server saw."""
    command = [sys.executable, SERVER, *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"

        async def follow() -> int:
            client = NugenClient(Settings("bench", url))
            orders = {f"m-{number}": undeploy for number in range(count)}
            outcomes = await follow_all(client, orders, WaitPolicy(), wait=True)
            await client.aclose()
            return sum(not (outcome.known and outcome.known["undeployed"]) for outcome in outcomes.values())

        try:
            with contextlib.closing(Loop()) as loop:
                lost = loop.run_until_complete(follow())
            with urllib.request.urlopen(f"{url}/stats") as answer:  # noqa: S310 - loopback
                return lost, json.load(answer)
        finally:
            process.kill()


def limit(rate: int, burst: int, refusal: int, count: int, *, undeploy: bool) -> None:
    """Print a row: a limit."""
    lost, (polls, deletes, _, refused, longest, took, twice, used) = fleet(
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


def outage(seconds: int, retry_after: int) -> None:
    """Print a row: 200 models of 30 seconds behind an outage from the start."""
    began = time.monotonic()
    lost, (_, deletes, _, refused, _, _, twice, _) = fleet(200, 30, 0, 1, 503, 0, seconds, retry_after, undeploy=True)
    took = time.monotonic() - began
    print(
        f"| {seconds} | {retry_after or ''} | {lost} | {deletes} | {twice} | {seconds + 30} | {took:.0f} | {refused} |"
    )


async def rival(url: str) -> int:
    """Undeploy 200 models of its own; return how many were lost."""
    client = NugenClient(Settings("bench", url))
    orders = {f"m-{os.getpid()}-{number}": True for number in range(200)}
    outcomes = await follow_all(client, orders, WaitPolicy(), wait=True)
    await client.aclose()
    return sum(not (outcome.known and outcome.known["undeployed"]) for outcome in outcomes.values())


def run_rival(url: str) -> tuple[int, float]:
    """Be one of several processes; return how many were lost, and the seconds."""
    began = time.monotonic()
    with contextlib.closing(Loop()) as loop:
        return loop.run_until_complete(rival(url)), time.monotonic() - began


def rivals(count: int, rate: int, burst: int) -> None:
    """Print a row: processes behind one limit, with models of 2 seconds."""
    command = [sys.executable, SERVER, "2", str(rate), str(burst), "429"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        try:
            with ProcessPoolExecutor(count) as pool:
                ends = list(pool.map(run_rival, [url] * count))
            with urllib.request.urlopen(f"{url}/stats") as answer:  # noqa: S310 - loopback
                polls, deletes, _, refused, _, _, twice, _ = json.load(answer)
        finally:
            process.kill()
    lost, took = sum(end[0] for end in ends), [end[1] for end in ends]
    ideal = (polls + deletes - burst) / rate
    share = refused / (polls + deletes + refused)
    print(
        f"| {count} | {rate} | {burst} | {lost} | {twice} "
        f"| {ideal:.0f} | {min(took):.0f} | {max(took):.0f} | {share:.3f} |"
    )


def main() -> None:
    """Measure everything."""
    print("\n| models, 60 s, 200 ms | lost | polls | mean lag, s | p95 |\n|---|---|---|---|---|")
    for count in (1000, 5000):
        distance(count)
    print("\n| outage, s | Retry-After | lost | DELETEs | twice | ideal, s | took, s | refused |\n" + "|---" * 8 + "|")
    for seconds in (24, 60):
        for retry_after in (0, 2, 5):
            outage(seconds, retry_after)
    print("\n| processes | limit/s | burst | lost | twice | ideal, s | fastest, s | slowest, s | refused |")
    print("|" + "---|" * 9)
    for count in (2, 4):
        for rate in (20, 50):
            rivals(count, rate, rate)
    print(
        "\n| limit/s | burst | refusal | models | undeploy | lost | DELETEs | twice | took, s | used | refused | gap |"
    )
    print("|" + "---|" * 12)
    for rate in (200, 50, 20, 5):
        for burst, refusal in ((1, 429), (rate, 503)):
            for count in (200, 1000) if rate >= 50 else (200,):
                for undeploy in (False, True):
                    limit(rate, burst, refusal, count, undeploy=undeploy)


if __name__ == "__main__":
    main()
