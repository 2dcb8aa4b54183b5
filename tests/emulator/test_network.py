"""What lies between the clients and the API. The faults that end a connection are in test_faults.py."""

import socket
import ssl
import time
from collections import Counter

import httpx
import pytest
import trustme
from harness import KEY, Clock, until

from nugen_pulumi.emulator import Answer, Emulator, faults
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
    assert 1000 == admitted(Limit(None, 1), Clock(), 1000, 0), "without a rate there is no limit"


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


@pytest.mark.parametrize("element", [Answer(delay=3600), faults.hang(), faults.drip()], ids=["late", "hang", "drip"])
@pytest.mark.timeout(30)
def test_an_answer_that_would_take_long_does_not_keep_the_emulator_from_its_end(caplog, element):
    with Emulator() as emulator, socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))) as client:
        emulator.script("m-1", element)
        client.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        until(lambda: emulator.requests)

    emulator.verify()
    assert [] == caplog.records
