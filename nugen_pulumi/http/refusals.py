"""Refusals in a row: from how many on they mean that the API refuses everything. Has no clock and no HTTP."""

from __future__ import annotations

import math

# So many in a row mean it however fast they come. A rate that is too high by half has three or four in a row at times.
_FAST = 8
# From so many seconds on, fewer are enough; and one, that many seconds after a Retry-After was waited out.
_SLOW = 4
_SLOW_SECONDS = 2.0
# A row that ends sooner is that of a limit: one that falls from 200 to 5 a second refuses a dozen, but admits the first
# request that is sent slowly.
_SHORTEST_OUTAGE = 3.0


class Refusals:
    """
    The refusals since the last admitted response.

    Attributes:
        everything: The API refuses everything, however little is sent.
    """

    def __init__(self) -> None:
        self.everything = False
        self._count = 0
        self._since = -math.inf
        self._asked_since = math.inf
        self._admitted_at = -math.inf

    def refused(self, now: float, left: float, *, asked: bool) -> bool:
        """
        Note a refusal, and tell whether it is the first since an admitted response.

        Args:
            now: The time.
            left: When the request left. If an admitted response has come since, it does not count.
            asked: With a ``Retry-After``.
        """
        if left <= self._admitted_at:
            return False
        first = not self._count
        if first:
            self._since, self._asked_since = now, math.inf
        self._count += 1
        if asked:
            self._asked_since = min(self._asked_since, now)
        # Refused again after the Retry-After: the rate is not the cause.
        in_vain = now - self._asked_since >= _SLOW_SECONDS
        enough = _SLOW if now - self._since >= _SLOW_SECONDS else _FAST
        if in_vain or self._count >= enough:
            self.everything = True
        return first

    def admitted(self, now: float, left: float) -> bool:
        """Note an admitted response; tell whether the API refused everything until now."""
        self._admitted_at = now
        if left < self._since:  # it left before the first refusal, and says nothing about later ones
            return False
        ended, self.everything, self._count = self.everything, False, 0
        return ended

    def long(self, now: float) -> bool:
        """Tell whether they have lasted for longer than those of a limit that falls."""
        return now - self._since >= _SHORTEST_OUTAGE
