"""What lies between the clients and the API: a limit, a distance, and connections that carry what HTTP would not."""

import asyncio
import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from nugen_pulumi.emulator.catalogue import Answer, Delivery

_REASONS: Final = {429: "Too Many Requests", 503: "Service Unavailable"}


class Limit:
    """
    A token bucket, as proxies use it. Thread-safe.

    Args:
        rate: Requests a second that are admitted, float; ``None``: no limit.
        burst: Requests that are admitted at once after a pause, int.
        clock: Seconds, float, monotonic. Default ``time.monotonic``.

    Raises:
        ValueError: *rate* is not above 0, or *burst* is less than 1.
    """

    def __init__(self, rate: float | None, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        if (rate is not None and not rate > 0) or burst < 1:
            raise ValueError(f"a limit has a rate above 0 and a burst of at least 1, not {rate} and {burst}")
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._at = clock()

    def admits(self) -> bool:
        """Tell whether the limit admits a request now; if so, count it."""
        if self._rate is None:
            return True
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass(frozen=True)
class Gate:
    """
    Stands in front of the API.

    Attributes:
        limit: What is refused.
        refuse: The status of a refusal, int: 429 or 503.
        latency: Seconds on the way, there and back, float.
        drop_used: Close a connection that has carried a request when the next one arrives, as servers do that have
            just found it idle for too long, bool.

    Raises:
        ValueError: *refuse* is neither, or *latency* is negative.
    """

    limit: Limit
    refuse: int = 429
    latency: float = 0.0
    drop_used: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be done."""
        if self.refuse not in _REASONS:
            raise ValueError(f"a refusal is 429 or 503, not {self.refuse}")
        if not self.latency >= 0:
            raise ValueError(f"a latency is at least 0 seconds, not {self.latency}")


class Gated:
    """
    Lets requests pass a :class:`Gate` on their way to *app*.

    Args:
        app: What is behind the gate.
        gate: The gate.
        on_stopped: Is told of each request that does not pass.
    """

    def __init__(self, app: ASGIApp, gate: Gate, on_stopped: Callable[[Scope], object]) -> None:
        self._app = app
        self._gate = gate
        self._on_stopped = on_stopped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        gate, connection = self._gate, scope["state"]["connection"]
        connection.requests += 1
        if gate.drop_used and connection.requests > 1:
            self._on_stopped(scope)
            connection.transport.abort()
            return
        if gate.latency:
            await asyncio.sleep(gate.latency / 2)
        app = self._app
        if not gate.limit.admits():
            self._on_stopped(scope)
            app = JSONResponse({"detail": _REASONS[gate.refuse]}, gate.refuse)
        if not gate.latency:
            await app(scope, receive, send)
            return

        async def send_late(message: dict) -> None:  # type: ignore[type-arg] # as ASGI has it
            if message["type"] == "http.response.start":
                await asyncio.sleep(gate.latency / 2)
            await send(message)

        await app(scope, receive, send_late)  # type: ignore[arg-type]


# Linger for no second: the system then ends the connection with a reset.
_NO_LINGER: Final = struct.pack("HH" if sys.platform == "win32" else "ii", 1, 0)


class Connection(H11Protocol):
    """
    Uvicorn's side of one connection, which its requests find as ``request.state.connection``.

    Attributes:
        requests: How many requests came over it.
    """

    requests = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin."""
        # The one dict that uvicorn hands from a connection to its requests, as `request.state`: no method of it has to
        # be copied for this, and nothing private of it used.
        self.app_state = {"connection": self}
        super().connection_made(transport)


async def respond(request: Request, answer: Answer) -> Response:
    """Turn *answer* into HTTP, in its own time. The one place that does."""
    if answer.delivery is not Delivery.DRIP and answer.delay > 0:
        await _gone(request, within=answer.delay)
    response = Response(answer.content, answer.status, dict(answer.headers), media_type="application/json")
    if answer.delivery is not Delivery.WHOLE:
        await _break(request, answer, response)
    # Uvicorn wants an answer in any case; a transport that was closed drops what is written to it.
    return response


async def _break(request: Request, answer: Answer, response: Response) -> None:
    """Write to the connection what *answer* wants of *response*, and close it unless the answer itself is to follow."""
    transport: asyncio.Transport = request.state.connection.transport
    content = answer.content
    if answer.delivery is Delivery.TWICE:
        transport.write(_head(response, b"keep-alive") + content)
        return
    if answer.delivery is Delivery.RESET:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    elif answer.delivery is Delivery.DAMAGED:
        # Beneath the encryption: a record of application data that nobody can decrypt.
        with transport.get_extra_info("socket").dup() as beneath:
            beneath.send(b"\x17\x03\x03\x00\x20" + b"?" * 32)
    elif answer.delivery is Delivery.BARE:
        transport.write(content)
    elif answer.delivery is Delivery.HALF:
        transport.write(_head(response) + content[: len(content) // 2])
    elif answer.delivery is Delivery.DRIP:
        transport.write(_head(response))
        for byte in content:
            if await _gone(request, within=answer.delay):
                break
            transport.write(bytes((byte,)))
    transport.close()


def _head(response: Response, connection: bytes = b"close") -> bytes:
    fields = [*response.raw_headers, (b"connection", connection)]
    return b"".join([b"HTTP/1.1 %d \r\n" % response.status_code, *(b"%b: %b\r\n" % pair for pair in fields), b"\r\n"])


async def _gone(request: Request, *, within: float) -> bool:
    """Wait until the client has gone, at most *within* seconds: so a late answer never keeps the emulator up."""

    async def disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(disconnected(), within)
        return True
    return False
