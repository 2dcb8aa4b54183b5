import contextlib
import gc
import http.client
import logging
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

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


def test_port_taken():
    """A port that is taken is an error where the emulator is started."""
    with Emulator() as emulator:
        port = int(emulator.url.rsplit(":", 1)[1])

        with pytest.raises(OSError, match="in use"):
            Emulator(port=port).__enter__()


def test_any_model():
    """Every model may exist, with the pace that was asked for."""
    with Emulator(models="any", undeploy_seconds=0) as emulator:
        client = httpx.Client(base_url=emulator.url, headers=HEADERS, trust_env=False)
        with client:
            deleted = client.delete("/api/v3/models/undeploy-model/m-1")
            status = client.get(STATUS)

    assert (200, "COMPLETED") == (deleted.status_code, status.json()["status"])


def test_unknown_models():
    """Which models exist is one of two words."""
    with pytest.raises(KeyError, match="all"):
        Emulator(models="all")


def test_ends_without_its_late_answers(caplog):
    """An answer that is not due yet does not keep it, and nothing is said about that."""
    with Emulator(api_key=KEY) as emulator:
        emulator.script("m-1", Answer(delay=3600))
        connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"))
        connection.request("GET", STATUS, headers=HEADERS)
        while not emulator.requests:
            time.sleep(0.001)

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
    assert [] == caplog.records


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


def test_questions_from_many_threads(emulator, api):
    """Scripts, models and the record may be used while requests come in."""
    emulator.add("m-1")

    def ask(number):
        emulator.add(f"m-{number}", state="UNDEPLOYED")
        return api.get(f"/api/v3/models/undeploy-model/m-{number}/status").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    assert [200] * 40 == answers
    assert 40 == len(emulator.requests)
