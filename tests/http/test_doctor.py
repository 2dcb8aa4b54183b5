"""The doctor over real HTTP: what it says of an API, and of the way to it."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest
from harness import KEY

from nugen_pulumi.__main__ import main
from nugen_pulumi.doctor import checks as doctor
from nugen_pulumi.emulator import Answer, Emulator, catalogue, faults

pytestmark = pytest.mark.usefixtures("shared")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder without a Pulumi project, on a machine without the CLI."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def api_of_module():
    with Emulator(models="any", api_key=KEY) as emulator:
        yield emulator


@pytest.fixture
def api(api_of_module, monkeypatch):
    """An emulator of its own, because it is asked for models that nobody added."""
    api_of_module.reset()
    environment(monkeypatch, api_of_module.url)
    return api_of_module


def environment(monkeypatch, url, key=KEY):
    monkeypatch.setenv("NUGEN_BASE_URL", url)
    monkeypatch.setenv("NUGEN_API_KEY", key)


def checks(capsys, *arguments):
    """Run the command; return its checks by name."""
    code = main(["doctor", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)
    states = [check["state"] for check in found["checks"]]

    assert (1 if "bad" in states else 0, "bad" not in states) == (code, found["ok"])
    return {check["name"]: check for check in found["checks"]}


def those(found, state):
    return [name for name, check in found.items() if check["state"] == state]


def command(*arguments, **variables):
    """Start the command as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "nugen_pulumi", "doctor", "--capture", "capture.txt", *arguments],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_all_is_well(api, here):
    """On a terminal that knows only ASCII, too; the capture has each character, and a line for each request."""
    with command("--model", "fleet-\u00fc", PYTHONIOENCODING="ascii") as process:
        said, errors = process.communicate(timeout=60)

    assert (0, "") == (process.returncode, errors), said
    assert "good     paths       the documented paths answer (\\u2026/undeploy-model/" in said
    assert "\ngood     key         the API accepts the API key from NUGEN_API_KEY; refresh and destroy" in said
    assert "\ngood     list        models in the list: 1 (1 DEPLOYED)\n" in said
    assert (
        "\ngood     model       fleet-\\xfc: it is DEPLOYED; the status of its undeployment is FAILED (No act" in said
    )
    assert "\033" not in said
    assert said.endswith("\n\nNo problem found.\n")
    told, sent = (here / "capture.txt").read_text(encoding="utf-8").split("\n\n")
    assert "model       fleet-\u00fc: " in told
    assert [f"GET 200 in N ms: {path}" for _, path in api.requests] == re.sub(r"\d+ ms", "N ms", sent).splitlines()
    assert KEY not in told + sent + said


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_nobody_reads_what_is_printed(api, here, arguments):
    with command(*arguments) as process:
        process.stdout.close()
        errors = process.stderr.read()

    assert (0, "") == (process.returncode, errors)
    written = (here / "capture.txt").read_text("utf-8")
    assert f"GET 200 in N ms: {api.requests[-1][1]}" in re.sub(r"\d+ ms", "N ms", written)


def test_a_wrong_key(api, monkeypatch, capsys):
    environment(monkeypatch, api.url, "a-key-that-is-wrong")
    found = checks(capsys)

    assert (["key"], ["list", "model"]) == (those(found, "bad"), those(found, "skipped"))
    assert found["key"]["message"].startswith("the Nugen API does not accept the API key (403: ")
    assert found["key"]["message"].endswith("): check the one in NUGEN_API_KEY.")
    assert 'not tried, because the check "key" is bad' == found["list"]["message"]


def test_without_a_key_the_connection_is_checked(api, monkeypatch, capsys):
    environment(monkeypatch, api.url, "")
    found = checks(capsys)

    assert (["settings"], ["key", "list", "model"]) == (those(found, "bad"), those(found, "skipped"))
    assert f"base URL {api.url} (from NUGEN_BASE_URL), request timeout 30s. There is no" in found["settings"]["message"]
    assert "good" == found["connection"]["state"]


def test_a_wrong_setting_is_the_end(monkeypatch, capsys):
    environment(monkeypatch, "api.nugen.in")
    found = checks(capsys)

    assert (["settings"], "skipped") == (those(found, "bad"), found["proxy"]["state"])
    assert found["settings"]["message"].startswith("NUGEN_BASE_URL is not an http(s) URL with a host")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (faults.html(), "no usable response: an HTML page (Sign in) instead of the API's response: check the base URL"),
        (faults.answered("page", Answer(403, "<html>Blocked")), "an HTML page (an HTML page) instead of the API's"),
        (faults.redirect(), "{url} redirects to elsewhere.invalid (302). Redirects are not followed"),
        (catalogue.quota_exhausted(), "the Nugen account is out of credits (429: "),
        (503, "no usable response: 503"),
        (catalogue.wrong_route(), "{url} has no such endpoint (404 Not Found): check the base URL"),
    ],
)
def test_what_is_no_answer_of_the_api_is_called_what_the_resources_call_it(api, capsys, answer, message):
    api.script(doctor._NO_SUCH_MODEL, answer)
    found = checks(capsys)

    assert (["paths"], ["key", "list", "model"]) == (those(found, "bad"), those(found, "skipped"))
    assert found["paths"]["message"].startswith(message.format(url=api.url))
    assert "good" == found["connection"]["state"]


def test_only_the_newer_paths(monkeypatch, capsys):
    with Emulator(models="any", api_key=KEY, paths="newer") as api:
        environment(monkeypatch, api.url)
        found = checks(capsys, "--model", "m-1")

    assert [] == those(found, "bad")
    assert ("note", {"paths": "newer"}) == (found["paths"]["state"], found["paths"]["facts"])
    assert found["model"]["message"].startswith("m-1: it is DEPLOYED; ")


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        (
            [{"id": "1", "deployment_status": "DEPLOYED"}, {"id": "2", "deployment_status": "deployed"}, {"id": "3"}],
            "good",
            "models in the list: 3 (2 DEPLOYED, 1 without status)",
        ),
        ([], "good", "models in the list: 0"),
        (catalogue.wrong_route(), "note", "this API has no list of models. The resources do not need it."),
        (500, "bad", "no usable response: 500 Internal Server Error."),
        ({"x": 1}, "bad", "no usable response: an unreadable "),
    ],
)
def test_the_list(api, capsys, answer, state, message):
    api.script_list(answer)
    found = checks(capsys)

    assert state == found["list"]["state"]
    assert found["list"]["message"].startswith(message)
    assert "use --model ID to check one of your models" == found["model"]["message"]


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        ("completed", "good", "the status of its undeployment is COMPLETED"),
        (catalogue.failed("No GPU."), "good", "the status of its undeployment is FAILED (No GPU.)"),
        (404, "bad", "the Nugen API knows no such model, or it belongs to another account (404: Model not found): "),
    ],
)
def test_a_model(api, capsys, answer, state, message):
    api.script("m-1", answer)
    found = checks(capsys, "--model", "m-1")

    assert state == found["model"]["state"]
    assert found["model"]["message"].startswith(f"m-1: {message}")


def test_neither_what_is_printed_nor_the_capture_holds_the_key(api, here, capsys):
    """The API may return what was sent, and people mistake the key for an id."""
    api.script(KEY, Answer(500, {"detail": f"{KEY} is bad"}, {"X-Request-Id": "4f1c"}), "COMPLETED", "COMPLETED")
    main(["doctor", "--model", KEY, "--capture", "capture.txt"])
    written = (here / "capture.txt").read_text("utf-8")
    main(["doctor", "--model", KEY, "--capture", "capture.txt"])
    main(["doctor", "--model", KEY, "--json"])

    said = capsys.readouterr().out
    assert 2 == said.count("[API key]: the status of its undeployment is COMPLETED")
    assert KEY not in said + written + (here / "capture.txt").read_text("utf-8")
    assert '(request 4f1c): /api/v3/models/undeploy-model/[API key]/status {"detail": "[API key] is bad"}' in written


@pytest.fixture
def closed():
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_dead_server(closed, monkeypatch, capsys):
    environment(monkeypatch, f"http://127.0.0.1:{closed}")
    found = checks(capsys)

    assert ["connection"] == those(found, "bad")
    assert (
        f"no usable response: cannot connect (Connection refused) to http://127.0.0.1:{closed} (from NUGEN_BASE_URL)."
        " 127.0.0.1: check that it is up, and that no firewall, VPN or proxy is in the way."
        == found["connection"]["message"]
    )


def test_a_dead_proxy(closed, monkeypatch, capsys):
    environment(monkeypatch, "https://api.test")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@localhost:{closed}")
    found = checks(capsys)

    assert f"http://localhost:{closed} with user and password (from HTTPS_PROXY)" == found["proxy"]["message"]
    assert f" through the proxy http://localhost:{closed} (from HTTPS_PROXY)." in found["connection"]["message"]
    assert "). localhost has the address " in found["connection"]["message"]


def test_a_wrong_proxy(monkeypatch, capsys):
    environment(monkeypatch, "https://api.test")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example")

    assert ["proxy"] == those(checks(capsys), "bad")


def test_a_host_that_does_not_exist(monkeypatch, capsys):
    def nobody(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    environment(monkeypatch, "https://api.test")
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    found = checks(capsys)

    assert ["connection"] == those(found, "bad")
    assert (
        "no usable response: cannot connect (Name or service not known) to https://api.test (from NUGEN_BASE_URL)."
        " api.test has no address: check its spelling, and the DNS and the network of this machine."
        == found["connection"]["message"]
    )


def test_a_private_authority_that_is_not_trusted(private, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    found = checks(capsys)

    assert ["connection"] == those(found, "bad")
    assert found["connection"]["message"].startswith(f"The certificate of {private.url} (from NUGEN_BASE_URL) is not")
    assert "check that it is up" not in found["connection"]["message"]


@pytest.mark.usefixtures("_trusted")
def test_a_private_authority_that_is_trusted_behind_a_proxy(private, proxy, monkeypatch, capsys):
    environment(monkeypatch, private.url)
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.server_port}")
    found = checks(capsys)

    assert [] == those(found, "bad")
    assert f"http://127.0.0.1:{proxy.server_port} (from HTTPS_PROXY)" == found["proxy"]["message"]


def test_certificates_that_cannot_be_read(monkeypatch, capsys):
    environment(monkeypatch, "https://api.test")
    monkeypatch.setenv("SSL_CERT_FILE", "none.pem")
    found = checks(capsys)

    assert ["connection"] == those(found, "bad")
    assert found["connection"]["message"].startswith("SSL_CERT_FILE=none.pem contains no readable certificates")


def test_a_port_without_tls(api, monkeypatch, capsys):
    environment(monkeypatch, api.url.replace("http:", "https:"))
    found = checks(capsys)

    assert found["connection"]["message"].endswith("speaks plain http on this port, not https: check it.")
