"""Requests out, whole answers back: turns, time limits, trouble. Knows no endpoint and what no answer means."""

from __future__ import annotations

import asyncio
import functools
import math
import ssl
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx

from nugen_pulumi._version import VERSION
from nugen_pulumi.brake import Brake
from nugen_pulumi.connections import make_connections
from nugen_pulumi.errors import NugenError, RejectedError, UnavailableError
from nugen_pulumi.reply import Reply, UnreadableBodyError, read_body
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import duration, printable

T = TypeVar("T")

# Shorter ones are for emulators, and may be any word that occurs in a body.
_SHORTEST_REAL_KEY = 12


class Exchange:
    """
    Sends requests over a bounded number of connections. Belongs to one event loop.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._brake = Brake()
        count = settings.max_concurrent_requests
        self._connections = make_connections(settings) if transport is None else [transport] * count
        self._headers = httpx.Headers(
            {
                "Host": httpx.URL(settings.base_url).netloc.decode("ascii"),
                "Authorization": f"Bearer {settings.api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # the bodies are small, and a body may be a bomb
                "User-Agent": f"nugen-pulumi/{VERSION}",
            }
        )
        # Reading a URL takes two thirds of what httpx spends on making a request, and each model is looked at often.
        self._url = functools.lru_cache(maxsize=10_000)(lambda path: httpx.URL(settings.base_url + path))
        # A semaphore, and no queue of connections: from a queue, whoever asks while one is being handed over snatches
        # it, and who has waited longest goes back to the end. Late waits must be looked at first.
        self._turns = asyncio.Semaphore(count)
        self._free = self._connections.copy()  # a stack: the connection used last is the warmest

    async def aclose(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            await connection.aclose()

    async def send(self, method: str, path: str, *, within: float, hold: float = math.inf) -> Reply:
        """
        Send one request in turn and read its answer, bounded as a whole.

        Args:
            method: Of HTTP.
            path: Percent-encoded, with a slash in front, below the base URL.
            within: Seconds that this may take in all, if that is less than the request timeout.
            hold: Seconds that it may be held back, at most, because the API is overloaded.

        Raises:
            UnavailableError: There was no whole answer. Its ``sent`` is False if the request never left.
            RejectedError: The server's certificate is not trusted.
        """
        sent = False
        latest = _now() + hold
        timeout = self._settings.request_timeout

        async def in_turn() -> Reply:
            nonlocal sent
            async with self._turns:
                # Asked again after each pause, because others may have pressed the brake meanwhile. A sleep may end
                # early by as much as the clock's resolution; a millisecond is no reason for another.
                while (pause := min(self._brake.hold(_now()), latest - _now())) > 0.001:  # noqa: ASYNC110 - a time
                    await asyncio.sleep(pause)
                sent = True
                connection = self._free.pop()
                try:
                    return await _bounded(self._send(connection, method, path), timeout)
                finally:
                    self._free.append(connection)

        try:
            return await _bounded(in_turn(), within)
        except asyncio.TimeoutError as exc:
            if not sent:
                what = f"no turn (see nugen:maxConcurrentRequests) within {duration(within)}"
                raise UnavailableError(what, sent=False) from exc
            raise UnavailableError(f"no complete answer within {duration(min(within, timeout))}") from exc
        except UnreadableBodyError as exc:
            raise UnavailableError(str(exc)) from exc
        except httpx.TransportError as exc:
            raise self._network_trouble(exc) from exc

    async def _send(self, connection: httpx.AsyncBaseTransport, method: str, path: str) -> Reply:
        began = _now()
        request = httpx.Request(method, self._url(path), headers=self._headers)
        response = await connection.handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport streams so
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = await read_body(stream, headers.get("content-encoding", ""))
        finally:
            await stream.aclose()
        reply = Reply(response.status_code, self._without_key(body), headers)
        if reply.status in (429, 503):
            self._brake.press(_now(), began=began, retry_after=reply.retry_after())
        else:
            self._brake.release()
        return reply

    def _without_key(self, body: bytes) -> bytes:
        """An API that quotes the key back must not bring it into state or on a terminal."""
        key = self._settings.api_key.encode()
        return body.replace(key, b"[API key]") if len(key) >= _SHORTEST_REAL_KEY else body

    def _network_trouble(self, exc: httpx.TransportError) -> NugenError:
        where = f"{self._settings.base_url} (from {self._settings.base_url_source})"
        what = printable(str(exc)) or type(exc).__name__
        if _certificate_refused(exc):
            return RejectedError(
                f"The certificate of {where} is not trusted ({what}): name a private CA's file in SSL_CERT_FILE."
            )
        if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
            return UnavailableError(f"cannot connect to {where}: {what}", sent=False)
        return UnavailableError(f"the connection to {where} broke: {what}")


async def _bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Do *work*, or raise TimeoutError after *seconds*."""
    if sys.version_info < (3, 11):
        return await asyncio.wait_for(work, seconds)
    # wait_for would make a task of each exchange, twice.
    async with asyncio.timeout(seconds):
        return await work


def _now() -> float:
    return asyncio.get_running_loop().time()


def _certificate_refused(exc: BaseException) -> bool:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
