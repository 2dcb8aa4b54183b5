"""Certificates, over real TLS: always verified, with a private CA if one is named."""

import asyncio
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.errors import RejectedError
from nugen_pulumi.settings import Settings


class Completed(BaseHTTPRequestHandler):
    """Answers every status request with COMPLETED."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"model_id":"m","status":"COMPLETED"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def authority():
    """A private CA."""
    return trustme.CA()


@pytest.fixture
def api(authority):
    """An API over TLS on loopback, with a certificate of the private CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completed)
    server.handle_error = lambda *_: None  # a client that refuses the certificate is what is tested
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def poll(url):
    async def main():
        client = NugenClient(Settings("k", url, "nugen:baseUrl"))
        try:
            return await client.status("m", within=20)
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(api):
    with pytest.raises(RejectedError) as caught:
        poll(api)
    assert str(caught.value).startswith(f"The certificate of {api} (from nugen:baseUrl) is not trusted: ")
    assert "for a private CA, set SSL_CERT_FILE to its file (" in str(caught.value)


def test_a_private_authority_is_named_by_ssl_cert_file(api, authority, tmp_path, monkeypatch):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    assert poll(api).reached


def test_a_certificate_for_another_host_is_refused(api, authority, tmp_path, monkeypatch):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    with pytest.raises(RejectedError, match="belongs to another host: check the base URL"):
        poll(api.replace("127.0.0.1", "localhost"))
