"""Each fault that needs the connection is seen by a client as what it claims to be."""

import socket

import httpx
import pytest
from harness import KEY, until

from nugen_pulumi.emulator import Delivery, Emulator, catalogue, faults
from nugen_pulumi.emulator.faults import FAULTS

MODEL = "/api/v3/models/undeploy-model/m-1"
STATUS = MODEL + "/status"
RIGHT = catalogue.pending().answer("m-1")

# name: the error, and what it says
BROKEN = {
    "damaged": (httpx.RemoteProtocolError, "illegal request line"),
    "drip": (httpx.ReadTimeout, "timed out"),
    "drop": (httpx.RemoteProtocolError, "disconnected without sending a response"),
    "garbage": (httpx.RemoteProtocolError, "illegal status line"),
    "half": (httpx.RemoteProtocolError, r"complete message body \(received 56 bytes, expected 112\)"),
    "hang": (httpx.ReadTimeout, "timed out"),
    "reset": (httpx.ReadError, "reset by peer"),
}


def test_all_are_seen():
    """There is a test for each fault that ends a connection."""
    whole = (Delivery.WHOLE, Delivery.TWICE)
    ends = {n for n, fault in FAULTS.items() if n != "flapping" and fault().spoil(RIGHT).delivery not in whole}

    assert ends == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_broken(emulator, api, caplog, name):
    """Some faults end a request badly, and only that; uvicorn does not take them for mistakes."""
    emulator.script("m-1", FAULTS[name](), "COMPLETED")

    error, says = BROKEN[name]
    with pytest.raises(error, match=says):
        api.get(STATUS, timeout=httpx.Timeout(30, read=0.1 if error is httpx.ReadTimeout else 30))
    assert "COMPLETED" == api.get(STATUS).json()["status"]
    assert [] == caplog.records


def test_twice(emulator):
    """The second one is there before the next request, and would be taken for its answer."""
    emulator.script("m-1", faults.twice())
    with socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        received = b""
        while received.count(b"PENDING") < 2:
            received += connection.recv(4096)

    assert 2 == received.count(b"HTTP/1.1 200")


def test_hang_ends(emulator, api):
    """A outage ends with the connection."""
    emulator.script("m-1", faults.hang(0.05))

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        api.get(STATUS)


def test_drip_begins(emulator, api):
    """However slow the body is, status and headers come at once."""
    emulator.script("m-1", faults.drip(60))
    with api.stream("GET", STATUS) as response:
        assert 200 == response.status_code


def test_drip(emulator, api):
    """The body comes byte by byte until the client has enough."""
    emulator.script("m-1", faults.drip(0.05))
    with api.stream("GET", STATUS) as response:
        first = next(response.iter_raw())

    assert (200, str(len(RIGHT.content))) == (response.status_code, response.headers["content-length"])
    assert RIGHT.content.startswith(first)
    assert len(RIGHT.content) > len(first)


def test_drip_ends(emulator, api):
    """Whoever is patient gets all of it, then the connection is closed."""
    emulator.script("m-1", faults.drip(0.0), "COMPLETED")
    response = api.get(STATUS)

    assert (RIGHT.body, "close") == (response.json(), response.headers["connection"])
    assert "COMPLETED" == api.get(STATUS).json()["status"]


@pytest.mark.parametrize("fault", [faults.hang(), faults.drip()], ids=lambda fault: fault.name)
@pytest.mark.timeout(30)
def test_ends_amid_fault(caplog, fault):
    """A fault that would go on for long does not keep the emulator from its end, of which uvicorn says nothing."""
    with Emulator() as emulator, socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))) as client:
        emulator.script("m-1", fault)
        client.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        until(lambda: emulator.requests)

    emulator.verify()
    assert [] == caplog.records


def test_lost_answer(emulator, api):
    """A DELETE whose answer is lost may have been carried out, or not."""
    emulator.add("m-1", undeploy_seconds=60)
    emulator.script_undeploy("m-1", faults.reset(), faults.reset(carried_out=True))
    words = []
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            api.delete(MODEL)
        words.append(api.get(STATUS).json()["status"])

    assert ["FAILED", "PENDING"] == words
    assert 400 == api.delete(MODEL).status_code
