"""What the tests stand on: a simulated clock, an API without sockets, the real host process, real stacks."""

import signal
import sys
import time

import pytest

KEY = "emulator-key-for-tests"

# What ends a process that serves, and the code that it ends with. Windows interrupts only whole consoles: there it is
# killed, and a test of what an interrupt does is skipped.
WINDOWS = sys.platform == "win32"
INTERRUPT, INTERRUPTED = (signal.SIGTERM, 1) if WINDOWS else (signal.SIGINT, 0)
needs_signals = pytest.mark.skipif(WINDOWS, reason="Windows cannot interrupt a single process")


class Clock:
    """A clock that the test moves. Starts anywhere, as monotonic clocks do."""

    time = 1234.5

    def __call__(self):
        return self.time


def until(condition, seconds=60):
    """Wait for the world to be so; the limit is no claim, only what ends a test that failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
