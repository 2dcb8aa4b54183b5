"""Certificates, over real TLS: always verified, with a private CA if one is named. And a proxy in front of them."""

import pytest
from harness import KEY
from harness.api import run

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.errors import RejectedError
from nugen_pulumi.settings import Settings


def poll(url):
    async def main():
        client = NugenClient(Settings(KEY, url, "nugen:baseUrl"))
        try:
            return await client.status("m", within=20)
        finally:
            await client.aclose()

    return run(main)


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(private):
    with pytest.raises(RejectedError) as caught:
        poll(private.url)
    assert str(caught.value).startswith(f"The certificate of {private.url} (from nugen:baseUrl) is not trusted: ")
    assert "for a private CA, set SSL_CERT_FILE to its file (" in str(caught.value)


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
