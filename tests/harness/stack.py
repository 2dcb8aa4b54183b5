"""A real stack, driven through the CLI as a user does it, with everything it makes in one temporary folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PASSPHRASE = "a passphrase for tests"  # noqa: S105 - of stacks that live for seconds
PULUMI_YAML = "name: test\nruntime: python\n"
MADE_BY_USE = (".venv", "__pycache__", "Pulumi.*.yaml", ".state")  # in an example that somebody has tried


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    output: str

    def ok(self):
        """Return itself, or fail with all that was said."""
        assert 0 == self.code, self.output
        return self


class Stack:
    """
    A project in *folder*, its program *program*, its stack `dev` in a `file://` backend inside *folder*.

    *program* is the text of a `__main__.py`, or the folder of a whole project, which is copied. Nothing of the user's
    own Pulumi set-up is read or written.
    """

    def __init__(self, folder, program, env=None):
        assert shutil.which("pulumi"), "there is no Pulumi CLI on PATH: `make test` finds or makes one"
        self.folder = folder
        self.backend = folder / "backend"
        self.backend.mkdir()
        self.project = folder / "project"
        if isinstance(program, Path):
            shutil.copytree(program, self.project, ignore=shutil.ignore_patterns(*MADE_BY_USE))
            (self.project / ".venv").symlink_to(sys.prefix)
        else:
            self.project.mkdir()
            (self.project / "Pulumi.yaml").write_text(PULUMI_YAML)
            self.program(program)
        self.env = {
            # Coverage makes the processes of an `up` slower by a third, and the faster layers run each line, too.
            **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **(env or {}),
        }
        self("stack", "init", "dev").ok()

    def program(self, text):
        """Write the program anew: a `__main__.py`, or a whole project in YAML."""
        project = "runtime: yaml" in text
        (self.project / ("Pulumi.yaml" if project else "__main__.py")).write_text(text)

    def start(self, *args):
        """Start a command in a session of its own; its output is both streams."""
        return subprocess.Popen(
            ["pulumi", *args, "--non-interactive"],
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *args):
        """Run a command to its end."""
        process = self.start(*args)
        output, _ = process.communicate(timeout=240)
        return Run(process.returncode, output)

    def up(self, *args):
        return self("up", "--yes", "--skip-preview", *args)

    def preview(self, *args):
        return self("preview", *args)

    def refresh(self, *args):
        return self("refresh", "--yes", "--skip-preview", *args)

    def destroy(self, *args):
        return self("destroy", "--yes", "--skip-preview", *args)

    @property
    def outputs(self):
        """The stack's outputs."""
        return json.loads(self("stack", "output", "--json", "--show-secrets").ok().output)

    @property
    def state(self):
        """The deployment as exported."""
        return json.loads(self("stack", "export").ok().output)["deployment"]

    @property
    def models(self):
        """Our resources in state by name."""
        resources = self.state.get("resources", [])
        return {r["urn"].split("::")[-1]: r for r in resources if "nugen:" in r["type"]}

    def providers(self, named=b"pulumi.dynamic"):
        """Return the ids of the processes of this stack's provider (Linux tells by their working directory)."""
        return [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if named in _read(process / "cmdline") and (process / "cwd").resolve() == self.project.resolve()
        ]

    @staticmethod
    def terminate(started):
        """Send SIGTERM to the whole process tree of a command, to itself last. It was started in its own session."""
        for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda stat: stat.parent.name == str(started.pid)):
            # Behind the name, which may hold anything: state, parent, group, session.
            if _read(stat).rpartition(b")")[2].split()[3:4] == [b"%d" % started.pid]:
                with suppress(ProcessLookupError):
                    os.kill(int(stat.parent.name), signal.SIGTERM)

    def files_with(self, text):
        """Return which files below the folder, the program's own apart, hold *text*."""
        sought = text.encode()
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.parent != self.project)
        return [str(path) for path in files if sought in path.read_bytes()]


def _read(path):
    try:
        return path.read_bytes()
    except OSError:  # the process has just ended
        return b""
