"""
This resource against a trivial dynamic resource that sleeps as long, with the real engine. Prints Markdown tables.

Both sides of a ratio are measured one after the other in the same run; on a noisy machine only the ratios say much.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from harness.stack import Stack

from nugen_pulumi.emulator import Emulator

SECONDS = 2.0

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

OURS = """
from nugen_pulumi import UndeployedModel

for n in range({count}):
    UndeployedModel(f"m-{{n}}", model_id=f"m-{{n}}", undeploy=True)
"""


def up(program: str, parallel: int, url: str) -> float:
    """Return the seconds that `pulumi up` takes on a new stack."""
    folder = Path(tempfile.mkdtemp())
    try:
        stack = Stack(folder, program, {"NUGEN_API_KEY": "bench", "NUGEN_BASE_URL": url})
        started = time.monotonic()
        stack.up("--parallel", str(parallel)).ok()
        return time.monotonic() - started
    finally:
        shutil.rmtree(folder)


def many() -> None:
    """Many models at once."""
    print(f"\n| models of {SECONDS:g} s | -p | trivial resource, s | this resource, s | ratio |\n|---|---|---|---|---|")
    for parallel in (8, 256):
        for count in (1, 16, 64, 200):
            with Emulator(undeploy_seconds=SECONDS, models="any") as api:
                trivial = up(TRIVIAL.format(count=count, seconds=SECONDS), parallel, api.url)
                ours = up(OURS.format(count=count), parallel, api.url)
            print(f"| {count} | {parallel} | {trivial:.1f} | {ours:.1f} | {ours / trivial:.2f} |", flush=True)


def settled(rounds: int = 7) -> None:
    """One model that is undeployed already, against a resource that does nothing."""
    ratios = []
    with Emulator(undeploy_seconds=0, models="any") as api:
        program = OURS.format(count=1).replace('f"m-{n}", undeploy=True', '"gone-1"')
        for _ in range(rounds):
            trivial = up(TRIVIAL.format(count=1, seconds=0), 8, api.url)
            ratios.append(up(program, 8, api.url) / trivial)
    print(f"\nOne model that is undeployed already: {statistics.median(ratios):.2f} x the trivial resource ", end="")
    print(f"(median of {rounds}, {min(ratios):.2f} to {max(ratios):.2f}; goal: at most 1.15).", flush=True)


def imports(rounds: int = 15) -> None:
    """What `import nugen_pulumi` adds to a program that imports pulumi anyway."""
    script = "import time, pulumi; t = time.perf_counter(); import nugen_pulumi; print(time.perf_counter() - t)"
    run = [sys.executable, "-c", script]
    costs = [float(subprocess.run(run, check=True, capture_output=True, text=True).stdout) for _ in range(rounds)]
    print(f"\n`import nugen_pulumi` after `import pulumi`: {statistics.median(costs) * 1000:.0f} ms ", end="")
    print(f"(median of {rounds}, {min(costs) * 1000:.0f} to {max(costs) * 1000:.0f}; goal: at most 20).", flush=True)


if __name__ == "__main__":
    imports()
    settled()
    many()
