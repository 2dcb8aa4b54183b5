"""`python -m nugen_pulumi.emulator`, as a process and its arguments."""

import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile

import httpx
import pytest
import trustme
from harness import INTERRUPT, INTERRUPTED

from nugen_pulumi.emulator import Emulator
from nugen_pulumi.emulator.__main__ import main
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.emulator.stories import STORIES

COMMAND = [sys.executable, "-W", "error", "-m", "nugen_pulumi.emulator"]
ELSEWHERE = tempfile.gettempdir()  # `-m` imports from where it starts, and it is the installed package that counts


class Shell:
    """The emulator as a process of its own."""

    def __init__(self, *arguments):
        # Buffered as for everybody, or a forgotten flush would go unnoticed.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ELSEWHERE
        )
        self.ready = self.process.stdout.readline()
        self.advice = self.process.stdout.readline()
        self.url = self.ready.split()[-1]

    def client(self, key="anything", **how):
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, **how)

    def end(self, number=INTERRUPT):
        """Send a signal; return the exit code, and all that was printed after the start."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output + errors


@pytest.fixture
def shell():
    shells = []

    def start(*arguments):
        shells.append(Shell(*arguments))
        return shells[-1]

    yield start
    for started in shells:
        started.process.kill()
        started.process.communicate()


def test_each_request_is_a_line_if_they_are_asked_for(shell):
    started = shell("--port", "0", "--log")
    with started.client() as client:
        client.get("/api/v3/models/undeploy-model/m/status")
    _, said = started.end()

    assert re.fullmatch(r'\d\d:\d\d:\d\d .* - "GET /api/v3/models/undeploy-model/m/status HTTP/1.1" 200\n', said)


def test_it_says_where_it_is_every_model_tells_its_story_and_ctrl_c_ends_it_silently(shell):
    emulator = shell("--port", "0", "--undeploy-seconds", "0", "--fault", "503:2,reset,flapping:2")
    path = "/api/v3/models/undeploy-model/"
    with emulator.client() as api:
        assert [200, 200, 404] == [api.delete(path + m).status_code for m in ("m-1", "fail-1", "missing-1")]
        # The first status answers of each model meet the faults in order.
        assert [503, 503] == [api.get(f"{path}m-1/status").status_code for _ in range(2)]
        with pytest.raises(httpx.ReadError):
            api.get(f"{path}m-1/status")
        assert [503, 200, 503, 200] == [api.get(f"{path}m-1/status").status_code for _ in range(4)]
        assert "COMPLETED" == api.get(f"{path}m-1/status").json()["status"]
        assert 503 == api.get(f"{path}fail-1/status").status_code
        code, said = emulator.end()

    assert re.fullmatch(r"Nugen emulator on http://127\.0\.0\.1:\d+\n", emulator.ready)
    assert (INTERRUPTED, "") == (code, said)
    assert (
        f"Set NUGEN_BASE_URL={emulator.url} and NUGEN_API_KEY to any value. Press Ctrl-C to stop.\n" == emulator.advice
    )


def test_it_takes_the_key_it_was_given_never_shows_it_and_sigterm_ends_it_as_well(shell):
    emulator = shell("--port", "0", "--api-key", "emulator-key")
    with emulator.client("emulator-key") as right, emulator.client("other") as wrong:
        codes = [api.get("/api/v3/models/base").status_code for api in (right, wrong)]
    code, said = emulator.end(signal.SIGTERM)

    assert [200, 403] == codes
    assert (INTERRUPTED, "") == (code, said)
    assert "NUGEN_API_KEY to the value of --api-key" in emulator.advice
    assert "emulator-key" not in emulator.ready + emulator.advice


def test_it_has_a_limit_a_distance_and_tls(shell, tmp_path):
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = [str(tmp_path / "own.pem")] * 2
    limits = ["--rate", "0.001", "--burst", "2", "--refuse", "503", "--latency", "0.01"]
    emulator = shell("--port", "0", *limits, "--drop-used", "--tls", *files)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    codes = []
    for _ in range(3):
        with emulator.client(verify=trusting) as api:
            codes.append(api.get("/api/v3/models/base").status_code)
    with emulator.client(verify=trusting) as api, pytest.raises(httpx.TransportError):
        [api.get("/api/v3/models/base") for _ in range(2)]

    emulator.end()

    assert [200, 200, 503] == codes
    assert emulator.url.startswith("https://")


def test_a_port_that_is_taken_is_said_in_one_message():
    with Emulator() as emulator:
        port = emulator.url.rsplit(":", 1)[1]
        ended = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, timeout=30, check=False, cwd=ELSEWHERE
        )

    assert (2, "") == (ended.returncode, ended.stdout)
    assert f"error: cannot listen on port {port} of 127.0.0.1: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "65536"], "argument --port: invalid port value: '65536'"),
        (["--undeploy-seconds", "-1"], "argument --undeploy-seconds: invalid seconds value: '-1'"),
        (["--fault", "503:2,flood"], f"argument --fault: unknown fault 'flood'; choose from {', '.join(FAULTS)}"),
        (["--fault", ""], "argument --fault: unknown fault ''"),
        (["--fault", "503:0"], "argument --fault: invalid faults value: '503:0'"),
        (["--fault", "503:1000000"], "argument --fault: invalid faults value: '503:1000000'"),
        (["--rate", "0"], "argument --rate: invalid number above 0 value: '0'"),
        (["--burst", "0"], "argument --burst: invalid whole number above 0 value: '0'"),
        (["--refuse", "500"], "argument --refuse: invalid choice:"),
        (["--tls", "nowhere", "nowhere"], "cannot use the files of --tls: [Errno 2]"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_message(capsys, arguments, complaint):
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert 2 == ended.value.code
    assert complaint in capsys.readouterr().err


def test_the_help_knows_the_defaults_every_story_and_every_fault(capsys, monkeypatch):
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out

    assert 0 == ended.value.code
    assert "(default: 8787)" in said
    assert "(default: 5)" in said
    assert ", ".join(FAULTS) in " ".join(said.split())
    for story in STORIES:
        assert story.prefix in said
        assert story.meaning in said
