"""Bound how many requests are under way, by how long they take. Has no clock and no HTTP."""

from __future__ import annotations

import math

FIRST_WINDOW = 4
USUAL_WINDOW = 16

# As many requests a second as one event loop in Python can send: more requests under way than it takes to reach this
# rate would only wait for the processor.
_FULL_RATE = 640.0
_LATENCY_SPAN = 10.0


class Window:
    """
    How many requests may be under way at once.

    It begins at :data:`FIRST_WINDOW`, grows by one with each response (slow start, as in TCP), and ends at what
    Little's law asks for: the shortest latency of the last seconds, times the rate that one event loop can send. So it
    is :data:`USUAL_WINDOW` next to the API and *most* at 200 ms. A time-out halves it.

    Args:
        most: Upper bound.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._first = float(min(FIRST_WINDOW, most))
        self._size = self._first
        self._shrunk_at = -math.inf
        self._latency = (math.inf, math.inf)
        self._latency_since = -math.inf

    @property
    def size(self) -> int:
        """So many requests."""
        return int(self._size)

    @property
    def latency(self) -> float:
        """Seconds of the fastest response of late; infinite if there was none."""
        return min(self._latency)

    def answered(self, now: float, left: float) -> None:
        """Note a response to a request that left at *left*: keep the shortest latency of this span and the last."""
        latest, before = self._latency
        if now - self._latency_since > _LATENCY_SPAN:
            self._latency_since, latest, before = now, math.inf, latest
        self._latency = (min(latest, now - left), before)
        wanted = min(float(self._most), max(float(USUAL_WINDOW), _FULL_RATE * self.latency))
        self._size = min(wanted, self._size + 1)

    def timed_out(self, now: float, left: float) -> None:
        """Note that there was no complete response to a request that left at *left*. Those of a round count once."""
        if left >= self._shrunk_at:
            self._size = max(self._first, self._size / 2)
            self._shrunk_at = now

    def restart(self) -> None:
        """Start small again."""
        self._size = self._first
