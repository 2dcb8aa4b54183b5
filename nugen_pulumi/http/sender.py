"""Send each HTTP request in its turn, and again while the API refuses it (429, 503). Independent of the endpoints."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from nugen_pulumi.errors import GatewayError, OutageError, OverloadedError, RejectedError, UnavailableError
from nugen_pulumi.http.network_errors import is_network_error, network_error
from nugen_pulumi.http.outage import LONGEST_OUTAGE, Outage
from nugen_pulumi.http.pace import BETWEEN_PROBES, Fate, Pace
from nugen_pulumi.http.pool import Pool, SentRequest
from nugen_pulumi.http.response import Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import duration

T = TypeVar("T")


@dataclass(frozen=True)
class RequestOptions:
    """
    What a caller wants besides the response.

    Attributes:
        longest_outage: Seconds without a usable response to any request of the process after which this one, when
            refused, is not sent again.
        leave_within: Seconds after which the request leaves even if the API said to stay away; if it cannot, it ends
            then. Infinite: it waits for its turn.
        on_sent: Called with each :class:`SentRequest`: a request is sent again for as long as it is refused.
        on_refusal: Called with each refusal after which it is sent again.
    """

    longest_outage: float = LONGEST_OUTAGE
    leave_within: float = math.inf
    on_sent: Callable[[SentRequest], object] = lambda _: None
    on_refusal: Callable[[OverloadedError], object] = lambda _: None


DEFAULT_OPTIONS = RequestOptions()


class Sender:
    """
    Sends requests at the pace of the process, and those again that are refused. Made of the same as a :class:`Pool`.

    Attributes:
        pace: How fast requests leave.
        outage: Since when the API has given no usable response.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.pace = Pace(settings.max_concurrent_requests)
        self.outage = Outage()
        self._settings = settings
        self._pool = Pool(settings, transport=transport)
        self._queue = Queue(self.pace)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def send(
        self,
        method: str,
        path: str,
        read: Callable[[Response], T],
        *,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> T:
        """
        Send one request in its turn and read its response; send it again for as long as it is refused for overload.

        Args:
            method: Of HTTP. A DELETE or POST goes before all else, over a connection that no server is about to close.
            path: Percent-encoded, with a slash in front, below the base URL.
            read: Makes a value of the response, or raises what it means: a :class:`OverloadedError` if it is a refusal.
            within: Seconds in all, waiting for turns included.
            options: What else the caller wants.

        Raises:
            OverloadedError: It was refused, and is not sent again here.
            OutageError: The API has given no usable response for too long.
            UnavailableError: There was no usable response. Its ``sent`` is False if it certainly was not carried out.
            RejectedError: Asking again will not help.
        """
        clock = asyncio.get_running_loop().time
        urgent, due = method != "GET", clock()
        leave_by, give_up_at = due + options.leave_within, due + within
        refusal: OverloadedError | None = None
        while True:
            now = clock()
            # After too long an outage, only what can leave at once finds out whether it is over.
            if self.outage.failing_for(now) >= LONGEST_OUTAGE and self.pace.pause(now) > 0:
                raise OutageError(self._outage_message, sent=False)
            try:
                left = await self._queue.enter(urgent=urgent, due=due, leave_by=leave_by, give_up_at=give_up_at)
            except TimeoutError as exc:
                raise OverloadedError(self._not_sent(refusal, min(within, options.leave_within))) from exc
            try:
                return await self._send_once(
                    method, path, read, left=left, within=give_up_at - left, on_sent=options.on_sent
                )
            except OverloadedError as exc:
                now = clock()
                forced = now >= leave_by and self.pace.bars(now, give_up_at)
                if forced or self.outage.failing_for(now) >= options.longest_outage:
                    raise
                # One that is always refused must not block the others: it loses its priority, and then its place.
                if not urgent:
                    due = now
                urgent = False
                refusal = exc
                options.on_refusal(exc)

    async def _send_once(
        self,
        method: str,
        path: str,
        read: Callable[[Response], T],
        *,
        left: float,
        within: float,
        on_sent: Callable[[SentRequest], object],
    ) -> T:
        """Send the request once, give the turn back, and tell the pace and the outage how it went."""
        seconds = min(within, self._settings.request_timeout)
        fate, retry_after = Fate.LOST, None
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                value = await self._pool.request(method, path, read, on_sent)
        except RejectedError as exc:
            fate = Fate.ADMITTED
            if not isinstance(exc, GatewayError):  # what answers in the API's place tells nothing of the API
                self.outage.answered()
            raise
        except UnavailableError as exc:
            fate = Fate.REFUSED if isinstance(exc, OverloadedError) else Fate.ADMITTED
            retry_after = exc.retry_after
            raise self._failed(exc) from exc.__cause__
        except Exception as exc:
            if limit.expired():
                fate = Fate.TIMED_OUT
                raise self._failed(
                    UnavailableError(f"no complete response within {duration(round(seconds, 1))}")
                ) from exc
            if not is_network_error(exc):
                raise
            raise self._failed(network_error(exc, self._settings, self._pool.route)) from exc
        else:
            fate = Fate.ADMITTED
            self.outage.answered()
            return value
        finally:
            self._queue.release(left, fate, retry_after)

    def _failed(self, error: UnavailableError | RejectedError) -> UnavailableError | RejectedError:
        """Count *error* and return it. If the outage has lasted too long, fail all that wait, and return that error."""
        if isinstance(error, RejectedError):
            return error
        now = asyncio.get_running_loop().time()
        self.outage.failed(now, str(error))
        if self.outage.failing_for(now) < LONGEST_OUTAGE:
            return error
        self._queue.dismiss(self._outage_message)
        # Of those that fail now, only this request was sent.
        return OutageError(self._outage_message, sent=error.sent)

    @property
    def _outage_message(self) -> str:
        """Why all waits end."""
        url, error = self._settings.base_url, self.outage.error
        # Most errors name the address themselves.
        where = "the API" if url in error else f"{url} (from {self._settings.base_url_source})"
        lasted = duration(LONGEST_OUTAGE)
        return f"{where} has given no usable response to any request for {lasted}; the last error: {error}"

    def _not_sent(self, refusal: OverloadedError | None, within: float) -> str:
        now = asyncio.get_running_loop().time()
        if self.pace.bars(now, now):
            admits = "the API admits no requests"
        elif self.pace.throttled:
            admits = f"the API admits about {self.pace.rate:.1f} requests a second"
        else:
            admits = f"{self.pace.window} requests are in progress, and none has finished"
        return f"the request was not sent within {duration(within)}: {admits}" + (f" ({refusal})" if refusal else "")


class Queue:
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
            give_up_at: When it no longer has to leave.

        Raises:
            TimeoutError: It could not leave at *leave_by*, or did not until *give_up_at*.
            OutageError: It was dismissed.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[float] = loop.create_future()
        heapq.heappush(self._queue, (0 if urgent else 1, due, next(self._count), turn))
        self._hand_out()
        if turn.done():
            return turn.result()
        forcing = None if leave_by == math.inf else loop.call_at(leave_by, self._force, turn, give_up_at)
        try:
            async with asyncio.timeout_at(None if give_up_at == math.inf else give_up_at):
                return await turn
        except (asyncio.CancelledError, TimeoutError):
            # The turn may have come at the same moment.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release(turn.result(), Fate.LOST)
            raise
        finally:
            if forcing is not None:
                forcing.cancel()

    def release(self, left: float, fate: Fate, retry_after: float | None = None) -> None:
        """
        Give a turn back.

        Args:
            left: What :meth:`enter` returned.
            fate: As for :meth:`Pace.end`, like *retry_after*.
            retry_after: Likewise.
        """
        self._pace.end(asyncio.get_running_loop().time(), left=left, fate=fate, retry_after=retry_after)
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
        if self._pace.full or now - self._forced_at < BETWEEN_PROBES:
            turn.set_exception(TimeoutError())
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
