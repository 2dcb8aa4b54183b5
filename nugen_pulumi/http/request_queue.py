"""Decide which request is sent next, and when. Independent of HTTP."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math

from nugen_pulumi.errors import OutageError
from nugen_pulumi.http.rate_limit import Outcome, Pace

# Seconds between two requests that leave in spite of a Retry-After or an outage.
_BETWEEN_FORCED = 1.0


class NoTurnError(Exception):
    """The request could not leave by its *leave_by*."""


class RequestQueue:
    """
    Lets requests leave at the pace of the process. Belongs to one event loop.

    DELETEs and POSTs come before all polls, because nothing begins until they are carried out. Then the most overdue
    poll is next.

    Args:
        pace: How fast they may leave.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._queue: list[tuple[int, float, int, asyncio.Future[float]]] = []
        self._count = itertools.count()
        self._forced_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    async def enter(
        self, *, urgent: bool, due: float, leave_by: float = math.inf, give_up_at: float = math.inf
    ) -> float:
        """
        Wait for a turn, and return the time at which it came. Each turn taken must be given to :meth:`release`.

        Args:
            urgent: Goes before all that are not.
            due: When the request was due: the earliest is next.
            leave_by: When the request leaves in spite of a ``Retry-After`` or an outage, at most one such request a
                second; or waits on, if its turn can come before *give_up_at*.
            give_up_at: When the caller stops waiting.

        Raises:
            NoTurnError: It could not leave at *leave_by*.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[float] = loop.create_future()
        heapq.heappush(self._queue, (0 if urgent else 1, due, next(self._count), turn))
        self._hand_out()
        if turn.done():
            return turn.result()
        forcing = None if leave_by == math.inf else loop.call_at(leave_by, self._force, turn, give_up_at)
        try:
            return await turn
        except asyncio.CancelledError:
            # The turn may have come at the same moment.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release(turn.result(), Outcome.LOST)
            raise
        finally:
            if forcing is not None:
                forcing.cancel()

    def release(self, left: float, outcome: Outcome, retry_after: float | None = None) -> None:
        """
        Give a turn back.

        Args:
            left: What :meth:`enter` returned.
            outcome: How the request went.
            retry_after: The ``Retry-After`` in seconds, or None.
        """
        self._pace.end(asyncio.get_running_loop().time(), left=left, outcome=outcome, retry_after=retry_after)
        self._hand_out()

    def dismiss(self, message: str) -> None:
        """Fail all waiting requests with an :class:`OutageError`: they were never sent."""
        queue, self._queue = self._queue, []
        for *_, turn in queue:
            if not turn.done():
                # One each, because raising an exception changes it.
                turn.set_exception(OutageError(message, sent=False))

    def _force(self, turn: asyncio.Future[float], give_up_at: float) -> None:
        now = asyncio.get_running_loop().time()
        if turn.done() or not self._pace.bars(now, give_up_at):
            return
        if self._pace.full or now - self._forced_at < _BETWEEN_FORCED:
            turn.set_exception(NoTurnError())
            return
        self._forced_at = now
        self._pace.leave(now, queued=False)
        turn.set_result(now)

    def _hand_out(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            if self._queue[0][3].done():  # cancelled, or forced
                heapq.heappop(self._queue)
                continue
            now = loop.time()
            pause = self._pace.pause(now)
            # A timer may come early by as much as the clock's resolution.
            if pause > 0.0001:
                if pause < math.inf:
                    self._timer = loop.call_later(pause, self._hand_out)
                return
            turn = heapq.heappop(self._queue)[3]
            self._pace.leave(now, queued=bool(self._queue))
            turn.set_result(now)
