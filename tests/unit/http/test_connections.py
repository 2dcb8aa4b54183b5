"""What connections are made of what the environment says, and how they are closed, where no socket is opened."""

import asyncio
import re
import ssl
from contextlib import suppress

import httpx
import pytest
import trustme
import truststore
from harness.simulated import simulate

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http import connections
from nugen_pulumi.http.connections import certificates, make_connector
from nugen_pulumi.http.pool import Pool
from nugen_pulumi.settings import Settings


def test_closing_is_waited_for_and_what_has_been_closed_is_forgotten():
    class Slow(httpx.AsyncBaseTransport):
        closed = False

        async def handle_async_request(self, request):
            raise httpx.ReadError("reset")

        async def aclose(self):
            await asyncio.sleep(1)
            self.closed = True

    async def main():
        pool = Pool(Settings("k", "https://api.test"), transport=(connection := Slow()))
        with suppress(httpx.ReadError):
            await pool.request("GET", "/", bytes, lambda _: None)
        await pool.aclose()
        return connection.closed, len(pool._closing)

    assert ((True, 0), 1) == simulate(main)


@pytest.mark.parametrize("url", ["https://xn--a", "https://a.test/" + "x" * 70_000])
def test_a_host_that_cannot_be_one_is_a_settings_error(url):
    with pytest.raises(SettingsError, match=r"^nugen:baseUrl is not a URL: .+\.$"):
        make_connector(Settings("k", url, "nugen:baseUrl"))


@pytest.mark.parametrize("value", ["/nowhere.pem", __file__])
def test_a_certificate_file_that_cannot_be_used_is_named_with_its_path(monkeypatch, value):
    monkeypatch.setenv("SSL_CERT_FILE", value)

    with pytest.raises(SettingsError, match=re.escape(f"SSL_CERT_FILE={value} contains no readable certificates")):
        make_connector(Settings("k", "https://api.test", "nugen:baseUrl"))


@pytest.fixture
def _unnamed(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def system(monkeypatch, tmp_path):
    """The system's certificates are where a test says, and nowhere else."""

    def keep(file=None, folder=None):
        paths = ssl.DefaultVerifyPaths(file, folder, "", "", "", "")
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
        monkeypatch.setattr(connections, "_BUNDLES", (str(tmp_path / "bundle.pem"),))

    return keep


SYSTEM = "the certificate store of the system"


def test_what_the_environment_names_is_trusted_before_the_systems(monkeypatch, tmp_path, system):
    system(folder=str(tmp_path))
    monkeypatch.setenv("SSL_CERT_DIR", "/certificates")
    assert "SSL_CERT_DIR=/certificates" == certificates()[1]

    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert f"SSL_CERT_FILE={tmp_path}/ca.pem" == certificates()[1]


@pytest.mark.usefixtures("_unnamed")
def test_a_systems_certificates_that_cannot_be_read_are_called_so(system, tmp_path):
    (tmp_path / "bundle.pem").write_text("nothing")
    system()

    with pytest.raises(SettingsError, match=r"^The certificate store of the system contains no readable cert"):
        make_connector(Settings("k", "https://api.test", "nugen:baseUrl"))


@pytest.mark.usefixtures("_unnamed")
def test_certifis_list_is_for_systems_that_have_none(system, tmp_path):
    """A folder whose files are not called by their hashes is none that OpenSSL finds anything in."""
    (tmp_path / "ca.pem").touch()
    system(folder=str(tmp_path))
    context, store = certificates()

    assert "certifi's certificates (the system has none)" == store
    assert len(context.get_ca_certs()) > 50


@pytest.mark.usefixtures("_unnamed")
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_are_asked_themselves(monkeypatch, platform):
    monkeypatch.setattr("sys.platform", platform)
    context, store = certificates()

    assert (truststore.SSLContext, SYSTEM) == (type(context), store)


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
