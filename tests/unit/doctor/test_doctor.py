"""What the doctor asks the Pulumi CLI, and how its command prints. What it says of an API is in tests/http."""

import json
import stat
import sys

import pytest
from harness import WINDOWS

from nugen_pulumi import __main__ as command
from nugen_pulumi.doctor import pulumi_cli
from nugen_pulumi.doctor.checks import Check, Doctor

KEY = "nugen-key-of-these-tests"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a Pulumi project, on a machine without the CLI."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def pulumi(here, script):
    """Put a Pulumi CLI on PATH."""
    program = here / "bin" / ("pulumi.py" if WINDOWS else "pulumi")
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    if WINDOWS:  # which knows no first line that names a program
        program.with_suffix(".cmd").write_text(f'@"{sys.executable}" "{program}" %*\n')


CONFIG = {"nugen:apiKey": {"value": KEY, "secret": True}, "nugen:baseUrl": {"value": "ftp://x"}, "a:b": {}}


def test_the_stack_config_is_asked_for(here):
    pulumi(here, f"print('v3.1.0' if sys.argv[1] == 'version' else {json.dumps(CONFIG)!r})")
    checks = {check.name: check for check in Doctor().checks()}

    assert "the stack config has nugen:apiKey, nugen:baseUrl" == checks["stack"].message
    assert checks["settings"].message.startswith("nugen:baseUrl is not an http(s) URL")
    assert "Pulumi CLI v3.1.0, plugin not on PATH (Python programs do not need it)" in checks["versions"].message
    assert "good" == checks["versions"].state


NOT_READ = "the stack config was not read: `pulumi config`"
INSTEAD = "If the key is there, make `pulumi config` work first, or set NUGEN_API_KEY."


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("print('{}')", "the stack config has no nugen:* settings"),
        ("print('[1')", "the stack config was not read: `pulumi config --json` printed something unknown"),
        ("sys.exit('error: no stack')", f"{NOT_READ} failed (no stack). {INSTEAD}"),
        ("sys.exit(3)", f"{NOT_READ} failed (3). {INSTEAD}"),
        ("time.sleep(60)", f"{NOT_READ} took more than 0.3s. {INSTEAD}"),
        ("", "the stack config was not read: `pulumi config --json` printed something unknown"),
    ],
)
def test_other_stack_configs(here, monkeypatch, script, message):
    if "sleep" in script:
        monkeypatch.setattr(pulumi_cli, "_COMMAND", 0.3)
    pulumi(here, script)

    assert message == next(Doctor().checks()).message


def test_a_cli_that_is_not_there_or_does_not_start(here):
    assert ("", "`pulumi` is not on PATH") == pulumi_cli.pulumi("version")
    program = here / "bin" / ("pulumi.exe" if WINDOWS else "pulumi")
    program.write_text("#!/no/such/program\n")
    program.chmod(0o755)
    assert pulumi_cli.pulumi("version")[1].startswith("`pulumi version` did not start (")


@pytest.fixture
def _checks(monkeypatch):
    class Done(Doctor):
        def checks(self):
            yield Check("one", "bad" if self._model_id == "bad" else "good", "Well.")
            if self._model_id == "stop":
                raise KeyboardInterrupt

    monkeypatch.setattr(command, "Doctor", Done)


@pytest.mark.usefixtures("_checks")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "good     one         Well.\n\nNo problem found.\n"),
        (["--model", "bad"], 1, "bad      one         Well.\n\nBad: one.\n"),
        (["--model", "stop"], 130, "good     one         Well.\n"),
    ],
)
def test_the_command_prints_lines_and_writes_the_capture_however_it_ends(capsys, here, arguments, code, said):
    assert code == command.main(["doctor", *arguments, "--capture", "capture.txt"])
    assert said == capsys.readouterr().out
    assert said.splitlines()[0] == (here / "capture.txt").read_text("utf-8").rstrip()


@pytest.mark.usefixtures("_checks")
@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_the_command_uses_color_in_a_terminal(capsys, monkeypatch, variables, colored):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command.main(["doctor"])

    assert colored == ("\033[32mgood   \033[0m" in capsys.readouterr().out)


@pytest.mark.usefixtures("_checks")
def test_a_capture_that_cannot_be_written(capsys, here):
    assert 1 == command.main(["doctor", "--capture", str(here)])
    assert capsys.readouterr().err.startswith(f"The capture could not be written to {here}: ")


def test_an_id_that_cannot_be_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["doctor", "--model", "a/b"])
    assert "a model id must not contain" in capsys.readouterr().err
