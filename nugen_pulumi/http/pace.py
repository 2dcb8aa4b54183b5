"""How fast the requests of a process leave, and how many at once. Has no clock, no HTTP."""

from __future__ import annotations

import math
from enum import Enum

# Requests a second after the first refusal. Far below most limits, because the burst that was admitted before it says
# nothing about the rate; the doubling makes up for that within seconds.
FIRST_RATE = 4.0
# Requests a second, at least. A process that is refused for long must still notice the end of that.
LOWEST_RATE = 0.1
# What a refusal leaves of the rate. Less wastes more of the limit; more lets processes that share it differ for longer.
KEPT = 0.85
# Refusals in a row that are an outage. A rate that is too high by half has three or four at times; where a limit counts
# by the second, the rest of one may have more, and then waits for a probe.
REFUSALS_OF_OUTAGE = 8
# Seconds between two requests during an outage: a burden to nobody, and its end is noticed within a second.
BETWEEN_PROBES = 1.0
# Requests under way at first: all are refused if a limit is reached already, and it doubles with each round trip.
FIRST_WINDOW = 4


class Fate(Enum):
    """How a request went, as the pace sees it."""

    ADMITTED = "a response other than a refusal, be it a 500"
    REFUSED = "a refusal for overload: 429 or 503"
    TIMED_OUT = "no complete response in time"
    LOST = "no complete response for another reason, or given up by the client"


class Pace:
    """
    Find out how much the API admits, and limit the requests to that.

    There is no *rate* until the first refusal. Then requests leave evenly spaced: additive increase, multiplicative
    decrease. A refusal makes the rate the *ceiling*, and keeps most of it; unless the request left before the last
    decrease, since it says nothing about the new rate. Below half of the ceiling the rate doubles twice a second.
    Above, it grows by a twentieth of itself a second, by one at most, so that the processes that share a limit come
    closer to each other; and the faster the longer nothing was refused, so that a limit that was lifted is forgotten.

    An *outage* is no limit: everything is refused, so that a lower rate gains nothing and makes the recovery slow. One
    request a second, or as ``Retry-After`` asks, finds out whether it lasts. The first that is admitted ends it, and
    rate and ceiling are what one refusal before it would have left: it may have been a limit after all.

    The *window* bounds how many requests are under way. It grows by one with each response (slow start, as in TCP). A
    time-out halves it, and it is small again after a ``Retry-After`` or an outage: no burst.

    All times are seconds of any clock that never goes back.

    Args:
        most: Upper bound of the requests under way at once.

    Attributes:
        rate: Requests that may leave each second; infinite if nothing was ever refused.
    """

    def __init__(self, most: int) -> None:
        self.rate = math.inf
        self._ceiling = math.inf
        self._most = most
        self._first_window = self._window = float(min(FIRST_WINDOW, most))
        self._under_way = 0
        self._left_at = self._cut_at = -math.inf
        self._next_at = self._not_before = -math.inf
        self._refusals = 0  # in a row
        self._before_refusals = (FIRST_RATE, math.inf)

    @property
    def throttled(self) -> bool:
        """The API has refused requests for overload, and the rate is bounded since."""
        return self.rate < math.inf

    @property
    def refuses_all(self) -> bool:
        """The API refuses everything, and one request at a time finds out whether it still does."""
        return self._refusals >= REFUSALS_OF_OUTAGE

    @property
    def window(self) -> int:
        """Requests that may be under way at once."""
        return 1 if self.refuses_all else int(self._window)

    @property
    def full(self) -> bool:
        """As many requests are under way as there may ever be."""
        return self._under_way >= self._most

    def pause(self, now: float) -> float:
        """Return the seconds until the next request may leave: 0 now, infinite until one under way has ended."""
        if self._under_way >= self.window:
            return math.inf
        return max(0.0, self._next_at - now, self._not_before - now)

    def bars(self, now: float, until: float) -> bool:
        """Tell whether nothing may leave before the time *until*, because of a ``Retry-After`` or an outage."""
        return self.refuses_all or self._not_before > max(now, until)

    def leave(self, now: float, *, queued: bool) -> None:
        """
        Note that a request leaves.

        Args:
            now: The time.
            queued: More requests want to leave. Only then does the rate grow: a rate that is not used proves nothing.
        """
        self._under_way += 1
        if self.refuses_all:
            self._next_at = now + BETWEEN_PROBES
        elif self.throttled:
            if queued:
                self._grow(now)
            # After a late request, the next one may be a little early, to keep the rate; but not so early that a rate
            # limiter without a burst refuses it.
            self._next_at = max(self._next_at + 1 / self.rate, now + 0.95 / self.rate)
        self._left_at = now

    def end(self, now: float, *, left: float, fate: Fate, retry_after: float | None = None) -> None:
        """
        Note how a request went.

        Args:
            now: The time.
            left: When it left.
            fate: How it went.
            retry_after: The ``Retry-After`` in seconds, or None.
        """
        self._under_way -= 1
        if fate is Fate.ADMITTED:
            if self.refuses_all:
                self.rate, self._ceiling = self._before_refusals
                self._window = self._first_window
                self._cut_at, self._next_at = now, now + 1 / self.rate
            self._refusals = 0
            self._window = min(self._most, self._window + 1)
        elif fate is Fate.REFUSED:
            if retry_after is not None:
                self._not_before = max(self._not_before, now + retry_after)
                self._window = self._first_window
            if left > self._cut_at:
                self._refused(now)
            elif self._refusals:  # it says as much about an outage as any
                self._refusals += 1
        elif fate is Fate.TIMED_OUT:
            self._window = max(self._first_window, self._window / 2)

    def _refused(self, now: float) -> None:
        """Count a refusal that says something about the rate, and decrease that unless it is not the cause."""
        if not self._refusals:
            if self.throttled:
                self._before_refusals = (self.rate * KEPT, self.rate)
            self._ceiling = self.rate
        self._refusals += 1
        if not self.refuses_all:
            self.rate = max(LOWEST_RATE, self.rate * KEPT) if self.throttled else FIRST_RATE
            self._cut_at, self._next_at = now, now + 1 / self.rate

    def _grow(self, now: float) -> None:
        # However long nothing left: what was not used was not tried out, beyond the time that two departures take.
        seconds = min(now - max(self._left_at, self._cut_at), 2 / self.rate)
        if self.rate < self._ceiling / 2:
            self.rate *= 4**seconds
        else:
            self.rate += seconds * min(1.0, self.rate / 20) * (1 + (now - self._cut_at) / 4)
