"""When to poll again and when to stop. Knows no HTTP, no Pulumi, and has no clock of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class WaitPolicy:
    """
    How long to wait and how often to poll. All times are seconds.

    Attributes:
        timeout: The whole wait, the request that starts the task included.
        longest_pause: Upper bound of a pause between two polls.
        shortest_pause: Lower bound of a pause, unless *longest_pause* is shorter still.
        growth: A pause is this part of the time waited so far, so that a long wait costs few polls
            and its end is noticed within a tenth of its length.
        jitter: A pause varies by this part of itself, so that many waits do not poll in step.
        grace: Seconds after our own request in which the API may still return the status from before it.
        last_poll: What a request may take beyond the deadline, so that a poll at the deadline can be answered.
    """

    timeout: float = 1800.0
    longest_pause: float = 5.0
    shortest_pause: float = 0.5
    growth: float = 0.1
    jitter: float = 0.1
    grace: float = 15.0
    last_poll: float = 5.0

    def pause(self, waited: float, chance: float) -> float:
        """
        Return the pause after *waited* seconds.

        ``growth x waited``, varied by jitter, then held between *shortest_pause* and *longest_pause*.

        Args:
            waited: Seconds since the wait began.
            chance: A number from 0 to 1 that places the pause within its jitter.
        """
        varied = self.growth * waited * (1 + self.jitter * (2 * chance - 1))
        return min(self.longest_pause, max(self.shortest_pause, varied))


_FEWEST_MISSES = 3


class Stop(Enum):
    """Why a wait ends before the task has finished."""

    TIMEOUT = "the deadline passed"
    OUTAGE = "no usable response for too long"

    def __str__(self) -> str:
        """For a log."""
        return f"stopping: {self.value}"


@dataclass(frozen=True)
class PollAgain:
    """The decision to poll once more, *pause* seconds from now."""

    pause: float

    def __str__(self) -> str:
        """For a log."""
        return f"next poll in {self.pause:.1f}s"


class Schedule:
    """
    When one wait polls, and when it stops. Told how each poll went and when, it decides what comes next.

    The first poll starts at once, the last one at the deadline. An outage ends the wait earlier. Its time starts at the
    first failed poll, and at least three polls must fail: one poll that hangs for a whole request timeout is not an
    outage. A poll that was refused for overload, or not sent because of the rate limit, does not count as failed.

    Args:
        policy: The rules.
        now: The time at which the wait begins, in seconds of any clock that never goes back.
        chance: Source of numbers from 0 to 1 for the jitter.
    """

    def __init__(self, policy: WaitPolicy, *, now: float, chance: Callable[[], float] = random.random) -> None:
        self.policy = policy
        self.started = now
        self.deadline = now + policy.timeout
        self.answered_at: float | None = None
        self._chance = chance
        self._failing_since: float | None = None
        self._misses = 0
        self._grace_until = now

    def requested(self, now: float) -> None:
        """Note that the task was requested at *now*, which begins the grace."""
        self._grace_until = now + self.policy.grace

    def in_grace(self, now: float) -> bool:
        """Tell whether an answer at *now* may still be from before our own request."""
        return now < self._grace_until

    def answered(self, now: float) -> PollAgain | Stop:
        """Decide after a usable response that was not the end."""
        self.answered_at = now
        self._failing_since, self._misses = None, 0
        return self._next(now, floor=0.0)

    def failed(self, now: float, retry_after: float | None, *, longest_outage: float) -> PollAgain | Stop:
        """
        Decide after a poll that got no usable response.

        Args:
            now: The time.
            retry_after: Seconds that the server asked us to stay away: a floor for the pause. Or None.
            longest_outage: Seconds for which such polls are waited out.
        """
        if self._failing_since is None:
            self._failing_since = now
        self._misses += 1
        decision = self.refused(now, retry_after)
        lasts = self._misses >= _FEWEST_MISSES and now - self._failing_since >= longest_outage
        return Stop.OUTAGE if lasts and decision is not Stop.TIMEOUT else decision

    def refused(self, now: float, retry_after: float | None) -> PollAgain | Stop:
        """Decide after a poll that was refused for overload: the answer of a live API."""
        return self._next(now, floor=retry_after or 0.0)

    def unanswered_for(self, now: float) -> float:
        """Return the seconds since the last usable response, or since the start if there was none."""
        return now - (self.started if self.answered_at is None else self.answered_at)

    def left(self, now: float) -> float:
        """Return the seconds until the deadline."""
        return max(0.0, self.deadline - now)

    def _next(self, now: float, floor: float) -> PollAgain | Stop:
        # A sleep may end early by as much as the clock's resolution; a millisecond is no reason for another request.
        if now >= self.deadline - 0.001:
            return Stop.TIMEOUT
        pause = max(floor, self.policy.pause(now - self.started, self._chance()))
        return PollAgain(min(pause, self.deadline - now))
