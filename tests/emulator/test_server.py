import contextlib
import gc
import http.client
import logging
import socket
import threading
import time
import warnings

import httpx
import pytest
from harness import KEY

from nugen_pulumi.emulator import Answer, Emulator

STATUS = "/api/v3/models/undeploy-model/m-1/status"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def test_where():
    """It listens on a free port of loopback, and nowhere when it has ended."""
    with Emulator() as emulator, Emulator() as other:
        host, port = emulator.url.removeprefix("http://").split(":")

        assert "127.0.0.1" == host
        assert emulator.url != other.url
        socket.create_connection((host, int(port))).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_given_port():
    """It listens where it is told to, again and again, though the system remembers the connections that it cut."""
    with Emulator() as emulator:
        port = int(emulator.url.rsplit(":", 1)[1])
    for _ in range(3):
        with httpx.Client(trust_env=False) as client, Emulator(port=port) as emulator:
            assert f"http://127.0.0.1:{port}" == emulator.url
            assert 404 == client.get(emulator.url).status_code


def test_ends_amid_knocking():
    """Who knocks in the very moment of its end is cut off, and no socket is forgotten (which would be a warning)."""

    def knock(address, connections):
        with contextlib.suppress(OSError):
            while len(connections) < 100:
                connections.append(socket.create_connection(address))

    for _ in range(20):
        connections = []
        with Emulator() as emulator:
            address = "127.0.0.1", int(emulator.url.rsplit(":", 1)[1])
            knocking = threading.Thread(target=knock, args=(address, connections))
            knocking.start()
            while not connections:
                time.sleep(0.001)
        knocking.join()
        for connection in connections:
            connection.close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()
    assert [] == caught


def test_ends_after_an_error():
    """It ends with its block, whatever ended that, and leaves no thread."""
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError), Emulator():
        raise ZeroDivisionError

    assert set() == set(threading.enumerate()) - before


def test_logging():
    """How the program logs is the program's business."""
    before = [logging.getLogger(name).handlers[:] for name in ("", "uvicorn", "uvicorn.error")]
    with Emulator() as emulator:
        httpx.get(emulator.url, trust_env=False)

    assert before == [logging.getLogger(name).handlers for name in ("", "uvicorn", "uvicorn.error")]


def test_many_at_once(emulator):
    """Many ask at the same time, and none waits for another: the last is answered while the others never are."""
    emulator.script("m-1", *[Answer(delay=3600)] * 99, Answer(200, "at once"))
    connections = [http.client.HTTPConnection(emulator.url.removeprefix("http://")) for _ in range(100)]
    for number, connection in enumerate(connections, 1):
        connection.request("GET", STATUS, headers=HEADERS)
        while len(emulator.requests) < number:
            time.sleep(0.001)

    assert connections[-1].getresponse().read() == b"at once"
    for connection in connections:
        connection.close()
