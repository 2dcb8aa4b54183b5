"""What connections are made of what the environment says."""

from pathlib import Path

import pytest

from nugen_pulumi.connections import make_connector
from nugen_pulumi.errors import SettingsError
from nugen_pulumi.settings import Settings


@pytest.mark.parametrize("url", ["https://xn--a", "https://a.test/" + "x" * 70_000])
def test_a_host_that_cannot_be_one_is_a_settings_error(url):
    with pytest.raises(SettingsError, match="nugen:baseUrl is not a URL"):
        make_connector(Settings("k", url, "nugen:baseUrl"))


@pytest.mark.parametrize("value", ["/nowhere.pem", __file__])
def test_a_certificate_file_that_cannot_be_used_is_named_with_its_path(monkeypatch, value):
    monkeypatch.setenv("SSL_CERT_FILE", value)

    with pytest.raises(SettingsError, match=f"SSL_CERT_FILE={value} contains no readable certificates"):
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
