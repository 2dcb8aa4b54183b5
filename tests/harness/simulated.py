"""An event loop whose time is simulated: an hour's wait takes a millisecond, and asyncio itself is the real one."""

import asyncio
import selectors


class _Jumping(selectors.DefaultSelector):
    """Instead of sleeping until something is due, go there."""

    now = 0.0

    def select(self, timeout=None):
        assert timeout is not None, "nothing is due any more: this wait would never end"
        self.now += timeout
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Starts at 0 seconds and moves only when all its tasks wait; and by *tick* each time it is read."""

    def __init__(self, tick):
        self._jumping = _Jumping()
        self._tick = tick
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9  # the machine's own may be 16 ms, by which all pauses would end early

    def time(self):
        self._jumping.now += self._tick
        return self._jumping.now


def simulate(main, tick=0.0):
    """
    Run the coroutine function *main* in simulated time; return its result and how long it took.

    A real clock never tells the same time twice: what compares two times is tested with a *tick*.
    """
    loop = SimulatedLoop(tick)
    try:
        return loop.run_until_complete(main()), loop.time()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
