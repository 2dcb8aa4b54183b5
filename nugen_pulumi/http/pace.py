"""Limit the rate of the requests of a process, based on their results. Has no clock, no HTTP and no queue."""

from __future__ import annotations

import math
from collections import deque
from enum import Enum

FIRST_WINDOW = 4
USUAL_WINDOW = 16
FIRST_RATE = 4.0
LOWEST_RATE = 0.1
LONGEST_RETRY_AFTER = 60.0

# As many requests a second as one event loop in Python can send: more requests under way than it takes to reach this
# rate would only wait for the processor.
_FULL_RATE = 640.0
_NO_LIMIT = 4000.0
_FEW = 8
_WEIGHT = 1 / 8
_TOO_MANY = 0.2
# So many refusals in a row, with nothing admitted between them, are an outage and not a limit.
_ALL_REFUSED = 6
_PROBE_PAUSE = 1.0
# What is left of the rate after a refused probe, and after ones that are refused again right away.
_DECREASES = (0.9, 0.8, 0.6)
# From this rate on a probe is noticed before it is far beyond the limit, so that the first of them can be higher.
_HIGH_RATE = 50.0
_FIRST_DECREASE_AT_HIGH_RATE = 0.95
_METERED = 5.0
# The same at each rate: processes behind one limit come to a similar rate only if those at a low rate recover as fast.
_HOLD = 2.0
_SLOWNESS = 3.0
_LATENCY_SPAN = 10.0


class Outcome(Enum):
    """How a request went, as far as the pace is concerned."""

    ADMITTED = "a response other than a refusal"
    REFUSED = "a refusal for overload: 429 or 503"
    TIMED_OUT = "no complete response in time"
    LOST = "no complete response for another reason, or given up by the client"


class Pace:
    """
    Find out how many requests the API admits, and limit the requests to that.

    Two bounds, each for what it can measure:

    * The *window* bounds how many requests are under way. It begins at :data:`FIRST_WINDOW`, grows by one with each
      response (slow start, as in TCP), and ends at what Little's law asks for: the shortest latency of the last
      seconds, times the rate that one event loop can send. So it is 16 next to the API and *most* at 200 ms. A
      time-out halves it.
    * The *rate* bounds how many requests leave each second, evenly spaced. There is none until the first refusal.
      Then it is decreased when more than a fifth of the latest requests were refused: by a tenth or less if it worked
      for a while, by up to four tenths if not. It is held for some seconds, and grows again with a square in its
      exponent: slowly at first, so that a probe beyond the limit is short; then ever faster, so that a limit that is
      gone is forgotten in seconds. This is the shape of CUBIC (RFC 9438), of a rate rather than a window because rate
      limiters count requests each second, and judged by a share rather than by one loss because limiters without a
      burst refuse some requests that merely arrive unevenly. Additive increase would take minutes from 4 to 200 a
      second.

    When six requests in a row are refused and nothing is admitted between them, or two of them although the process
    stayed away as long as asked, that is an *outage* and not a limit. Then one request a second probes, or one after
    each ``Retry-After``, and the rate is not cut any more. The first admitted response restores the rate from before
    the outage; if there was none, it is searched for, from :data:`FIRST_RATE`.

    After a ``Retry-After`` pause, requests are sent at the current rate, and the window starts small again. This avoids
    a burst of requests.

    All times are seconds of any clock that never goes back.

    Args:
        most: Upper bound of the requests under way at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._first_window = float(min(FIRST_WINDOW, most))
        self._window = self._first_window
        self._under_way = 0
        self._rate = math.inf
        self._base = math.inf
        self._searching = True
        self._busy = 0.0
        self._hold = 0.0
        self._refused = 0.0
        self._admitted_since_cut = 0
        self._cuts = 0
        self._refused_in_a_row = 0
        self._rate_before = math.inf
        self._cut_at = -math.inf
        self._shrunk_at = -math.inf
        self._left_at = -math.inf
        self._next_at = -math.inf
        self._not_before = -math.inf
        self._admitted: deque[float] = deque()
        self._latency = (math.inf, math.inf)
        self._latency_since = -math.inf

    @property
    def throttled(self) -> bool:
        """The API has refused requests for overload, and the rate is bounded since."""
        return self._rate < math.inf

    def held(self, now: float) -> bool:
        """Requests wait because the API admits nothing, or asked for it, and not only for their turn."""
        return self.out or self._not_before > now

    @property
    def out(self) -> bool:
        """Nothing is admitted: an outage, in which single requests probe whether it is over."""
        return self._refused_in_a_row >= _ALL_REFUSED

    @property
    def rate(self) -> float:
        """Requests that may leave each second; infinite if nothing was ever refused."""
        return self._rate

    @property
    def window(self) -> int:
        """Requests that may be under way at once."""
        return 1 if self.out else int(self._window)

    def admitted(self, now: float) -> float:
        """Return how many requests the API admitted each second, of late."""
        self._forget(now)
        return len(self._admitted) / _METERED

    def pause(self, now: float) -> float:
        """Return the seconds until the next request may leave: 0 now, infinite until one under way has ended."""
        if self._under_way >= self.window:
            return math.inf
        return max(0.0, self._next_at - now, self._not_before - now)

    def leave(self, now: float, *, queued: bool) -> None:
        """
        Note that a request leaves.

        Args:
            now: The time.
            queued: More requests want to leave. Only then does the rate grow: what is not used cannot be tried out.
        """
        self._under_way += 1
        if self.out:
            self._next_at = now + _PROBE_PAUSE
        elif self.throttled:
            self._grow(now, queued=queued)
            # After a late request, the next one may be a little early, to keep the rate; but not so early that a rate
            # limiter without a burst refuses it.
            self._next_at = max(self._next_at + 1 / self._rate, now + 0.95 / self._rate)
        self._left_at = now

    def end(self, now: float, *, left: float, outcome: Outcome, retry_after: float | None = None) -> None:
        """
        Note how a request went.

        Args:
            now: The time.
            left: When it left.
            outcome: How it went.
            retry_after: Seconds that the server asked all of us to stay away, or None.
        """
        self._under_way -= 1
        if outcome is Outcome.ADMITTED:
            if self.out:
                self._resume(now)
            self._refused_in_a_row = 0
            self._admitted.append(now)
            self._forget(now)
            self._measure(now, now - left)
            self._window = min(self._wanted_window(), self._window + 1)
            if left > self._cut_at:
                self._refused -= self._refused * _WEIGHT
                self._admitted_since_cut += 1
        elif outcome is Outcome.REFUSED:
            if retry_after is not None:
                self._not_before = max(self._not_before, now + min(retry_after, LONGEST_RETRY_AFTER))
                self._window = self._first_window
            if left > self._cut_at:  # those that left before are of the same round
                self._refused += (1 - self._refused) * _WEIGHT
                # Whoever stayed away as long as asked is not refused again by a limit.
                self._refused_in_a_row += _ALL_REFUSED // 2 if retry_after else 1
                if self.out:
                    return
                if not self.throttled or retry_after or self._refused > _TOO_MANY:
                    self._cut(now, retry_after or 0.0)
        elif outcome is Outcome.TIMED_OUT and left >= self._shrunk_at:
            self._window = max(self._first_window, self._window / 2)
            self._shrunk_at = now

    def _resume(self, now: float) -> None:
        """Go back to the rate before the outage; if there was none, search for it, from a small one."""
        self._searching = self._rate_before == math.inf
        self._base = FIRST_RATE if self._searching else self._rate_before
        self._hold = 0.0 if self._searching else _HOLD
        self._rate, self._window = self._base, self._first_window
        self._start_round(now)

    def _cut(self, now: float, retry_after: float) -> None:
        if not self.throttled:
            self._window = self._first_window
            self._base = max(FIRST_RATE, float(sum(1 for time in self._admitted if time > now - 1)))
            self._searching, self._hold = True, 0.0
            self._rate_before = math.inf
        else:
            if self._admitted_since_cut:
                self._rate_before = self._rate
            self._cuts = 0 if self._admitted_since_cut > _FEW else self._cuts + 1
            decrease = _DECREASES[min(self._cuts, len(_DECREASES) - 1)]
            if not self._cuts and not self._searching and self._base >= _HIGH_RATE:
                decrease = _FIRST_DECREASE_AT_HIGH_RATE
            self._base = max(LOWEST_RATE, self._rate * decrease)
            self._searching = False
            # Each probe causes some refusals, and a pause if the server sends a Retry-After, so probes must be rare.
            self._hold = min(30.0, max(_HOLD, 20 * retry_after))
        self._rate = self._base
        self._start_round(now)

    def _start_round(self, now: float) -> None:
        self._next_at = now + 1 / self._rate
        self._busy, self._refused, self._admitted_since_cut = 0.0, 0.0, 0
        self._cut_at = now

    def _grow(self, now: float, *, queued: bool) -> None:
        if queued:
            self._busy += min(now - max(self._left_at, self._cut_at), 2 / self._rate)
        # What a probe overshoots by is seen one latency later: at a distance the search must be slower.
        slowness = min(1.0, max(0.45, 5 * min(self._latency))) if self._searching else _SLOWNESS
        beyond = max(0.0, self._busy - self._hold) / slowness
        self._rate = self._base * 2 ** min(beyond * beyond, 64.0)
        if self._rate > _NO_LIMIT:
            self._rate = self._base = math.inf

    def _measure(self, now: float, latency: float) -> None:
        """Keep the shortest latency of this span and of the one before."""
        latest, before = self._latency
        if now - self._latency_since > _LATENCY_SPAN:
            self._latency_since, latest, before = now, math.inf, latest
        self._latency = (min(latest, latency), before)

    def _wanted_window(self) -> float:
        return min(float(self._most), max(float(USUAL_WINDOW), _FULL_RATE * min(self._latency)))

    def _forget(self, now: float) -> None:
        while self._admitted and self._admitted[0] <= now - _METERED:
            self._admitted.popleft()
