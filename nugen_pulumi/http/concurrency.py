"""How many requests may be under way at once, from how long they take. Has no clock and no HTTP."""

from __future__ import annotations

import math

FIRST_WINDOW = 4
USUAL_WINDOW = 16

# Requests a second that one event loop in Python can send. More under way would only wait for the processor.
_LOOP_RATE = 640.0
# Seconds for which the shortest latency counts: this span and the one before.
_LATENCY_SPAN = 10.0


class Window:
    """
    How many requests may be under way at once.

    It begins at :data:`FIRST_WINDOW`, and grows by one with each response (slow start, as in TCP), up to the shortest
    latency of the last seconds times the rate that one event loop can send (Little's law): at least
    :data:`USUAL_WINDOW`, 128 at 200 ms, and never more than *most*. A time-out halves it.

    Args:
        most: Upper bound.

    Attributes:
        most: Likewise.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._first = float(min(FIRST_WINDOW, most))
        self._size = self._first
        self._shrunk_at = -math.inf
        self._shortest = (math.inf, math.inf)  # of this span and of the one before
        self._span_since = -math.inf

    @property
    def size(self) -> int:
        """Requests that may be under way."""
        return int(self._size)

    @property
    def latency(self) -> float:
        """Seconds of the fastest response of late; infinite if there was none."""
        return min(self._shortest)

    def answered(self, now: float, left: float) -> None:
        """Note a response to a request that left at *left*."""
        current, previous = self._shortest
        if now - self._span_since > _LATENCY_SPAN:
            self._span_since = now
            current, previous = math.inf, current
        self._shortest = (min(current, now - left), previous)
        wanted = min(float(self.most), max(float(USUAL_WINDOW), _LOOP_RATE * self.latency))
        self._size = min(wanted, self._size + 1)

    def timed_out(self, now: float, left: float) -> None:
        """Note that a request that left at *left* timed out. Ignore it if it left before the last halving."""
        if left >= self._shrunk_at:
            self._size = max(self._first, self._size / 2)
            self._shrunk_at = now

    def restart(self) -> None:
        """Start small again."""
        self._size = self._first
