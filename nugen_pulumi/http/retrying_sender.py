"""Send each HTTP request in its turn, and again while the API refuses it (429, 503). Independent of the endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx

from nugen_pulumi.errors import GatewayError, NugenError, OutageError, OverloadedError, RejectedError, UnavailableError
from nugen_pulumi.http.network_errors import is_network_error, network_error
from nugen_pulumi.http.pool import Pool
from nugen_pulumi.http.rate_limit import Outcome, Pace
from nugen_pulumi.http.request import DEFAULT_OPTIONS, LONGEST_OUTAGE, RequestOptions, SentRequest
from nugen_pulumi.http.request_queue import NoTurnError, RequestQueue
from nugen_pulumi.http.response import Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import duration

T = TypeVar("T")


class ExpiredError(Exception):
    """Our own time limit expired. Not a TimeoutError, because the network raises that, too."""


async def bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Do *work*, or raise ExpiredError after *seconds*."""
    # wait_for would make a task, and this is called twice for each request.
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError as exc:
        if limit.expired():
            raise ExpiredError from exc
        raise


class Outage:
    """
    Knows since when no request of the process got a usable response.

    Attributes:
        answered_ever: There was a usable response. If not, the address may be wrong.
    """

    def __init__(self) -> None:
        self.answered_ever = False
        self._failing_since: float | None = None

    def answered(self) -> None:
        """Note a usable response: an answer, or a permanent error."""
        self.answered_ever = True
        self._failing_since = None

    def failed(self, now: float) -> None:
        """Note a request without a usable response, at *now*: seconds of any clock that never goes back."""
        if self._failing_since is None:
            self._failing_since = now

    def unanswered_for(self, now: float) -> float:
        """Return the seconds since requests began to fail; 0 if the last one got a usable response."""
        return 0.0 if self._failing_since is None else now - self._failing_since


# Refusals of one request in a row, while others are admitted, after which it is this request that the API refuses, and
# not the rate. A rate limit refuses about a tenth of all requests: of ten thousand, a few three times in a row.
_MOST_REFUSALS = 6
# Refusals of a DELETE or POST in a row before it loses its priority over the polls.
_URGENT_REFUSALS = 2


class RetryingSender:
    """
    Sends requests at the pace of the process, and those again that are refused. Belongs to one event loop.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Attributes:
        pace: How fast requests leave.
        outage: Since when the API has given no usable response.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.pace = Pace(settings.max_concurrent_requests)
        self.outage = Outage()
        self._settings = settings
        self._pool = Pool(settings, transport=transport)
        self._queue = RequestQueue(self.pace)
        self._singled_out: set[str] = set()  # paths that are refused while others are admitted
        self._outage_message: str | None = None  # why all waits end, once an outage has lasted too long

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
        refusal: OverloadedError | None = None
        under_way = False
        clock = asyncio.get_running_loop().time
        leave_by, give_up_at = clock() + options.leave_within, clock() + within

        async def admitted() -> T:
            nonlocal refusal, under_way
            due, refusals, refused_alone = clock(), 0, 0
            while True:
                # After too long an outage, only what can leave at once finds out whether it is over.
                if self._outage_message is not None and self.pace.pause(clock()) > 0:
                    raise OutageError(self._outage_message, sent=False)
                urgent = method != "GET" and refusals < _URGENT_REFUSALS
                left = await self._queue.enter(urgent=urgent, due=due, leave_by=leave_by, give_up_at=give_up_at)
                under_way = True
                try:
                    return await self._send_once(method, path, read, left, options.on_sent)
                except OverloadedError as exc:
                    under_way, refusal = False, exc
                    refusals += 1
                    refused_alone += not self.pace.refuses_all
                    forced = clock() >= leave_by and self.pace.bars(clock(), give_up_at)
                    too_long = self.outage.unanswered_for(clock()) >= options.longest_outage
                    if self._single_out(path, left, refused_alone) or forced or too_long:
                        raise
                    if refusals > 1:
                        # Halfway back in the queue: it must not block others if it is always refused, nor wait for all
                        # of them if it was refused by chance.
                        due = (due + clock()) / 2
                    options.on_refusal(exc)

        try:
            return await bounded(admitted(), within)
        except NoTurnError as exc:
            raise OverloadedError(self._not_sent(refusal, options.leave_within)) from exc
        except ExpiredError as exc:
            if under_way:
                raise UnavailableError(f"no complete response within {duration(within)}") from exc
            raise OverloadedError(self._not_sent(refusal, within)) from exc

    def _single_out(self, path: str, left: float, refusals: int) -> bool:
        """Tell whether the API refuses this request itself, and remember that."""
        # Only if it was no outage when the request left.
        if refusals >= _MOST_REFUSALS and self.outage.unanswered_for(left) <= 0:
            self._singled_out.add(path)
        return path in self._singled_out

    async def _send_once(
        self,
        method: str,
        path: str,
        read: Callable[[Response], T],
        left: float,
        on_sent: Callable[[SentRequest], object],
    ) -> T:
        """Send the request once, give the turn back, and tell the pace how it went."""
        timeout = self._settings.request_timeout
        outcome, retry_after, usable = Outcome.LOST, None, False
        try:
            value = await bounded(self._pool.request(method, path, read, on_sent), timeout)
        except ExpiredError as exc:
            outcome = Outcome.TIMED_OUT
            raise self._failed(UnavailableError(f"no complete response within {duration(timeout)}")) from exc
        except OverloadedError as exc:
            if path not in self._singled_out:  # the API rejects this request, and is not overloaded
                outcome, retry_after = Outcome.REFUSED, exc.retry_after
            raise self._failed(exc) from exc.__cause__
        except RejectedError as exc:
            # What answers in the API's place tells nothing of the API.
            outcome, usable = Outcome.ADMITTED, not isinstance(exc, GatewayError)
            raise
        except UnavailableError as exc:
            outcome = Outcome.ADMITTED
            raise self._failed(exc) from exc.__cause__
        except Exception as exc:
            if not is_network_error(exc):
                raise
            raise self._failed(network_error(exc, self._settings, self._pool.proxy)) from exc
        else:
            outcome, usable = Outcome.ADMITTED, True
            return value
        finally:
            if usable:
                self.outage.answered()
                self._outage_message = None
                self._singled_out.discard(path)
            self._queue.release(left, outcome, retry_after)

    def _failed(self, error: NugenError) -> NugenError:
        """Count *error* and return it. If the outage has lasted too long, fail all that wait, and return that error."""
        if isinstance(error, RejectedError):
            return error
        now = asyncio.get_running_loop().time()
        self.outage.failed(now)
        outage = self.outage.unanswered_for(now)
        if outage < LONGEST_OUTAGE:
            return error
        url = self._settings.base_url
        # Most errors name the address themselves.
        where = "the API" if url in str(error) else f"{url} (from {self._settings.base_url_source})"
        self._outage_message = (
            f"{where} has given no usable response to any request for {duration(outage)}; the last error: {error}"
        )
        self._queue.dismiss(self._outage_message)
        # Of those that fail now, only this request was sent.
        return OutageError(self._outage_message, sent=not isinstance(error, UnavailableError) or error.sent)

    def _not_sent(self, refusal: OverloadedError | None, within: float) -> str:
        now = asyncio.get_running_loop().time()
        if self.pace.throttled:
            rate = self.pace.admitted(now)
            admits = f"the API admits {rate:.1f} requests a second" if rate else "the API admits no requests"
        else:
            admits = f"{self.pace.window} requests are in progress, and none has finished"
        return f"the request was not sent within {duration(within)}: {admits}" + (f" ({refusal})" if refusal else "")
