"""A limit, a distance, and connections that are cut."""

import ssl
import time
from collections import Counter

import httpx
import pytest
import trustme

from nugen_pulumi.emulator import Emulator, faults
from nugen_pulumi.emulator.gate import Limit

MODEL = "/api/v3/models/undeploy-model/m-1"
STATUS = MODEL + "/status"
NAN = float("nan")


def client(emulator, **how):
    return httpx.Client(base_url=emulator.url, headers={"Authorization": "Bearer k"}, trust_env=False, **how)


class Clock:
    """A clock that stands still."""

    now = 1000.0

    def __call__(self):
        return self.now


def admitted(limit, clock, count, every):
    """Return how many of *count* requests pass."""
    passed = 0
    for _ in range(count):
        passed += limit.admits()
        clock.now += every
    return passed


def test_a_limit_admits_its_rate():
    clock = Clock()

    assert 50 == pytest.approx(admitted(Limit(50, 1, clock), clock, 1000, 0.001), abs=2)


def test_a_limit_admits_its_burst_once_and_again_after_a_pause():
    clock = Clock()
    limit = Limit(10, 5, clock)

    assert 5 == admitted(limit, clock, 20, 0)
    clock.now += 60
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


@pytest.fixture(scope="module")
def tls():
    """A server's and a client's context."""
    authority = trustme.CA()
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(trusting)
    return server, trusting


def test_it_speaks_tls_and_damages_it(tls):
    server, trusting = tls
    with Emulator(tls=server) as emulator, client(emulator, verify=trusting) as api:
        emulator.script("m-1", "PENDING", faults.damaged(), "COMPLETED")

        assert emulator.url.startswith("https://127.0.0.1:")
        assert "PENDING" == api.get(STATUS).json()["status"]
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            api.get(STATUS)
        assert "COMPLETED" == api.get(STATUS).json()["status"]
