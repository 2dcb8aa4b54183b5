"""What the tests stand on: a simulated clock, an API without sockets, the real host process, real stacks."""

import time

KEY = "emulator-key-for-tests"


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
