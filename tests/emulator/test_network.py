import socket
import ssl
import time
from collections import Counter

import httpx
import pytest
import trustme
from harness import KEY, Clock, until

from nugen_pulumi.emulator import Answer, Delivery, Emulator, catalogue, faults
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.emulator.network import Limit

MODEL = "/api/v3/models/undeploy-model/m-1"
STATUS = MODEL + "/status"


def client(emulator, **how):
    return httpx.Client(base_url=emulator.url, headers={"Authorization": "Bearer k"}, trust_env=False, **how)


def admitted(limit, clock, count, every):
    """Return how many of *count* requests pass."""
    passed = 0
    for _ in range(count):
        passed += limit.admits()
        clock.time += every
    return passed


def test_a_limit_admits_its_rate():
    clock = Clock()

    assert 50 == pytest.approx(admitted(Limit(50, 1, clock), clock, 1000, 0.001), abs=2)


def test_a_limit_admits_its_burst_once_and_again_after_a_pause():
    clock = Clock()
    limit = Limit(10, 5, clock)

    assert 5 == admitted(limit, clock, 20, 0)
    clock.time += 60
    assert 5 == admitted(limit, clock, 20, 0)


def test_without_a_rate_there_is_no_limit():
    assert 1000 == admitted(Limit(None, 1), Clock(), 1000, 0)


@pytest.mark.parametrize(
    "given",
    [{"rate": 0}, {"rate": float("nan")}, {"burst": 0}, {"refuse": 500}, {"latency": -1}, {"latency": float("nan")}],
)
def test_what_cannot_be_is_refused(given):
    with pytest.raises(ValueError, match="not "):
        Emulator(**given)


@pytest.mark.parametrize("refuse", [429, 503])
def test_requests_beyond_the_limit_do_not_reach_the_api(refuse):
    with Emulator(rate=0.001, burst=2, refuse=refuse) as emulator, client(emulator) as api:
        emulator.add("m-1")
        codes = [api.delete(MODEL).status_code, api.get(STATUS).status_code, api.get(STATUS).status_code]

        assert [200, 200, refuse] == codes
        assert [("DELETE", MODEL), ("GET", STATUS)] == emulator.requests
        assert [("GET", STATUS)] == emulator.stopped
        emulator.reset()
        assert [] == emulator.stopped


def test_latency_is_there_and_back():
    with Emulator(latency=0.1) as emulator, client(emulator) as api:
        emulator.script("m-1", "PENDING")
        begun = time.monotonic()

        assert 200 == api.get(STATUS).status_code
        assert 0.1 <= time.monotonic() - begun, "a lower bound, which no slow machine can break"


def test_a_used_connection_is_closed_when_the_next_request_arrives():
    with Emulator(drop_used=True) as emulator, client(emulator) as api:
        emulator.add("m-1")

        assert 200 == api.get(STATUS).status_code
        with pytest.raises(httpx.TransportError):
            api.delete(MODEL)
        assert 200 == api.get(STATUS).status_code
        assert Counter(GET=2) == Counter(method for method, _ in emulator.requests)
        assert [("DELETE", MODEL)] == emulator.stopped


def test_it_speaks_tls_and_damages_it():
    authority = trustme.CA()
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(trusting)
    with Emulator(tls=server) as emulator, client(emulator, verify=trusting) as api:
        emulator.script("m-1", "PENDING", faults.damaged(), "COMPLETED")

        assert emulator.url.startswith("https://127.0.0.1:")
        assert "PENDING" == api.get(STATUS).json()["status"]
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            api.get(STATUS)
        assert "COMPLETED" == api.get(STATUS).json()["status"]


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


@pytest.mark.parametrize("element", [Answer(delay=3600), faults.hang(), faults.drip()], ids=["late", "hang", "drip"])
@pytest.mark.timeout(30)
def test_ends_amid_answer(caplog, element):
    """An answer that would take long does not keep the emulator from its end, of which uvicorn says nothing."""
    with Emulator() as emulator, socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))) as client:
        emulator.script("m-1", element)
        client.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        until(lambda: emulator.requests)

    emulator.verify()
    assert [] == caplog.records
