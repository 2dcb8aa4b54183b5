"""What connections are made of what the environment says."""

import pytest

from nugen_pulumi.connections import make_connections
from nugen_pulumi.errors import SettingsError
from nugen_pulumi.settings import Settings


@pytest.mark.parametrize("url", ["https://xn--a", "https://a.test/" + "x" * 70_000])
def test_a_host_that_cannot_be_one_is_a_settings_error(url):
    with pytest.raises(SettingsError, match="nugen:baseUrl is not a URL"):
        make_connections(Settings("k", url, "nugen:baseUrl"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://proxy.test"),
        ("HTTPS_PROXY", "ftp://proxy.test"),
        ("HTTPS_PROXY", "http://proxy.test:80a"),
        ("SSL_CERT_FILE", "/nowhere.pem"),
        ("SSL_CERT_FILE", __file__),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"The proxies or certificates that the environment names .*{name}"):
        make_connections(Settings("k", "https://api.test", "nugen:baseUrl"))


@pytest.mark.parametrize(
    ("url", "no_proxy", "pool"),
    [
        ("http://127.0.0.1:1", "", "AsyncConnectionPool"),
        ("https://127.0.0.1:1", "", "AsyncHTTPProxy"),
        ("https://api.test", "", "AsyncHTTPProxy"),
        ("https://api.test", "other.test,.test", "AsyncConnectionPool"),
    ],
)
def test_the_environments_proxy_is_used_but_never_for_plain_http(monkeypatch, url, no_proxy, pool):
    """Plain http, which is for loopback, would show it the key."""
    monkeypatch.setenv("http_proxy", "http://proxy.test:1")
    monkeypatch.setenv("https_proxy", "http://proxy.test:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    made = make_connections(Settings("k", url, max_concurrent_requests=3))

    assert [pool] * 3 == [type(connection._pool).__name__ for connection in made]
