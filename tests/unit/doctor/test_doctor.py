"""What each check finds, and what it says to do."""

import json
import stat
import sys
import time

import httpx
import pytest

from nugen_pulumi import __main__ as command
from nugen_pulumi.doctor import api_checks, machine
from nugen_pulumi.doctor.checks import Doctor
from nugen_pulumi.doctor.report import Check, capture

KEY = "nugen-key-of-these-tests"
BASE = "/api/v3/models/base"
LIST = "/api/v3/models/aligned"
MISSING = api_checks._NO_SUCH_MODEL
NO_ROUTE = httpx.Response(404, json={"detail": "Not Found"})
NO_MODEL = httpx.Response(404, json={"detail": "Model not found"})


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder without a Pulumi project, on a machine without the CLI."""
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def documented(model):
    return f"/api/v3/models/undeploy-model/{model}/status"


def newer(model):
    return f"/api/v3/models/{model}/deployment/status"


def answer(code=200, /, **body):
    return httpx.Response(code, json=body)


def run(answers=None, model=None, default=NO_ROUTE, environ=None):
    """Return the checks by name, and the doctor. An answer is a response, an exception to raise, or a list of these."""
    known = {BASE: answer(), documented(model or MISSING): NO_MODEL, LIST: answer(domain_aligned_models=[])}
    known.update(answers or {})

    def handle(request):
        found = known.get(request.url.raw_path.decode(), default)
        if isinstance(found, list):
            found = found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    environ = {"NUGEN_API_KEY": KEY} if environ is None else environ
    it = Doctor(model, environ=environ, transport=httpx.MockTransport(handle))
    return {check.name: check for check in it.checks()}, it


def states(checks, *names):
    return [checks[name].state for name in names]


AFTER_PATHS = ("list", "model", "latency")
AFTER_KEY = ("paths", *AFTER_PATHS)


def test_all_is_well():
    checks, it = run()

    assert ["stack", "settings", "proxy", "name", "connection", "key", *AFTER_KEY, "versions"] == list(checks)
    assert "bad" not in states(checks, *checks)
    assert (
        "base URL https://api.nugen.in (the default), request timeout 30s, API key from NUGEN_API_KEY"
        == checks["settings"].message
    )
    assert "the documented paths answer (…/undeploy-model/…/status); the newer ones do not" == checks["paths"].message
    assert "the list holds 0 models" == checks["list"].message
    assert "not asked for: use --model ID to check one of your models" == checks["model"].message
    assert checks["latency"].message.endswith("ms)")
    assert {"GET"} == {request["method"] for request in it.requests}
    assert 6 == len(it.requests)


@pytest.mark.parametrize(("status", "said"), [(401, "Not authenticated"), (403, "Reason: API key not found")])
def test_a_wrong_key(status, said):
    checks, it = run({BASE: answer(status, detail=said)})

    assert (
        f"The API does not accept the API key ({status}: {said}): set the right one in NUGEN_API_KEY."
        == checks["key"].message
    )
    assert ["bad", "skipped", "skipped", "skipped", "skipped"] == states(checks, "key", *AFTER_KEY)
    assert 'not tried, because the check "key" failed' == checks["latency"].message
    assert 1 == len(it.requests)


@pytest.mark.parametrize("first", [answer(403, detail="Not authenticated"), answer()], ids=["refused", "open"])
def test_no_key(first):
    """What can be known without it is known all the same."""
    checks, _ = run({BASE: first}, environ={})

    assert "bad" == checks["settings"].state
    assert "But there is no API key: set NUGEN_API_KEY, or run `pulumi config set" in checks["settings"].message
    assert ["good"] * 3 == states(checks, "proxy", "name", "connection")
    assert ["skipped"] * 5 == states(checks, "key", *AFTER_KEY)
    assert {"not tried, because there is no API key"} == {checks[name].message for name in ("key", *AFTER_KEY)}


def test_a_wrong_setting_is_the_end():
    checks, it = run(environ={"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": "api.nugen.in"})

    assert "NUGEN_BASE_URL is not an http(s) URL with a host" in checks["settings"].message
    assert 'not tried, because the check "settings" failed' == checks["proxy"].message
    assert "good" != checks["connection"].state
    assert [] == it.requests


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (
            httpx.Response(403, html="<html><title>Blocked</title></html>"),
            (
                "https://api.nugen.in answers with an HTML page (403: Blocked) instead of the API's response: check the"
                " base URL (from the default), and whether a login page or a proxy is in the way."
            ),
        ),
        (
            httpx.Response(302, headers={"Location": "https://login.example/"}),
            "https://api.nugen.in redirects to https://login.example/ (302): check the base URL (from the default).",
        ),
        (
            answer(429, detail="Quota limit reached. Please add credits."),
            "The Nugen account is out of credits (429: Quota limit reached. Please add credits): add credits.",
        ),
        (answer(503), "The API cannot answer now (503 Service Unavailable): run this again in some minutes."),
        (
            answer(400, detail="Bad request"),
            "The API rejects the request (400 Bad Request): report it, with the file of --capture.",
        ),
        (
            httpx.Response(200, text="welcome"),
            (
                "https://api.nugen.in answers with something that is not JSON (welcome): check the base URL (from the"
                " default)."
            ),
        ),
    ],
)
def test_what_is_no_answer_of_the_api(first, message):
    checks, _ = run({BASE: first})

    assert message == checks["key"].message
    assert ["bad", "skipped"] == states(checks, "key", "paths")


def test_only_the_newer_paths():
    checks, _ = run({documented("m-1"): NO_ROUTE, newer("m-1"): answer(status="DEPLOYED")}, "m-1")

    assert "note" == checks["paths"].state
    assert (
        "only the newer paths answer (…/deployment/status), not the documented ones (404 Not Found). The"
        " resources use them by themselves." == checks["paths"].message
    )
    assert "m-1: the status of its deployment is DEPLOYED" == checks["model"].message


def test_both_families():
    checks, _ = run({newer(MISSING): NO_MODEL})

    assert checks["paths"].message.endswith("; the newer ones answer too")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (NO_ROUTE, "404 Not Found"),
        (httpx.Response(404, html="<html><title>Nothing here</title></html>"), "404: Nothing here"),
    ],
)
def test_a_wrong_base_url(other, said):
    """Also without the cheap probe it is known whether this is the API."""
    checks, _ = run({BASE: other, documented(MISSING): other}, default=other)

    assert ["note", "bad", "skipped"] == states(checks, "key", "paths", "list")
    assert f"not known, because https://api.nugen.in has no /api/v3/models/base ({said})" == checks["key"].message
    assert (
        f"https://api.nugen.in has neither the documented nor the newer paths of the Nugen API ({said} for"
        " https://api.nugen.in/api/v3/models/…): check the base URL (from the default). If it is right, the API has"
        " changed: upgrade this package." == checks["paths"].message
    )


def test_an_error_after_the_key():
    checks, _ = run({documented(MISSING): answer(403, detail="Forbidden for you")})

    assert (
        "The API refuses this request (403: Forbidden for you), although it accepted the API key."
        == checks["paths"].message
    )


@pytest.mark.parametrize(("path", "name"), [(documented(MISSING), "paths"), (LIST, "list")], ids=["paths", "list"])
def test_a_connection_that_breaks_later(path, name):
    checks, it = run({path: httpx.ReadError("reset")})

    assert "bad" == checks[name].state
    assert (
        "Connection lost (reset) to https://api.nugen.in (from the default). Check that the server is up, and that no"
        " firewall, VPN or proxy is in the way." == checks[name].message
    )
    assert "connection lost (reset) to https://api.nugen.in (from the default)" in [
        request.get("error") for request in it.requests
    ]


def test_a_connection_that_breaks_at_the_end():
    checks, _ = run({BASE: [answer(), httpx.ConnectError("refused")]})

    assert checks["latency"].message.startswith("The API answered before, but not now. Cannot connect (refused) to ")


def test_a_model_about_which_no_task_runs_is_called_what_it_is():
    """A FAILED that says no more than that is no fault."""
    reason = "No active undeployment. Model status is DEPLOYED."
    checks, _ = run({documented("m-1"): answer(status="FAILED", result={"error": reason})}, "m-1")

    assert f"m-1: it is DEPLOYED; the status of its undeployment is FAILED ({reason})" == checks["model"].message


LISTED = [
    {"id": "m-1", "deployment_status": "DEPLOYED"},
    {"model_id": "m-2", "status": "evaluated"},
    {"id": "m-3"},
    "no object",
]


@pytest.mark.parametrize("body", [LISTED, {"domain_aligned_models": LISTED}], ids=["bare", "named"])
def test_the_list(body):
    checks, _ = run(
        {LIST: httpx.Response(200, json=body), documented("m-1"): answer(status="FAILED", result=None)}, "m-1"
    )

    assert "the list holds 4 models: 1 DEPLOYED, 1 EVALUATED, 1 without status" == checks["list"].message
    assert "m-1: the status of its undeployment is FAILED; in the list it is DEPLOYED" == checks["model"].message


@pytest.mark.parametrize(
    ("response", "state", "message"),
    [
        (NO_ROUTE, "note", "there is no list of models here (404 Not Found); waits do not need it"),
        (answer(500), "bad", "The API cannot answer now (500 Internal Server Error): run this again in some minutes."),
        (answer(models=[]), "note", 'the list of models has an unknown form: {"models":[]}'),
        (answer(domain_aligned_models=[{}]), "good", "the list holds 1 model: 1 without status"),
    ],
)
def test_other_lists(response, state, message):
    checks, _ = run({LIST: response})

    assert (state, message) == (checks["list"].state, checks["list"].message)


@pytest.mark.parametrize(
    ("response", "state", "message"),
    [
        (answer(status="completed"), "good", "m-1: the status of its undeployment is completed"),
        (
            answer(status="FAILED", result={"error": "No GPU."}),
            "good",
            "m-1: the status of its undeployment is FAILED (No GPU.)",
        ),
        (
            answer(status="UNDEPLOYED", error="No GPU."),
            "good",
            "m-1: the status of its undeployment is UNDEPLOYED (No GPU.)",
        ),
        (
            NO_MODEL,
            "bad",
            (
                "m-1: the API knows no such model, or it belongs to another account: correct the id, or use the API key"
                " of its account."
            ),
        ),
        (answer(state="?"), "bad", 'm-1: a response without a status: {"state":"?"}'),
        (httpx.Response(200, json=["?"]), "bad", 'm-1: a response without a status: ["?"]'),
    ],
)
def test_a_model(response, state, message):
    checks, _ = run({documented("m-1"): response}, "m-1")

    assert (state, message) == (checks["model"].state, checks["model"].message)


def test_a_response_that_is_too_large():
    checks, _ = run({BASE: httpx.Response(200, content=b"x" * 1024 * 1024 + b"xx")})

    assert checks["connection"].message.startswith("A response of more than 1 MiB. Check that ")


def test_a_response_that_does_not_end():
    def drip():
        while True:
            time.sleep(0.01)
            yield b" "

    environ = {"NUGEN_API_KEY": KEY, "NUGEN_REQUEST_TIMEOUT_SECONDS": "0.05"}
    checks, _ = run({BASE: httpx.Response(200, content=drip())}, environ=environ)

    assert checks["connection"].message.startswith("No whole response from https://api.nugen.in within 0.1s. ")


def test_a_mistake_of_ours_is_not_taken_for_one_of_the_network():
    with pytest.raises(ZeroDivisionError):
        run({BASE: ZeroDivisionError()})


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            "http://user:secret@proxy.example:3128",
            "http://proxy.example:3128 with user and password (from HTTPS_PROXY)",
        ),
        ("proxy.example:3128", "http://proxy.example:3128 (from HTTPS_PROXY)"),
        ("", "none (HTTPS_PROXY, ALL_PROXY and NO_PROXY name none for api.nugen.in)"),
    ],
)
def test_a_proxy(monkeypatch, variable, message):
    monkeypatch.setenv("HTTPS_PROXY", variable)
    checks = Doctor(environ={"NUGEN_API_KEY": KEY}).checks()

    assert message == [next(checks), next(checks), next(checks)][2].message


def test_a_wrong_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example")
    checks, _ = run()

    assert "HTTPS_PROXY names a type of proxy that this package does not support" in checks["proxy"].message
    assert ["bad", "skipped"] == states(checks, "proxy", "name")


@pytest.mark.parametrize(("name", "value"), [("SSL_CERT_FILE", "none.pem"), (None, None)])
def test_certificates_that_cannot_be_read(monkeypatch, here, name, value):
    def refuse():
        raise OSError(2, "no such file")

    monkeypatch.setattr("httpx.create_ssl_context", refuse)
    if name:
        monkeypatch.setenv(name, value)
    checks, _ = run()

    source = f"{name}={value}" if name else "The certificate store of the system"
    assert (
        f"{source} contains no readable certificates (no such file): correct it, or unset it."
        == checks["connection"].message
    )


def test_neither_the_checks_nor_the_capture_hold_the_key(tmp_path):
    """The API may return what was sent; cookies are keys, too."""
    echo = httpx.Response(403, headers={"X-Said": KEY, "Set-Cookie": "session=1"}, json={"detail": f"Bad key {KEY}"})
    page = httpx.Response(404, text=f"{KEY} {KEY}")
    for answers in ({BASE: echo}, {LIST: page}):
        checks, it = run(answers)
        written = capture(list(checks.values()), it.requests)

        assert KEY not in written
        assert "[API key]" in written
        assert "session" not in written
        assert {"method", "path", "status", "seconds", "headers", "body"} == set(it.requests[0])


def pulumi(here, script):
    """Put a Pulumi CLI on PATH."""
    program = here / "bin" / "pulumi"
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


NOT_READ = "the stack config was not read: `pulumi config`"
INSTEAD = "If the key is there, make `pulumi config` work first, or set NUGEN_API_KEY."
CONFIG = {"nugen:apiKey": {"value": KEY, "secret": True}, "nugen:requestTimeoutSeconds": {"value": "7"}, "a:b": {}}


def test_the_stack_config_is_asked_for(here):
    (here / "Pulumi.yaml").touch()
    pulumi(here, f"print('v3.1.0' if sys.argv[1] == 'version' else {json.dumps(CONFIG)!r})")
    checks, _ = run(environ={})

    assert "the stack config has nugen:apiKey, nugen:requestTimeoutSeconds" == checks["stack"].message
    assert checks["settings"].message.endswith("request timeout 7s, API key from nugen:apiKey")
    assert "good" == checks["latency"].state
    assert "Pulumi CLI v3.1.0; plugin not on PATH (Python programs do not need it)" in checks["versions"].message
    assert "good" == checks["versions"].state


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("print('{}')", "the stack config has no nugen:* settings"),
        ("print('[1')", "the stack config was not read: `pulumi config --json` printed something unknown"),
        ("sys.exit('error: no stack')", f"{NOT_READ} failed (no stack). {INSTEAD}"),
        ("sys.exit(3)", f"{NOT_READ} failed (3). {INSTEAD}"),
        ("time.sleep(60)", f"{NOT_READ} took more than 0.3s. {INSTEAD}"),
    ],
)
def test_other_stack_configs(here, monkeypatch, script, message):
    (here / "Pulumi.yaml").touch()
    if "sleep" in script:
        monkeypatch.setattr(machine, "_COMMAND", 0.3)
    pulumi(here, script)
    it = Doctor(environ={}).checks()

    assert message == next(it).message


def test_a_cli_that_does_not_start(here):
    (here / "bin" / "pulumi").write_text("#!/no/such/program\n")
    (here / "bin" / "pulumi").chmod(0o755)

    assert "not found: `pulumi version` did not start (" in machine.versions()[0]


def test_a_check_is_one_line_with_color_in_a_terminal():
    check = Check("key", "bad", "No.")

    assert "bad      key         No." == check.line()
    assert "\033[1;31mbad    \033[0m  key         No." == check.line(color=True)


@pytest.fixture
def _checks(monkeypatch):
    class Done(Doctor):
        def checks(self):
            if self._model_id == "stop":
                raise KeyboardInterrupt
            state = "bad" if self._model_id == "bad" else "good"
            yield Check("one", state, "Well.")

    monkeypatch.setattr(command, "Doctor", Done)


@pytest.mark.usefixtures("_checks")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "good     one         Well.\n\nNo problem found.\n"),
        (["--model", "bad"], 1, "bad      one         Well.\n\nBad: one.\n"),
    ],
)
def test_the_command_prints_lines(capsys, arguments, code, said):
    assert code == command.main(["doctor", *arguments])
    assert said == capsys.readouterr().out


@pytest.mark.usefixtures("_checks")
@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_the_command_uses_color_in_a_terminal(capsys, monkeypatch, variables, colored):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command.main(["doctor"])

    assert colored == ("\033[32m" in capsys.readouterr().out)


@pytest.mark.usefixtures("_checks")
def test_the_command_prints_json_and_writes_a_capture(capsys, tmp_path):
    assert 0 == command.main(["doctor", "--json", "--capture", str(tmp_path / "capture.json")])

    found = {"name": "one", "state": "good", "message": "Well.", "facts": {}}
    assert {"ok": True, "checks": [found]} == json.loads(capsys.readouterr().out)
    assert {"checks": [found], "requests": []} == json.loads((tmp_path / "capture.json").read_text())


@pytest.mark.usefixtures("_checks")
def test_a_capture_that_cannot_be_written(capsys, tmp_path):
    assert 1 == command.main(["doctor", "--capture", str(tmp_path)])
    assert f"The capture could not be written to {tmp_path}: Is a directory.\n" == capsys.readouterr().err


@pytest.mark.usefixtures("_checks")
def test_ctrl_c_ends_it_without_a_traceback(capsys):
    assert 130 == command.main(["doctor", "--model", "stop"])
    assert "Interrupted.\n" == capsys.readouterr().err


def test_an_id_that_cannot_be_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["doctor", "--model", "a/b"])
    assert "a model id must not contain" in capsys.readouterr().err
