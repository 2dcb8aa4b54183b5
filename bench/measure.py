"""One `pulumi up` on a new stack, measured from outside: its time, the polls, their lag, and what the provider used."""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from harness.stack import Stack


@dataclass(frozen=True)
class Sample:
    """
    What one `pulumi up` took.

    Attributes:
        took: Seconds, the engine's own included.
        polls: Status requests.
        lag: Seconds from the end of an undeployment to the poll that noticed it: mean.
        lag95: The same, 95th percentile.
        memory: MiB of the provider process at its peak.
        cpu: Processor seconds of the provider process.
        state: KiB of the stack's file.
    """

    took: float
    polls: int
    lag: float
    lag95: float
    memory: float
    cpu: float
    state: float


class Api:
    """`server.py` in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.url = f"http://127.0.0.1:{int(process.stdout.readline())}"

    def forget(self) -> tuple[int, list[float]]:
        """Return how many polls there were and the lags, sorted; begin anew."""
        with urllib.request.urlopen(f"{self.url}/reset") as answer:  # noqa: S310 - loopback
            polls, _, lags, *_ = json.load(answer)
        return polls, sorted(lags)


@contextlib.contextmanager
def api(seconds: float) -> Iterator[Api]:
    """Serve models that take *seconds* each."""
    command = [sys.executable, str(Path(__file__).with_name("server.py")), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Api(process)
        finally:
            process.kill()


def up(program: str, server: Api, *options: str) -> Sample:
    """Measure a `pulumi up` of *program*."""
    server.forget()
    folder = Path(tempfile.mkdtemp())
    try:
        stack = Stack(folder, program, {"NUGEN_API_KEY": "bench", "NUGEN_BASE_URL": server.url})
        began = time.monotonic()
        process = stack.start("up", "--yes", "--skip-preview", *options)
        memory, cpu = _watch(process)
        took = time.monotonic() - began
        [state] = [path for path in stack.backend.rglob("dev.json") if "stacks" in path.parts]
        size = state.stat().st_size / 1024
    finally:
        shutil.rmtree(folder)
    polls, lags = server.forget()
    lag = statistics.mean(lags) if lags else 0.0
    return Sample(took, polls, lag, lags[int(len(lags) * 0.95)] if lags else 0.0, memory, cpu, size)


def _watch(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Wait for *process*; return peak memory and processor seconds of the provider process below it."""
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(process.communicate()[0]))
    reader.start()
    memory = cpu = 0.0
    while reader.is_alive():
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                if "pulumi.dynamic" in child.cmdline():
                    memory = max(memory, child.memory_info().rss / 2**20)
                    times = child.cpu_times()
                    cpu = max(cpu, times.user + times.system)
        reader.join(0.2)
    if process.returncode:
        sys.exit(said[0])
    return memory, cpu
