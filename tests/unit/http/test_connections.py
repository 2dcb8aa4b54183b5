"""What connections are made of what the environment says, and how they are closed, where no socket is opened."""

import asyncio
from contextlib import suppress

import httpcore
import httpx
import pytest
from harness.simulated import simulate

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http.connections import make_connector
from nugen_pulumi.http.pool import Pool
from nugen_pulumi.settings import Settings


def test_closing_is_waited_for_and_what_has_been_closed_is_forgotten():
    class Slow(httpx.AsyncBaseTransport):
        closed = False

        async def handle_async_request(self, request):
            raise httpcore.ReadError("reset")

        async def aclose(self):
            await asyncio.sleep(1)
            self.closed = True

    async def main():
        pool = Pool(Settings("k", "https://api.test"), transport=(connection := Slow()))
        with suppress(httpcore.ReadError):
            await pool.request("GET", "/", bytes, lambda _: None)
        await pool.aclose()
        return connection.closed, len(pool._closing)

    assert ((True, 0), 1) == simulate(main)


def test_a_socket_is_closed_in_the_middle_of_a_handshake(monkeypatch):
    """By a network of our own: Python 3.11 traces no line that follows a real connect, so coverage depended on luck."""

    class Stalling(httpcore.AsyncNetworkBackend, httpcore.AsyncNetworkStream):
        closed = 0

        async def connect_tcp(self, *_, **__):
            return self

        async def start_tls(self, *_, **__):
            await asyncio.sleep(60)

        async def aclose(self):
            self.closed += 1

    monkeypatch.setattr(httpcore, "AnyIOBackend", lambda: network)
    network, settings = Stalling(), Settings("k", "https://api.test")

    async def main():
        connection = make_connector(settings)[0]()
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.handle_async_request(httpx.Request("GET", "https://api.test/")), 1)
        stalled = network.closed
        await connection.aclose()
        return stalled, network.closed

    assert ((0, 1), 1) == simulate(main)


@pytest.mark.parametrize("url", ["https://xn--a", "https://a.test/" + "x" * 70_000])
def test_a_host_that_cannot_be_one_is_a_settings_error(url):
    with pytest.raises(SettingsError, match=r"^nugen:baseUrl is not a URL: .+\.$"):
        make_connector(Settings("k", url, "nugen:baseUrl"))


def test_a_proxy_in_front_of_an_ipv6_address_is_an_error_of_the_settings(monkeypatch):
    """Our HTTP library would ask it for the address without its brackets."""
    monkeypatch.setenv("https_proxy", "http://proxy.test:1")

    with pytest.raises(SettingsError, match="has an IPv6 address, which cannot be reached through the proxy of HTTPS_"):
        make_connector(Settings("k", "https://[::1]:9110", "nugen:baseUrl"))


@pytest.mark.parametrize(
    ("url", "no_proxy", "used"),
    [
        ("http://127.0.0.1:1", "", False),
        ("https://127.0.0.1:1", "", True),
        ("https://api.test", "other.test,.test", False),
        ("https://api.test", "api.test:443", False),
        ("https://api.test:8443", "api.test:443", True),
    ],
)
def test_the_environments_proxy_is_used_but_never_for_plain_http(monkeypatch, url, no_proxy, used):
    """Plain http, which is for loopback, would show it the key."""
    monkeypatch.setenv("http_proxy", "http://proxy.test:1")
    monkeypatch.setenv("https_proxy", "http://proxy.test:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    _, route = make_connector(Settings("k", url))

    assert used == (route.proxy is not None)
