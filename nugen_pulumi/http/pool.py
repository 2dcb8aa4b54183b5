"""Reuse connections to the API, and send one HTTP request over one of them. Independent of the endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import httpx

from nugen_pulumi._version import VERSION
from nugen_pulumi.errors import MisdirectedError
from nugen_pulumi.http.connections import Connection, make_connector
from nugen_pulumi.http.network_errors import Route
from nugen_pulumi.http.response import Response, read_body
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import Redaction

T = TypeVar("T")


class SentRequest(NamedTuple):
    """
    A request that was sent once, and what came of it, without the API key.

    Attributes:
        method: Of HTTP.
        path: Below the base URL.
        seconds: How long it took.
        status: The HTTP status of the response; None if there was no whole response.
        request_id: What the response calls the request, or empty.
        excerpt: What the body looks like if it was of no use; else empty.
    """

    method: str
    path: str
    seconds: float
    status: int | None = None
    request_id: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        """``GET 200 in 12 ms (request 4f1c)``."""
        status = "without a response" if self.status is None else str(self.status)
        name = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.method} {status} in {self.seconds * 1000:.0f} ms{name}"


class Pool:
    """
    Connections that are idle, and new ones when there is none. Belongs to one event loop.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Attributes:
        route: Which way requests go.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.route: Route
        self._connect: Callable[[], httpx.AsyncBaseTransport]
        self._connect, self.route = make_connector(settings) if transport is None else (lambda: transport, Route())
        self._headers = httpx.Headers(
            {
                "Host": httpx.URL(settings.base_url).netloc.decode("ascii"),
                "Authorization": f"Bearer {settings.api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # the bodies are small, and a body may be a bomb
                "User-Agent": f"nugen-pulumi/{VERSION}",
            }
        )
        self._base_url = settings.base_url
        self._redaction = Redaction(settings.api_key)
        self._idle: list[httpx.AsyncBaseTransport] = []  # a stack: the connection used last is the warmest
        self._closing: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Close the connections."""
        while self._idle:
            self._discard(self._idle.pop())
        if self._closing:
            await asyncio.wait(self._closing)

    async def request(
        self, method: str, path: str, read: Callable[[Response], T], on_sent: Callable[[SentRequest], object]
    ) -> T:
        """
        Send one request and read its response.

        A connection is used again only if the response came whole and *read* could believe it.

        Args:
            method: Of HTTP. A DELETE or POST goes over a connection that no server is about to close.
            path: Percent-encoded, with a slash in front, below the base URL.
            read: Makes a value of the response, or raises what it means.
            on_sent: Called at the end, however it ends.

        Raises:
            UnavailableError: The body cannot be read.
            Exception: Whatever the lower libraries raise: see :mod:`nugen_pulumi.http.network_errors`.
        """
        connection = self._take_connection(fresh=method != "GET")
        trusted = used = False
        response: Response | None = None
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            raw = await connection.handle_async_request(
                httpx.Request(method, self._base_url + path, headers=self._headers)
            )
            stream = cast("httpx.AsyncByteStream", raw.stream)
            headers = {name.lower(): self._redaction.string(value) for name, value in raw.headers.items()}
            body = await read_body(stream, headers.get("content-encoding", ""))
            await stream.aclose()
            trusted = True
            response = Response(raw.status_code, body, headers, self._redaction)
            value = read(response)
            used = True
        except MisdirectedError:
            # The response to another request: nothing that comes over this connection can be believed.
            trusted = False
            raise
        else:
            return value
        finally:
            if trusted:
                self._idle.append(connection)
            else:
                self._discard(connection)
            known = (response.status, response.request_id, "" if used else response.excerpt) if response else ()
            on_sent(SentRequest(method, self._redaction.string(path), clock() - began, *known))

    def _take_connection(self, *, fresh: bool) -> httpx.AsyncBaseTransport:
        """
        Return the connection used last, or a new one.

        Args:
            fresh: One that has carried no request. A server closes a connection that is idle for too long without
                looking what arrives meanwhile: a poll that is lost so is made again, but a DELETE or POST must not be.
        """
        if fresh and self._idle:
            self._discard(self._idle.pop())  # so that there are never more connections than requests at once
        while self._idle and not fresh:
            connection = self._idle.pop()
            if not isinstance(connection, Connection) or connection.reusable:
                return connection
            self._discard(connection)
        return self._connect()

    def _discard(self, connection: httpx.AsyncBaseTransport) -> None:
        """Close a connection for good: in a task of its own, which no cancellation can end."""
        closing = asyncio.get_running_loop().create_task(connection.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        closing.exception()  # one that fails to close is gone, too
