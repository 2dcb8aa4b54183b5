"""
Fleets of many sizes against a light server in a process of its own. Prints a Markdown table.

The runtime is measured as the provider process uses it, without an engine: `bench/engine.py` has the engine's share.
"""

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")

ONE = """
import json, resource, sys, time
from nugen_pulumi.runtime import Runtime
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiter import WaitPolicy

url, count = sys.argv[1], int(sys.argv[2])
runtime = Runtime(Settings("bench", url))
began = time.monotonic()
outcomes = runtime.learn_all({f"m-{n}": True for n in range(count)}, WaitPolicy())
took = time.monotonic() - began
assert all(outcome.undeployed for outcome in outcomes.values())
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([took, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime]))
"""


def ask(url: str) -> list:
    """Return what the server answers."""
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def measure(seconds: float, sizes: list[int]) -> None:
    """Print a row for each size."""
    server = subprocess.Popen([sys.executable, str(SERVER), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        alone = None
        for size in sizes:
            ask(f"{url}/reset")
            ran = subprocess.run(
                [sys.executable, "-c", ONE, url, str(size)], stdout=subprocess.PIPE, text=True, check=True
            )
            took, memory, cpu = json.loads(ran.stdout)
            looks, _, lags = ask(f"{url}/stats")
            alone = alone or took
            lags.sort()
            print(
                f"| {seconds:g} | {size} | {took:.1f} | {took / alone:.2f} | {looks} | {statistics.mean(lags):.2f} "
                f"| {lags[int(len(lags) * 0.95)]:.2f} | {memory:.0f} | {cpu:.1f} |",
                flush=True,
            )
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    print("\n| model, s | fleet of | took, s | x one | looks | mean lag, s | p95 lag, s | memory, MiB | CPU, s |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    started = time.monotonic()
    measure(2.0, [1, 40, 200, 1000, 5000])
    measure(10.0, [1, 40, 200, 1000, 5000])
    measure(150.0, [1000])
    print(f"\nMeasured in {time.monotonic() - started:.0f} s.")
