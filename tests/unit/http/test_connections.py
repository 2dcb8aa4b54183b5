"""What connections are made of what the environment says, and what goes over them where no socket is opened."""

import asyncio
from pathlib import Path

import httpcore
import httpx
import pytest
from harness.api import body
from harness.simulated import simulate

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.errors import MisdirectedError, NugenError, SettingsError, UnavailableError
from nugen_pulumi.http.connections import make_connector
from nugen_pulumi.http.pool import Pool
from nugen_pulumi.settings import Settings

POLL, DELETE = "status", "start"


class Stream(httpcore.AsyncMockStream):
    """A server's side of one connection. Closing it takes a second."""

    def __init__(self, answers):
        super().__init__(answers)
        self.sent = b""
        self.closed = self.readable = False

    async def read(self, max_bytes, timeout=None):
        if not self._buffer:
            await asyncio.sleep(3600)
        return await super().read(max_bytes, timeout)

    async def write(self, buffer, timeout=None):
        self.sent += buffer

    async def aclose(self):
        await asyncio.sleep(1)
        self.closed = True

    def get_extra_info(self, info):
        return self.readable if info == "is_readable" else super().get_extra_info(info)

    @property
    def methods(self):
        return [line.split()[0].decode() for line in self.sent.split(b"\r\n") if line.endswith(b" HTTP/1.1")]


class Network(httpcore.AsyncNetworkBackend):
    """Each connection answers with the next script; `reached` and `streams` tell which ones there were."""

    def __init__(self, *scripts):
        self._scripts = list(scripts)
        self.reached = []
        self.streams = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.reached.append((host, port))
        self.streams.append(Stream(list(self._scripts[len(self.streams)])))
        return self.streams[-1]


def whole(status="PENDING", **fields):
    """Return a documented response as a server writes it."""
    content = body(status, **fields).content
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


@pytest.fixture
def send(monkeypatch):
    """Have a client send requests, each a method and an id, or call what is none; return what came of each."""

    def over(network, *steps, url="http://127.0.0.1:8787"):
        monkeypatch.setattr("httpcore.AnyIOBackend", lambda: network)
        outcomes = []

        async def main():
            client = NugenClient(Settings("key-for-tests", url))
            for step in steps:
                if callable(step):
                    step()
                    continue
                method, _, model_id = step.partition(" ")
                try:
                    outcomes.append(await getattr(client, method)(model_id or "m", within=100))
                except NugenError as exc:
                    outcomes.append(exc)
            await client.aclose()

        simulate(main)
        return outcomes

    return over


def test_a_request_is_written_and_its_response_read(send):
    network = Network([whole("COMPLETED")])
    [status] = send(network, POLL)

    assert "COMPLETED" == status.status
    assert [("127.0.0.1", 8787)] == network.reached
    assert network.streams[0].sent.startswith(
        b"GET /api/v3/models/undeploy-model/m/status HTTP/1.1\r\nHost: 127.0.0.1:8787\r\n"
    )


def test_a_connection_is_used_again_by_polls_and_closed_at_the_end(send):
    network = Network([whole(), whole()])
    send(network, POLL, POLL)

    assert [["GET", "GET"]] == [stream.methods for stream in network.streams]
    assert network.streams[0].closed


def test_a_delete_goes_over_a_new_connection_and_the_used_one_is_closed(send):
    """The polls after it go over its connection."""
    network = Network([whole()], [whole(), whole()])
    send(network, POLL, DELETE, POLL)

    assert [["GET"], ["DELETE", "GET"]] == [stream.methods for stream in network.streams]
    assert [True, True] == [stream.closed for stream in network.streams]


def test_a_connection_that_the_server_has_closed_meanwhile_is_opened_anew(send):
    network = Network([whole()], [whole("COMPLETED")])
    outcomes = send(network, POLL, lambda: setattr(network.streams[0], "readable", True), POLL)

    assert ["PENDING", "COMPLETED"] == [status.status for status in outcomes]
    assert [["GET"], ["GET"]] == [stream.methods for stream in network.streams]


@pytest.mark.parametrize("more", [whole("COMPLETED"), b"x"])
def test_what_follows_a_response_is_not_taken_for_the_next(send, more):
    network = Network([whole() + more], [whole("FAILED")])
    outcomes = send(network, POLL, POLL)

    assert ["PENDING", "FAILED"] == [status.status for status in outcomes]
    assert [True, True] == [stream.closed for stream in network.streams]


def test_a_delete_may_go_over_a_connection_that_was_closed_after_its_last_response(send):
    """It is opened anew, and so no server is about to close it."""
    network = Network([whole() + b"x"], [whole()])
    send(network, POLL, DELETE)

    assert [["GET"], ["DELETE"]] == [stream.methods for stream in network.streams]


def test_after_a_request_that_was_cut_the_connection_is_closed(send):
    network = Network([], [whole()])
    cut, status = send(network, POLL, POLL)

    assert UnavailableError is type(cut)
    assert "PENDING" == status.status
    assert [True, True] == [stream.closed for stream in network.streams]


def test_nothing_more_is_believed_of_a_connection_that_brought_the_response_to_another_request(send):
    network = Network([whole(), whole()], [whole()])
    outcomes = send(network, f"{POLL} m", f"{POLL} other", POLL)

    assert MisdirectedError is type(outcomes[1])
    assert [["GET", "GET"], ["GET"]] == [stream.methods for stream in network.streams]
    assert [True, True] == [stream.closed for stream in network.streams]


def test_what_has_been_closed_is_forgotten():
    async def main():
        pool = Pool(Settings("k", "https://api.test"), transport=httpx.AsyncBaseTransport())
        pool._discard(httpx.AsyncBaseTransport())
        closing = len(pool._closing)
        await asyncio.sleep(1)
        return closing, len(pool._closing)

    assert (1, 0) == simulate(main)[0]


def test_a_connection_that_was_just_made_has_carried_no_request():
    connect, _ = make_connector(Settings("k", "http://127.0.0.1:1"))

    assert not connect().used


def test_a_proxy_is_shown_its_password_and_never_the_key(send, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.test:3128")
    network = Network([b"HTTP/1.1 200 OK\r\n\r\n", whole("COMPLETED")])
    [status] = send(network, POLL, url="https://api.test")
    tunnel, request = network.streams[0].sent.split(b"GET ")

    assert "COMPLETED" == status.status
    assert [("proxy.test", 3128)] == network.reached
    assert tunnel.startswith(b"CONNECT api.test:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in tunnel
    assert b"key-for-tests" not in tunnel
    assert b"Bearer key-for-tests" in request


@pytest.mark.parametrize("url", ["https://xn--a", "https://a.test/" + "x" * 70_000])
def test_a_host_that_cannot_be_one_is_a_settings_error(url):
    with pytest.raises(SettingsError, match=r"^nugen:baseUrl is not a URL: .+\.$"):
        make_connector(Settings("k", url, "nugen:baseUrl"))


@pytest.mark.parametrize("value", ["/nowhere.pem", __file__])
def test_a_certificate_file_that_cannot_be_used_is_named_with_its_path(monkeypatch, value):
    monkeypatch.setenv("SSL_CERT_FILE", value)

    with pytest.raises(SettingsError, match=f"SSL_CERT_FILE={value} contains no readable certificates"):
        make_connector(Settings("k", "https://api.test", "nugen:baseUrl"))


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        ({"SSL_CERT_DIR": "/certificates"}, "SSL_CERT_DIR=/certificates"),
        ({"SSL_CERT_DIR": "/certificates", "SSL_CERT_FILE": "/a.pem"}, "SSL_CERT_FILE=/a.pem"),
    ],
)
def test_certificates_that_cannot_be_used_are_those_that_httpx_reads(monkeypatch, environ, source):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("httpx.create_ssl_context", Path("/nowhere.pem").open)

    with pytest.raises(SettingsError, match=f"^{source} contains no readable certificates"):
        make_connector(Settings("k", "https://api.test", "nugen:baseUrl"))


def test_certificates_that_nobody_named_are_the_systems(monkeypatch):
    monkeypatch.setattr("httpx.create_ssl_context", Path("/nowhere.pem").open)

    with pytest.raises(SettingsError, match="The certificate store of the system contains no readable certificates"):
        make_connector(Settings("k", "https://api.test", "nugen:baseUrl"))


@pytest.mark.parametrize(
    ("url", "no_proxy", "pool"),
    [
        ("http://127.0.0.1:1", "", "AsyncConnectionPool"),
        ("https://127.0.0.1:1", "", "AsyncHTTPProxy"),
        ("https://api.test", "", "AsyncHTTPProxy"),
        ("https://api.test", "other.test,.test", "AsyncConnectionPool"),
        ("https://api.test", "api.test:443", "AsyncConnectionPool"),
        ("https://api.test:8443", "api.test:443", "AsyncHTTPProxy"),
    ],
)
def test_the_environments_proxy_is_used_but_never_for_plain_http(monkeypatch, url, no_proxy, pool):
    """Plain http, which is for loopback, would show it the key."""
    monkeypatch.setenv("http_proxy", "http://proxy.test:1")
    monkeypatch.setenv("https_proxy", "http://proxy.test:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    connect, proxy = make_connector(Settings("k", url))

    assert pool == type(connect()._pool).__name__
    assert (pool == "AsyncHTTPProxy") == (proxy is not None)
