"""Limit the rate of the requests of a process, based on their results. Has no clock, no HTTP and no queue."""

from __future__ import annotations

import math
from collections import deque
from enum import Enum

from nugen_pulumi.http.window import Window

FIRST_RATE = 4.0
LOWEST_RATE = 0.1
LONGEST_RETRY_AFTER = 60.0

_NO_LIMIT = 4000.0
# A rate that was restored after an outage is not too high if more than so many were admitted since.
_FEW = 16
# What is left of the rate after a refusal.
_DECREASE = 0.9
# The search doubles the rate so fast that it is far beyond the limit when it is refused.
_DECREASE_AFTER_SEARCH = 0.5
# Seconds until the rate is regained that the search had found.
_REGAIN_SECONDS = 2.0
# So many refusals are excused for each admitted request, at this rate and above. Below it, fewer by the fourth power of
# the rate: where two processes share 50 a second, each refusal must count, or they share unevenly.
_EXCUSED = 0.06
_EXCUSED_RATE = 150.0
_MOST_EXCUSES = 3.0
# Only a refusal of the second request after a decrease, or of a later one, can cause the next decrease. So of processes
# that are all refused, those with the highest rates decrease them most often.
_UNCOUNTED = 1.5
# Requests a second that the rate gains in the first second after a decrease. The same for all rates: see Pace.
_GROWTH = 0.17
_METERED = 5.0
# So many refusals in a row are an outage, even if they come within a moment. A rate that is too high by half has three
# or four in a row now and then.
_OUTAGE_REFUSALS = 8
# Fewer are enough when they span some seconds, and fewest when the API itself said when to come back.
_OUTAGE_SECONDS = 2.0
_SLOW_OUTAGE_REFUSALS = 4
_BETWEEN_PROBES = 1.0
# A limit that falls from 200 to 5 a second refuses a dozen in a row as well, but admits the first probe.
_SHORTEST_OUTAGE = 3.0


class _Phase(Enum):
    """How the rate grows."""

    SEARCH = "from a first low rate, ever faster"
    REGAIN = "evenly, from half of the rate that the search has found too high"
    STEADY = "with the cube of the time since the last decrease"


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

    * The *window* bounds how many requests are under way: see :class:`nugen_pulumi.http.window.Window`.
    * The *rate* bounds how many requests leave each second, evenly spaced. There is none until the first refusal. Then
      it is searched for: it begins at :data:`FIRST_RATE` and doubles ever faster, until the next refusal halves it; the
      other half is regained evenly. From then on, each refusal decreases it by a tenth, unless the request left before
      or just after the last decrease. It grows with the cube of the time since: slowly at first, so that a probe beyond
      the limit is short; then ever faster, so that a limit that is gone is forgotten in seconds. The decrease is a
      share of the rate, but the growth is the same for all rates. So processes that share a limit come closer to each
      other with each refusal; where both are shares, whoever was refused first stays behind. Who is refused is chance,
      so many small decreases share more evenly than few large ones. This is the shape of CUBIC (RFC 9438), of a rate
      rather than a window because rate limiters count requests each second. Additive increase would take minutes from
      4 to 200 a second.

    A limiter without a burst also refuses requests that merely arrive unevenly, more of them the closer they follow
    each other: at 180 of 200 a second, one in twenty. A lower rate hardly helps against that, so at high rates a small
    share of the refusals is *excused* and decreases nothing.

    An *outage* is no limit: the API refuses all requests, however few they are, so that a lower rate gains nothing and
    makes the recovery slow. So after some refusals in a row, without an admitted response between them, one request at
    a time leaves, a second or a ``Retry-After`` after the last. The first that is admitted ends the outage, and the
    rate goes on from where it was before the first refusal of the row.

    After a ``Retry-After`` pause, requests are sent at the current rate, and the window starts small again. This avoids
    a burst of requests.

    All times are seconds of any clock that never goes back.

    Args:
        most: Upper bound of the requests under way at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._window = Window(most)
        self._under_way = 0
        self._rate = math.inf
        self._base = math.inf
        self._phase = _Phase.SEARCH
        self._excuses = 0.0
        self._busy = 0.0
        self._hold = 0.0
        self._cut_at = -math.inf
        self._counts_from = -math.inf
        self._left_at = -math.inf
        self._next_at = -math.inf
        self._not_before = -math.inf
        self._in_a_row = 0
        self._row_since = -math.inf
        self._told_since = math.inf
        self._before_row = (math.inf, _Phase.SEARCH)
        self._outage = False
        self._admitted_since_outage = math.inf
        self._admitted_at = -math.inf
        self._admitted: deque[float] = deque()

    @property
    def throttled(self) -> bool:
        """The API has refused requests for overload, and the rate is bounded since."""
        return self._rate < math.inf

    @property
    def outage(self) -> bool:
        """The API refuses everything, and one request at a time finds out whether it still does."""
        return self._outage

    @property
    def rate(self) -> float:
        """Requests that may leave each second; infinite if nothing was ever refused."""
        return self._rate

    @property
    def window(self) -> int:
        """Requests that may be under way at once."""
        return 1 if self._outage else self._window.size

    def admitted(self, now: float) -> float:
        """Return how many requests the API admitted each second, of late."""
        self._forget(now)
        return len(self._admitted) / _METERED

    def pause(self, now: float) -> float:
        """Return the seconds until the next request may leave: 0 now, infinite until one under way has ended."""
        if self._under_way >= self.window:
            return math.inf
        return max(0.0, self._next_at - now, self._not_before - now)

    def bars(self, now: float, until: float) -> bool:
        """Tell whether the API has said to stay away for longer than *until*, or refuses everything."""
        return self._outage or self._not_before > max(now, until)

    @property
    def full(self) -> bool:
        """As many requests are under way as there may ever be."""
        return self._under_way >= self._most

    def leave(self, now: float, *, queued: bool) -> None:
        """
        Note that a request leaves.

        Args:
            now: The time.
            queued: More requests want to leave. Only then does the rate grow: what is not used cannot be tried out.
        """
        self._under_way += 1
        if self._outage:
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
            retry_after: Seconds that the server asked all of us to stay away, or None.
        """
        self._under_way -= 1
        if outcome is Outcome.ADMITTED:
            self._end_row(now, left)
            self._admitted.append(now)
            self._forget(now)
            self._window.answered(now, left)
            earned = _EXCUSED * min(1.0, self._rate / _EXCUSED_RATE) ** 4
            self._excuses = min(_MOST_EXCUSES, self._excuses + earned)
        elif outcome is Outcome.REFUSED:
            if retry_after is not None:
                self._not_before = max(self._not_before, now + min(retry_after, LONGEST_RETRY_AFTER))
                self._window.restart()
            if left > self._cut_at:  # those that left before are of the same round
                if left > self._admitted_at:
                    self._continue_row(now, told=bool(retry_after))
                if self._outage:
                    self._next_at = max(self._next_at, now + _BETWEEN_PROBES)
                elif left > self._counts_from and not self._excused(retry_after):
                    self._cut(now, retry_after or 0.0)
        elif outcome is Outcome.TIMED_OUT:
            self._window.timed_out(now, left)

    def _continue_row(self, now: float, *, told: bool) -> None:
        """Note a refusal without an admitted response since the last one; from some number on it is an outage."""
        if not self._in_a_row:
            self._row_since, self._told_since = now, math.inf
            self._before_row = (self._base, self._phase)
        self._in_a_row += 1
        if told:
            self._told_since = min(self._told_since, now)
        slow = now - self._row_since >= _OUTAGE_SECONDS
        # Who came back when told to, and is refused again, did not come too fast.
        in_vain = now - self._told_since >= _OUTAGE_SECONDS
        if in_vain or self._in_a_row >= (_SLOW_OUTAGE_REFUSALS if slow else _OUTAGE_REFUSALS):
            self._outage = True

    def _end_row(self, now: float, left: float) -> None:
        """Note an admitted response: an outage is over, unless the request left before it began."""
        self._admitted_at = now
        self._admitted_since_outage += 1
        if left >= self._row_since:
            if self._outage:
                self._recover(now)
            self._in_a_row = 0

    def _recover(self, now: float) -> None:
        self._outage = False
        self._window.restart()
        base, phase = self._before_row
        if base == math.inf:
            base, phase = FIRST_RATE, _Phase.SEARCH
        if now - self._row_since < _SHORTEST_OUTAGE:
            base, phase = self._base, _Phase.STEADY
        elif self._admitted_since_outage <= _FEW:  # the rate that was restored last was too much at once
            base, phase = max(LOWEST_RATE, base / 2), _Phase.STEADY
        self._admitted_since_outage = 0
        self._start_at(now, base, phase, hold=0.0 if phase is _Phase.SEARCH else 2.0)

    def _start_at(self, now: float, base: float, phase: _Phase, *, hold: float) -> None:
        """Continue at the rate *base*, and hold it for so many seconds."""
        self._rate = self._base = base
        self._phase, self._hold = phase, hold
        self._next_at = now + 1 / base
        self._busy = 0.0
        self._cut_at = now
        self._counts_from = now + _UNCOUNTED / base

    def _cut(self, now: float, retry_after: float) -> None:
        if not self.throttled:
            self._window.restart()
            self._start_at(now, FIRST_RATE, _Phase.SEARCH, hold=0.0)
            return
        # Each probe causes some refusals, and a pause if the server sends a Retry-After, so probes must be rare.
        hold = min(30.0, 20 * retry_after)
        decrease, phase = _DECREASE, _Phase.STEADY
        if self._phase is _Phase.SEARCH:
            decrease, phase = _DECREASE_AFTER_SEARCH, _Phase.REGAIN
            self._excuses = 0.0
        self._start_at(now, max(LOWEST_RATE, self._rate * decrease), phase, hold=hold)

    def _excused(self, retry_after: float | None) -> bool:
        """Tell whether a refusal is none of the rate's fault, and have one excuse less then."""
        if self._phase is _Phase.SEARCH or retry_after or self._excuses < 1:
            return False
        self._excuses -= 1
        return True

    def _grow(self, now: float, *, queued: bool) -> None:
        if queued:
            self._busy += min(now - max(self._left_at, self._cut_at), 2 / self._rate)
        beyond = max(0.0, self._busy - self._hold)
        if self._phase is _Phase.SEARCH:
            # What a probe overshoots by is seen one latency later: at a distance the search must be slower.
            beyond /= min(1.0, max(0.45, 5 * self._window.latency))
            self._rate = self._base * 2 ** min(beyond * beyond, 64.0)
        else:
            regained = self._base * beyond / _REGAIN_SECONDS if self._phase is _Phase.REGAIN else 0.0
            self._rate = self._base + regained + _GROWTH * beyond**3
        if self._rate > _NO_LIMIT:
            self._rate = self._base = math.inf
            self._phase = _Phase.SEARCH

    def _forget(self, now: float) -> None:
        while self._admitted and self._admitted[0] <= now - _METERED:
            self._admitted.popleft()
