"""
Fleets of many sizes against a light server in a process of its own. Prints a Markdown table.

First the runtime, as the provider process uses it but without an engine; then `pulumi up` as a whole. The server is
not the bottleneck: it spends about a tenth of the time that a client spends on an exchange.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from harness.stack import Stack

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


PROGRAM = """
from nugen_pulumi import UndeployedModels

UndeployedModels("fleet", model_ids=[f"m-{{n}}" for n in range({size})])
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


def ups(seconds: float, sizes: list[int]) -> None:
    """Print a row for each size: `pulumi up` on a new stack, models that are being undeployed already."""
    print(f"\n| fleet of, {seconds:g} s each | `pulumi up`, s | x one | state, KiB |\n|---|---|---|---|", flush=True)
    server = subprocess.Popen([sys.executable, str(SERVER), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None  # noqa: S101 - a pipe was asked for
    alone = None
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        for size in sizes:
            ask(f"{url}/reset")
            folder = Path(tempfile.mkdtemp())
            stack = Stack(folder, PROGRAM.format(size=size), {"NUGEN_API_KEY": "bench", "NUGEN_BASE_URL": url})
            began = time.monotonic()
            stack.up().ok()
            took = time.monotonic() - began
            alone = alone or took
            [state] = [path for path in stack.backend.rglob("dev.json") if "stacks" in path.parts]
            print(f"| {size} | {took:.1f} | {took / alone:.2f} | {state.stat().st_size / 1024:.0f} |", flush=True)
            shutil.rmtree(folder)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    ups(2.0, [1, 40, 200, 1000, 5000])
    print("\n| model, s | fleet of | took, s | x one | looks | mean lag, s | p95 lag, s | memory, MiB | CPU, s |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    started = time.monotonic()
    measure(2.0, [1, 40, 200, 1000, 5000])
    measure(10.0, [1, 40, 200, 1000, 5000])
    measure(150.0, [1000])
    print(f"\nMeasured in {time.monotonic() - started:.0f} s.")
