"""Connections over real sockets: trusted while they deserve it, and closed for good when they do not."""

import asyncio
import os
import socket
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from harness.api import run

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.errors import UnavailableError
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import Goal

BODY = b'{"model_id":"m","status":"%s"}'


def whole(status):
    body = BODY % status
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Server:
    """
    Answers each request with the next element: bytes to send, a function of writer and method, or None to be silent.

    At its end each client must have closed its connections.
    """

    def __init__(self, *script, tls=None):
        self.script = list(script)
        self.requests = []  # the number of the connection, the method and the path
        self._serving = []
        self._tls = tls

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        async with asyncio.timeout(20):
            await asyncio.gather(*self._serving)

    async def _serve(self, reader, writer):
        number = len(self._serving)
        self._serving.append(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                method, path, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
                self.requests.append((number, method, path))
                answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if callable(answer):
                    answer(writer, method)
                elif answer is not None:
                    writer.write(answer)
        writer.close()

    @property
    def connections(self):
        """Over which connection each request came."""
        return [number for number, _, _ in self.requests]


def speak(server, *steps, timeout=1.0):
    """Do one step after the other: a request, of a model if not of m, or a pause. Return what came of the requests."""

    async def main():
        async with server:
            client = NugenClient(Settings("k", server.url, request_timeout=timeout))
            outcomes = []
            for step in steps:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                    continue
                request, _, model_id = step.partition(" ")
                sent = getattr(client, request)(model_id or "m", within=10)
                outcomes += await asyncio.gather(sent, return_exceptions=True)
            await client.aclose()
            return outcomes

    return run(main)


def statuses(outcomes):
    return [getattr(outcome, "status", type(outcome).__name__) for outcome in outcomes]


def test_a_connection_is_used_again():
    server = Server(whole(b"PENDING"))
    speak(server, "status", "status", "status")

    assert [0, 0, 0] == server.connections


@pytest.mark.parametrize("more", [whole(b"COMPLETED"), b"x"])
def test_what_follows_a_response_is_not_the_answer_to_the_next_request(more):
    """Such as a response that arrives twice."""
    server = Server(whole(b"COMPLETED") + more, whole(b"PENDING"))

    assert ["COMPLETED", "PENDING"] == statuses(speak(server, "status", "status"))
    assert [0, 1] == server.connections


def test_nothing_more_is_believed_of_a_connection_that_brought_the_response_to_another_request():
    server = Server(whole(b"PENDING"))

    assert ["PENDING", "MisdirectedError", "PENDING"] == statuses(speak(server, "status", "status other", "status"))
    assert [0, 0, 1] == server.connections


@pytest.mark.parametrize(
    "bad",
    [
        None,
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-encoding: br\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
    ],
)
def test_after_a_request_that_was_cut_the_connection_is_replaced(bad):
    server = Server(whole(b"PENDING"), bad, whole(b"COMPLETED"))

    assert ["PENDING", "UnavailableError", "COMPLETED"] == statuses(speak(server, "status", "status", "status"))
    assert [0, 0, 1] == server.connections


def test_a_delete_goes_over_a_connection_that_no_server_is_about_to_close():
    server = Server(whole(b"PENDING"))
    speak(server, "start", "status", "start", "status", "start")

    assert [0, 0, 1, 1, 2] == server.connections


def test_a_connection_that_the_server_has_closed_meanwhile_is_opened_anew():
    server = Server(lambda writer, _: (writer.write(whole(b"PENDING")), writer.close()), whole(b"COMPLETED"))

    assert ["PENDING", "COMPLETED"] == statuses(speak(server, "status", 0.05, "status"))


def raw(writer, data):
    """Write *data* beneath the encryption: a TLS record that nobody can decrypt."""
    with socket.socket(fileno=socket.dup(writer.get_extra_info("socket").fileno())) as beneath:
        beneath.setblocking(False)
        beneath.send(data)


@pytest.mark.usefixtures("_trusted")
def test_damaged_tls_is_a_transient_error(tls):
    damaged = b"\x17\x03\x03\x00\x20" + b"x" * 32
    server = Server(whole(b"PENDING"), lambda writer, _: raw(writer, damaged), whole(b"COMPLETED"), tls=tls)
    outcomes = speak(server, "status", "status", "status", timeout=5)

    assert ["PENDING", "UnavailableError", "COMPLETED"] == statuses(outcomes)
    assert "connection lost (" in str(outcomes[1])


def sockets_to(port):
    """Return our sockets that are connected to *port* of loopback, as the system knows them."""
    found = []
    for name in [path.name for path in Path("/dev/fd").iterdir()]:
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as candidate:
            if candidate.family == socket.AF_INET and candidate.getpeername()[1] == port:
                found.append(name)
    return found


def test_no_socket_outlives_its_request():
    """A hundred requests whose TLS handshake stalls: nothing is left of them once they were cut."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]

    async def main():
        client = NugenClient(Settings("k", f"https://127.0.0.1:{port}", request_timeout=0.3))
        asks = (client.status(f"m-{number}", within=1) for number in range(100))
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
        await asyncio.sleep(0.3)
        left = len(sockets_to(port))
        await client.aclose()
        return outcomes, left

    outcomes, left = run(main)
    listener.close()

    assert {True} == {isinstance(outcome, UnavailableError) for outcome in outcomes}
    assert 0 == left


def test_the_request_timeout_holds_for_a_name_that_does_not_resolve(monkeypatch):
    """The resolver takes a minute, and nobody waits for it."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: time.sleep(60))

    async def main():
        client = NugenClient(Settings("k", "https://slow.invalid", request_timeout=0.2))
        with pytest.raises(UnavailableError, match=r"no complete response within 0\.2s"):
            await client.status("m", within=50)
        await client.aclose()

    run(main)


@pytest.mark.usefixtures("_trusted")
def test_no_delete_is_repeated_whose_response_was_damaged(tls):
    """The damaged record looks like plain http, but it came after the handshake: the API may have begun."""

    def answer(writer, method):
        _, _, path = server.requests[-1]
        if method == "DELETE":
            raw(writer, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        else:
            asked = {path for _, method, path in server.requests if method == "DELETE"}
            status = b"COMPLETED" if path.removesuffix("/status") in asked else b"FAILED"
            writer.write(whole(status).replace(b'"m"', b'"n"'))

    server = Server(answer, tls=tls)

    async def main():
        async with server:
            client = NugenClient(Settings("k", server.url))
            models = dict.fromkeys((f"m-{number}" for number in range(50)), Goal(request=True))
            await follow_all(client, models, WaitPolicy(timeout=60), wait=True)
            await client.aclose()

    run(main)
    deletes = Counter(path for _, method, path in server.requests if method == "DELETE")

    assert 50 == len(deletes)
    assert {1} == set(deletes.values())
