"""The doctor over real HTTP, as a process of its own."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread

import pytest
import trustme
from harness import KEY

from nugen_pulumi.__main__ import main
from nugen_pulumi.emulator import Emulator


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder without a Pulumi project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def api():
    """An emulator of its own, because it is asked for paths that it may not have."""
    with Emulator(models="any", api_key=KEY) as emulator:
        yield emulator


def checks(capsys, *arguments):
    """Run the command; return its exit code and its checks by name."""
    code = main(["doctor", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)

    assert (code == 0) == found["ok"]
    return code, {check["name"]: check for check in found["checks"]}


def bad(found):
    return [name for name, check in found.items() if check["state"] == "bad"]


def environment(monkeypatch, url, key=KEY):
    monkeypatch.setenv("NUGEN_BASE_URL", url)
    monkeypatch.setenv("NUGEN_API_KEY", key)


def test_all_is_well(api, here):
    """Also without a terminal: no color."""
    api.reset()
    env = {**os.environ, "NUGEN_BASE_URL": api.url, "NUGEN_API_KEY": KEY}
    command = [sys.executable, "-m", "nugen_pulumi", "doctor", "--model", "fleet-1", "--capture", "capture.json"]
    run = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=60)

    assert (0, "") == (run.returncode, run.stderr), run.stdout
    assert "good     key         the API accepts the API key from NUGEN_API_KEY; refresh and destroy" in run.stdout
    assert "\ngood     model       fleet-1: " in run.stdout
    assert "\033" not in run.stdout
    assert run.stdout.endswith("\n\nNo problem found.\n")
    assert {"GET"} == {method for method, _ in api.requests}
    capture = json.loads((here / "capture.json").read_text())
    assert [path for _, path in api.requests] == [request["path"] for request in capture["requests"]]
    assert KEY not in json.dumps(capture) + run.stdout


def test_no_key(api, monkeypatch, capsys):
    environment(monkeypatch, api.url, "")
    code, found = checks(capsys)

    assert (1, ["settings"]) == (code, bad(found))
    assert "good" == found["connection"]["state"]
    assert "not tried, because there is no API key" == found["key"]["message"]


def test_a_wrong_key(api, monkeypatch, capsys):
    environment(monkeypatch, api.url, "a-key-that-is-wrong")
    code, found = checks(capsys)

    assert (1, ["key"]) == (code, bad(found))
    assert found["key"]["message"].endswith(": set the right one in NUGEN_API_KEY.")


class Page(BaseHTTPRequestHandler):
    """Another server: a page for any path."""

    def do_GET(self):
        status = 200 if self.path.startswith("/pages") else 404
        body = f"<html><title>{'Welcome' if status == 200 else 'Nothing here'}</title></html>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def other():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_server(other, monkeypatch, capsys):
    environment(monkeypatch, other)
    code, found = checks(capsys)

    assert (1, ["paths"]) == (code, bad(found))
    assert (
        f"(404: Nothing here for {other}/api/v3/models/…): check the base URL (from NUGEN_BASE_URL)."
        in found["paths"]["message"]
    )


def test_a_server_that_answers_with_pages(other, monkeypatch, capsys):
    environment(monkeypatch, f"{other}/pages")
    code, found = checks(capsys)

    assert (1, ["key"]) == (code, bad(found))
    assert "answers with an HTML page (200: Welcome) instead of the API's response" in found["key"]["message"]


@pytest.fixture
def closed():
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy(closed, monkeypatch, capsys, scheme):
    environment(monkeypatch, "https://api.test")
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://127.0.0.1:{closed}")
    code, found = checks(capsys)

    assert (1, ["connection"]) == (code, bad(found))
    assert "the proxy 127.0.0.1 is an address already" == found["name"]["message"]
    assert (
        f"Cannot connect (Connection refused) through the proxy {scheme}://127.0.0.1:{closed} (from HTTPS_PROXY). Check"
        " that the proxy is up, and that HTTPS_PROXY names the right one." == found["connection"]["message"]
    )


def test_a_dead_server(closed, monkeypatch, capsys):
    environment(monkeypatch, f"http://localhost:{closed}")
    _, found = checks(capsys)

    assert found["name"]["message"].startswith("localhost has the address ")
    assert found["connection"]["message"].endswith("that no firewall, VPN or proxy is in the way.")


def test_a_host_that_does_not_exist(monkeypatch, capsys):
    def nobody(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    environment(monkeypatch, "https://api.test")
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    code, found = checks(capsys)

    assert (1, ["name"]) == (code, bad(found))
    assert (
        "The host api.test (from NUGEN_BASE_URL) has no address (Name or service not known): check its spelling, and"
        " the DNS and the network of this machine." == found["name"]["message"]
    )


@pytest.fixture(scope="module")
def authority():
    return trustme.CA(organization_name="Example Corp")


@pytest.fixture(scope="module")
def private(authority):
    """The API with a certificate of a private CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Emulator(models="any", api_key=KEY, tls=context) as emulator:
        yield emulator


def test_a_private_authority_that_is_not_trusted(private, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    code, found = checks(capsys)

    assert (1, ["connection"]) == (code, bad(found))
    assert (
        f"The certificate of {private.url} (from NUGEN_BASE_URL) is not trusted: for a private CA, set"
        in (found["connection"]["message"])
    )
    assert found["connection"]["message"].endswith(
        f"To see who issued it: `openssl s_client -connect {private.url.removeprefix('https://')}`."
    )


def test_a_private_authority_that_ssl_cert_file_names(private, authority, here, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    authority.cert_pem.write_to_path(here / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(here / "ca.pem"))
    code, found = checks(capsys)

    assert (0, []) == (code, bad(found))
    assert "its certificate was issued by Example Corp" in found["connection"]["message"]
    assert found["connection"]["facts"]["version"].startswith("TLS")


class Tunnel(BaseHTTPRequestHandler):
    """A proxy for https."""

    def do_CONNECT(self):
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


def test_the_issuer_is_told_through_a_proxy(private, authority, here, monkeypatch, capsys):
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    environment(monkeypatch, private.url)
    authority.cert_pem.write_to_path(here / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(here / "ca.pem"))
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.server_port}")
    try:
        code, found = checks(capsys)
        monkeypatch.delenv("SSL_CERT_FILE")
        _, untrusted = checks(capsys)
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()

    assert (0, []) == (code, bad(found))
    assert f"http://127.0.0.1:{proxy.server_port} (from HTTPS_PROXY)" == found["proxy"]["message"]
    assert "Example Corp" in found["connection"]["message"]
    assert untrusted["connection"]["message"].endswith(f" -proxy 127.0.0.1:{proxy.server_port}`.")


def test_a_port_without_tls(api, monkeypatch, capsys):
    environment(monkeypatch, api.url.replace("http:", "https:"))
    _, found = checks(capsys)

    assert found["connection"]["message"].startswith("https://127.0.0.1")
    assert found["connection"]["message"].endswith("speaks plain http on this port, not https: check it.")


class Newer(BaseHTTPRequestHandler):
    """The API with the newer paths alone."""

    def do_GET(self):
        known = {"/api/v3/models/base": [], "/api/v3/models/m-1/deployment/status": {"status": "UNDEPLOYED"}}
        body = json.dumps(known.get(self.path, {"detail": "Not Found"})).encode()
        self.send_response(200 if self.path in known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_only_the_newer_paths(monkeypatch, capsys):
    server = HTTPServer(("127.0.0.1", 0), Newer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    environment(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    try:
        code, found = checks(capsys, "--model", "m-1")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert (0, []) == (code, bad(found))
    assert "note" == found["paths"]["state"]
    assert "m-1: the status of its deployment is UNDEPLOYED" == found["model"]["message"]
