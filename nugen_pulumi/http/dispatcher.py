"""Send HTTP requests in order and within the rate limit, and repeat refused ones. Independent of the endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx

from nugen_pulumi.errors import NugenError, OutageError, OverloadedError, RejectedError, UnavailableError
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
    # wait_for would make a task of each request, twice.
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
        """Note a usable response: one that says what it was asked for, or that asking again will not help."""
        self.answered_ever = True
        self._failing_since = None

    def failed(self, now: float) -> None:
        """Note a request without a usable response, at *now*: seconds of any clock that never goes back."""
        if self._failing_since is None:
            self._failing_since = now

    def unanswered_for(self, now: float) -> float:
        """Return the seconds since requests began to fail; 0 if the last one got a usable response."""
        return 0.0 if self._failing_since is None else now - self._failing_since


# How often in a row a request may be refused while others are admitted. After that, the API has something against this
# request, and does not limit the rate. With a rate limit, about a tenth of all requests is refused: of ten thousand
# requests, a few are refused three times in a row.
_REFUSALS = 6
# How often in a row a DELETE or POST may be refused before it stands in line with the polls.
_URGENT_REFUSALS = 2


class Dispatcher:
    """
    Sends requests at the pace of the process. Belongs to one event loop.

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
            within: Seconds that this may take in all, its turns included.
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
            due, refusals, alone = clock(), 0, 0
            while True:
                if self._outage_message is not None and self.pace.pause(clock()) > 0:
                    raise OutageError(self._outage_message, sent=False)
                urgent = method != "GET" and refusals < _URGENT_REFUSALS
                left = await self._queue.enter(urgent=urgent, due=due, leave_by=leave_by, give_up_at=give_up_at)
                under_way = True
                try:
                    return await self._in_turn(method, path, read, left, options.on_sent)
                except OverloadedError as exc:
                    under_way, refusal = False, exc
                    refusals += 1
                    # In an outage all are refused, this one no more than others.
                    alone += not self.pace.outage
                    last_call = clock() >= leave_by and self.pace.bars(clock(), give_up_at)
                    too_long = self.outage.unanswered_for(clock()) >= options.longest_outage
                    if self._is_singled_out(path, left, alone) or last_call or too_long:
                        raise
                    if refusals > 1:
                        # One refusal may be due to the rate. A request that the API always refuses must not block
                        # others. At the end of a long queue, one that was refused by chance would wait too long.
                        due = (due + clock()) / 2
                    options.on_refusal(exc)

        try:
            return await bounded(admitted(), within)
        except NoTurnError as exc:
            raise OverloadedError(self._out_of_turn(refusal, options.leave_within)) from exc
        except ExpiredError as exc:
            if under_way:
                raise UnavailableError(f"no complete response within {duration(within)}") from exc
            raise OverloadedError(self._out_of_turn(refusal, within)) from exc

    def _is_singled_out(self, path: str, left: float, refusals: int) -> bool:
        """Tell whether the API has something against this request, which was refused so often in a row."""
        # Others were answered since it left: then the process was in no outage at that time.
        if refusals >= _REFUSALS and self.outage.unanswered_for(left) <= 0:
            self._singled_out.add(path)
        return path in self._singled_out

    async def _in_turn(
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
        except RejectedError:
            outcome, usable = Outcome.ADMITTED, True
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
        """Count *error*; once an outage has lasted too long, end all that wait for a turn, and return that."""
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
        # Only this request was sent, and its own error knows what became of it.
        return OutageError(self._outage_message, sent=not isinstance(error, UnavailableError) or error.sent)

    def _out_of_turn(self, refusal: OverloadedError | None, within: float) -> str:
        now = asyncio.get_running_loop().time()
        if self.pace.throttled:
            rate = self.pace.admitted(now)
            admits = f"the API admits {rate:.1f} requests a second" if rate else "the API admits no requests"
        else:
            admits = f"{self.pace.window} requests are in progress, and none has finished"
        return f"the request was not sent within {duration(within)}: {admits}" + (f" ({refusal})" if refusal else "")
