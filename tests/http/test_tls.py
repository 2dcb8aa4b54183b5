"""Certificates, over real TLS: always verified, with a private CA if one is named. And a proxy in front of them."""

import base64
import datetime as dt
import ipaddress
import ssl
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness import KEY
from harness.api import run

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.emulator import Emulator
from nugen_pulumi.errors import RejectedError, UnavailableError
from nugen_pulumi.settings import Settings


def poll(url):
    async def main():
        client = NugenClient(Settings(KEY, url, "nugen:baseUrl"))
        try:
            return await client.status("m", within=20)
        finally:
            await client.aclose()

    return run(main)


@pytest.mark.usefixtures("_unnamed")
@pytest.mark.parametrize("platform", [sys.platform, "darwin"])
def test_a_certificate_of_an_unknown_authority_is_refused_at_once(private, monkeypatch, platform):
    """By the context that asks Windows and macOS, too."""
    monkeypatch.setattr("sys.platform", platform)

    with pytest.raises(RejectedError) as caught:
        poll(private.url)
    assert str(caught.value).startswith(
        f"The certificate of {private.url} (from nugen:baseUrl) is not trusted by the certificate store of the system:"
        " add a private CA there, or set SSL_CERT_FILE to its file ("
    )


@pytest.mark.usefixtures("_unnamed")
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its store belongs to the user")
def test_an_authority_that_the_system_trusts_is_trusted(private, authority, tmp_path, monkeypatch):
    """As a company installs it, and as the Pulumi CLI believes it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    paths = ssl.DefaultVerifyPaths(str(tmp_path / "ca.pem"), None, "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    assert "FAILED" == poll(private.url).status


def signed(key, subject, issuer, issuer_key, extension, *, critical):
    """Return a certificate with one extension."""
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(*reversed(names), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    return builder.add_extension(extension, critical=critical).sign(issuer_key, hashes.SHA256())


def test_an_authority_that_is_not_strict_about_rfc_5280_is_trusted_by_every_python(tmp_path, monkeypatch):
    """Its basicConstraints are not critical, as in some companies. From 3.13 on Python refuses it by default."""
    key, its_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = signed(key, "Lax", "Lax", key, x509.BasicConstraints(ca=True, path_length=None), critical=False)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = signed(its_key, "api", "Lax", key, loopback, critical=False)
    pem = serialization.Encoding.PEM
    (tmp_path / "ca.pem").write_bytes(ca.public_bytes(pem))
    (tmp_path / "api.pem").write_bytes(
        its_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "api.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    with Emulator(models="any", api_key=KEY, tls=context) as emulator:
        assert "FAILED" == poll(emulator.url).status


@pytest.mark.usefixtures("_trusted")
def test_a_private_authority_is_named_by_ssl_cert_file(private):
    assert "FAILED" == poll(private.url).status


@pytest.mark.usefixtures("_trusted")
def test_a_certificate_for_another_host_is_refused(private):
    with pytest.raises(RejectedError, match="belongs to another host: check the base URL"):
        poll(private.url.replace("127.0.0.1", "localhost"))


@pytest.mark.usefixtures("_trusted")
def test_a_proxy_is_shown_its_password_and_never_the_key(private, proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://user:secret@127.0.0.1:{proxy.server_port}")

    assert "FAILED" == poll(private.url).status
    [(path, headers)] = proxy.asked
    assert private.url == f"https://{path}"
    assert "Basic dXNlcjpzZWNyZXQ=" == headers["Proxy-Authorization"]
    assert KEY not in str(headers)


@pytest.mark.usefixtures("_trusted")
def test_a_proxys_password_is_sent_in_utf_8(private, proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://user:p%C3%9F@127.0.0.1:{proxy.server_port}")

    assert "FAILED" == poll(private.url).status
    [(_, headers)] = proxy.asked
    assert f"Basic {base64.b64encode('user:pß'.encode()).decode()}" == headers["Proxy-Authorization"]


@pytest.mark.usefixtures("_trusted")
def test_a_proxy_that_refuses_the_password_is_asked_once(private, proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://user:wrong@127.0.0.1:{proxy.server_port}")
    proxy.refuses = 407

    with pytest.raises(RejectedError, match=r"^The proxy http://127\.0\.0\.1:\d+ \(from HTTPS_PROXY\) does not accept"):
        poll(private.url)
    assert 1 == len(proxy.asked)


@pytest.mark.usefixtures("_trusted")
def test_a_proxy_may_be_spoken_to_over_tls(private, tls_proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{tls_proxy.server_port}")

    assert "FAILED" == poll(private.url).status


def test_what_is_wrong_with_a_proxy_is_not_said_of_the_api(private, proxy, tls_proxy, monkeypatch):
    plain, encrypted = f"127.0.0.1:{proxy.server_port}", f"127.0.0.1:{tls_proxy.server_port}"
    said = {}
    for url in (f"https://{plain}", f"https://{encrypted}", f"http://{encrypted}"):
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises((RejectedError, UnavailableError)) as caught:
            poll(private.url)
        said[url] = str(caught.value)
        assert not getattr(caught.value, "sent", False)

    where = {url: f"the proxy {url} (from HTTPS_PROXY)" for url in said}
    wrong_scheme, untrusted, garbage = said
    assert f"{where[wrong_scheme]} speaks plain http on this port, not https: check it" == said[wrong_scheme]
    assert said[untrusted].startswith(f"The certificate of {where[untrusted]} is not trusted by ")
    assert said[garbage].startswith("cannot connect (")
    assert said[garbage].endswith(f") through {where[garbage]}")


def test_what_is_wrong_with_the_api_behind_a_proxy_is_not_said_of_the_proxy(private, proxy, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")

    with pytest.raises(RejectedError, match=f"^The certificate of {private.url} "):
        poll(private.url)
