"""The doctor over real HTTP, once as a process of its own. What each check says is in tests/unit/doctor."""

import json
import os
import socket
import subprocess
import sys

import pytest
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


def test_a_wrong_key(api, monkeypatch, capsys):
    environment(monkeypatch, api.url, "a-key-that-is-wrong")
    code, found = checks(capsys)

    assert (1, ["key"]) == (code, bad(found))
    assert found["key"]["message"].endswith(": set the right one in NUGEN_API_KEY.")


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


@pytest.mark.usefixtures("_trusted")
def test_a_private_authority_that_ssl_cert_file_names(private, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    code, found = checks(capsys)

    assert (0, []) == (code, bad(found))
    assert "its certificate was issued by Example Corp" in found["connection"]["message"]
    assert found["connection"]["facts"]["version"].startswith("TLS")


@pytest.mark.usefixtures("_trusted")
def test_the_issuer_is_told_through_a_proxy(private, proxy, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.server_port}")
    code, found = checks(capsys)
    monkeypatch.delenv("SSL_CERT_FILE")
    _, untrusted = checks(capsys)

    assert (0, []) == (code, bad(found))
    assert f"http://127.0.0.1:{proxy.server_port} (from HTTPS_PROXY)" == found["proxy"]["message"]
    assert "Example Corp" in found["connection"]["message"]
    assert untrusted["connection"]["message"].endswith(f" -proxy 127.0.0.1:{proxy.server_port}`.")


def test_a_port_without_tls(api, monkeypatch, capsys):
    environment(monkeypatch, api.url.replace("http:", "https:"))
    _, found = checks(capsys)

    assert found["connection"]["message"].startswith("https://127.0.0.1")
    assert found["connection"]["message"].endswith("speaks plain http on this port, not https: check it.")
