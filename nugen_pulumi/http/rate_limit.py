"""Limit the rate of the requests of a process, based on their results. Has no clock, no HTTP and no queue."""

from __future__ import annotations

import math
from collections import deque
from enum import Enum

from nugen_pulumi.http.concurrency import Window
from nugen_pulumi.http.refusals import Refusals

FIRST_RATE = 4.0
LOWEST_RATE = 0.1
LONGEST_RETRY_AFTER = 60.0

# Above this rate there is no limit any more.
_NO_LIMIT = 4000.0
# What a refusal leaves of the rate; and the one that ends the search, which is far above the limit by then.
_KEPT = 0.9
_KEPT_AFTER_SEARCH = 0.5
# Seconds in which the rate climbs from that half back to where it was.
_REGAIN_SECONDS = 1.5
# Requests a second that the rate gains in the first second after a decrease. The same for all rates: see Pace.
_GROWTH = 0.17
# Requests after a decrease, the refusal of which does not count: only the second one and later ones do. So of processes
# that are all refused, those with the highest rates decrease them most often.
_UNCOUNTED = 1.5
# Excuses that an admitted request earns at this rate and above. Below it, less by the fourth power of the rate: where
# two processes share 50 a second, nearly each refusal must count, or they share unevenly.
_EXCUSES = 0.06
_EXCUSES_RATE = 150.0
_MOST_EXCUSES = 3.0
_BETWEEN_PROBES = 1.0
# If the next outage comes before so many requests were admitted, the rate from before the last one was too high.
_ENOUGH_ADMITTED = 16
# Seconds without growth: after an outage; and after a decrease, for each second of a Retry-After, because each time
# that the rate is too high costs another one.
_HOLD_AFTER_OUTAGE = 2.0
_HOLD_PER_RETRY_AFTER = 20.0
_LONGEST_HOLD = 30.0
_METERED_SECONDS = 5.0


class _Growth(Enum):
    """How the rate grows."""

    SEARCH = "from FIRST_RATE, ever faster"
    REGAIN = "evenly, from half of the rate at which the search was refused"
    STEADY = "with the cube of the time since the last decrease"


class Outcome(Enum):
    """How a request went, as the rate limit sees it."""

    ADMITTED = "a response other than a refusal, be it a 500"
    REFUSED = "a refusal for overload: 429 or 503"
    TIMED_OUT = "no complete response in time"
    LOST = "no complete response for another reason, or given up by the client"


class Pace:
    """
    Find out how many requests the API admits, and limit the requests to that.

    Two bounds, each for what it can measure: how many requests are under way (:class:`Window`), and the *rate*, how
    many leave each second, evenly spaced. There is no rate until the first refusal. Then it goes through

    1. the search: from :data:`FIRST_RATE` on, ever faster, until the next refusal;
    2. the regain: half of that, then evenly back;
    3. the steady state: each refusal takes a tenth, unless the request left before or just after the last decrease. The
       rate grows with the cube of the time since: slowly at first, so that it is too high for a short time only; then
       ever faster, so that a limit that is gone is forgotten in seconds. This is the shape of CUBIC (RFC 9438), of a
       rate rather than a window because rate limiters count requests each second.

    Processes that share a limit do not talk to each other. A decrease is a share of the rate, and the growth is the
    same for all rates, so with each refusal their rates come closer. Which of them is refused is chance, so many small
    decreases share more evenly than few large ones.

    A limiter without a burst also refuses requests that merely arrive unevenly, more of them the closer they follow
    each other: at 180 of 200 a second, one in twenty. A lower rate hardly helps against that, so at high rates a small
    share of the refusals is *excused* and decreases nothing.

    An *outage* is no limit: the API refuses everything, so that a lower rate gains nothing and makes the recovery slow.
    One request at a time leaves, a second or a ``Retry-After`` after the last. The first that is admitted ends the
    outage, and the rate goes on from where it was before it.

    After a ``Retry-After``, requests are sent at the current rate, and the window starts small again: no burst.

    All times are seconds of any clock that never goes back.

    Args:
        most: Upper bound of the requests under way at once.
    """

    def __init__(self, most: int) -> None:
        self._window = Window(most)
        self._under_way = 0
        self._rate = math.inf
        self._base = math.inf
        self._growth = _Growth.SEARCH
        self._excuses = 0.0
        self._busy = 0.0
        self._hold = 0.0
        self._cut_at = -math.inf
        self._counts_from = -math.inf
        self._left_at = -math.inf
        self._next_at = -math.inf
        self._not_before = -math.inf
        self._refusals = Refusals()
        self._before_refusals = (math.inf, _Growth.SEARCH)
        self._admitted_since_outage = math.inf
        self._admitted: deque[float] = deque()

    @property
    def throttled(self) -> bool:
        """The API has refused requests for overload, and the rate is bounded since."""
        return self._rate < math.inf

    @property
    def refuses_all(self) -> bool:
        """The API refuses everything, and one request at a time finds out whether it still does."""
        return self._refusals.everything

    @property
    def rate(self) -> float:
        """Requests that may leave each second; infinite if nothing was ever refused."""
        return self._rate

    @property
    def window(self) -> int:
        """Requests that may be under way at once."""
        return 1 if self.refuses_all else self._window.size

    def admitted(self, now: float) -> float:
        """Return how many requests the API admitted each second, over the last five."""
        self._forget(now)
        return len(self._admitted) / _METERED_SECONDS

    def pause(self, now: float) -> float:
        """Return the seconds until the next request may leave: 0 now, infinite until one under way has ended."""
        if self._under_way >= self.window:
            return math.inf
        return max(0.0, self._next_at - now, self._not_before - now)

    def bars(self, now: float, until: float) -> bool:
        """Tell whether nothing may leave before the time *until*, because of a ``Retry-After`` or an outage."""
        return self.refuses_all or self._not_before > max(now, until)

    @property
    def full(self) -> bool:
        """As many requests are under way as there may ever be."""
        return self._under_way >= self._window.most

    def leave(self, now: float, *, queued: bool) -> None:
        """
        Note that a request leaves.

        Args:
            now: The time.
            queued: More requests want to leave. Only then does the rate grow: a rate that is not used proves nothing.
        """
        self._under_way += 1
        if self.refuses_all:
            self._next_at = now + _BETWEEN_PROBES
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
            retry_after: The ``Retry-After`` in seconds, or None.
        """
        self._under_way -= 1
        if outcome is Outcome.ADMITTED:
            self._admitted_since_outage += 1
            if self._refusals.admitted(now, left):
                self._recover(now)
            self._admitted.append(now)
            self._forget(now)
            self._window.answered(now, left)
            earned = _EXCUSES * min(1.0, self._rate / _EXCUSES_RATE) ** 4
            self._excuses = min(_MOST_EXCUSES, self._excuses + earned)
        elif outcome is Outcome.REFUSED:
            if retry_after is not None:
                self._not_before = max(self._not_before, now + min(retry_after, LONGEST_RETRY_AFTER))
                self._window.restart()
            if left > self._cut_at:
                if self._refusals.refused(now, left, asked=bool(retry_after)):
                    self._before_refusals = (self._base, self._growth)
                if self.refuses_all:
                    self._next_at = max(self._next_at, now + _BETWEEN_PROBES)
                elif left > self._counts_from and not self._use_excuse(retry_after):
                    self._cut(now, retry_after or 0.0)
        elif outcome is Outcome.TIMED_OUT:
            self._window.timed_out(now, left)

    def _recover(self, now: float) -> None:
        """Go on after an outage."""
        self._window.restart()
        base, growth = self._before_refusals
        if base == math.inf:
            base, growth = FIRST_RATE, _Growth.SEARCH
        if not self._refusals.long(now):
            base, growth = self._base, _Growth.STEADY
        elif self._admitted_since_outage <= _ENOUGH_ADMITTED:
            base, growth = max(LOWEST_RATE, base / 2), _Growth.STEADY
        self._admitted_since_outage = 0
        self._start_at(now, base, growth, hold=0.0 if growth is _Growth.SEARCH else _HOLD_AFTER_OUTAGE)

    def _start_at(self, now: float, base: float, growth: _Growth, *, hold: float) -> None:
        """Continue at the rate *base*, and hold it for so many seconds."""
        self._rate = self._base = base
        self._growth, self._hold = growth, hold
        self._next_at = now + 1 / base
        self._busy = 0.0
        self._cut_at = now
        self._counts_from = now + _UNCOUNTED / base

    def _cut(self, now: float, retry_after: float) -> None:
        if not self.throttled:
            self._window.restart()
            self._start_at(now, FIRST_RATE, _Growth.SEARCH, hold=0.0)
            return
        hold = min(_LONGEST_HOLD, _HOLD_PER_RETRY_AFTER * retry_after)
        kept, growth = _KEPT, _Growth.STEADY
        if self._growth is _Growth.SEARCH:
            kept, growth = _KEPT_AFTER_SEARCH, _Growth.REGAIN
            self._excuses = 0.0
        self._start_at(now, max(LOWEST_RATE, self._rate * kept), growth, hold=hold)

    def _use_excuse(self, retry_after: float | None) -> bool:
        """Use one excuse up, if there is one for such a refusal; tell whether there was."""
        if self._growth is _Growth.SEARCH or retry_after or self._excuses < 1:
            return False
        self._excuses -= 1
        return True

    def _grow(self, now: float, *, queued: bool) -> None:
        if queued:
            self._busy += min(now - max(self._left_at, self._cut_at), 2 / self._rate)
        beyond = max(0.0, self._busy - self._hold)
        if self._growth is _Growth.SEARCH:
            # A refusal is seen one latency later: at a distance the search must be slower, or it goes too far.
            beyond /= min(1.0, max(0.45, 5 * self._window.latency))
            self._rate = self._base * 2 ** min(beyond * beyond, 64.0)
        else:
            regained = self._base * beyond / _REGAIN_SECONDS if self._growth is _Growth.REGAIN else 0.0
            self._rate = self._base + regained + _GROWTH * beyond**3
        if self._rate > _NO_LIMIT:
            self._rate = self._base = math.inf
            self._growth = _Growth.SEARCH

    def _forget(self, now: float) -> None:
        while self._admitted and self._admitted[0] <= now - _METERED_SECONDS:
            self._admitted.popleft()
