"""Answers that HTTP would not let pass, written to the connection itself. Decides nothing about what is answered."""

import asyncio
import contextlib
import os
import socket
import struct
from typing import Final

from fastapi import Request, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from nugen_pulumi.emulator.answers import Answer, Delivery

# Linger for no second: the system then ends the connection with a reset.
_NO_LINGER: Final = struct.pack("ii", 1, 0)


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
        os.write(transport.get_extra_info("socket").fileno(), b"\x17\x03\x03\x00\x20" + b"?" * 32)
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
