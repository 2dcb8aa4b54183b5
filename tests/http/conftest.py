"""A private authority, the API behind a certificate of it, and a proxy in front of that."""

import contextlib
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import trustme
from harness import KEY

from nugen_pulumi.emulator import Emulator


@pytest.fixture(scope="session")
def authority():
    return trustme.CA(organization_name="Example Corp")


@pytest.fixture(scope="session")
def tls(authority):
    """A server's context, with a certificate for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def _trusted(authority, tmp_path, monkeypatch):
    """Clients trust the authority."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture(scope="session")
def private(tls):
    """The API with such a certificate."""
    with Emulator(models="any", api_key=KEY, tls=tls) as emulator:
        yield emulator


class Tunnel(BaseHTTPRequestHandler):
    """A proxy for https, whose server remembers what it was asked."""

    def do_CONNECT(self):
        self.server.asked.append((self.path, dict(self.headers)))
        if self.server.refuses:
            self.send_error(self.server.refuses)
            return
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            back = Thread(target=self.carry, args=(far, self.connection))
            back.start()
            self.carry(self.connection, far)
            back.join()

    def carry(self, source, target):
        with contextlib.suppress(OSError):  # a client that refuses the certificate hangs up
            while chunk := source.recv(65536):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)

    def log_message(self, *_):
        pass


@pytest.fixture
def _unnamed(monkeypatch):
    """The environment names no certificates."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def serving(tls=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    server.asked, server.refuses = [], None
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy():
    yield from serving()


@pytest.fixture
def tls_proxy(tls):
    """One that is spoken to over TLS."""
    yield from serving(tls)
