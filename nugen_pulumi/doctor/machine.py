"""What the doctor reads on this machine: the stack's config, and the versions."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nugen_pulumi._version import VERSION
from nugen_pulumi.settings import VARIABLES
from nugen_pulumi.text import duration, printable

# Seconds that a command of the Pulumi CLI may take.
_COMMAND = 20.0


def stack_config() -> tuple[dict[str, str], str]:
    """Return the settings of the stack that is selected here; or else nothing, and why."""
    folders = (Path.cwd(), *Path.cwd().parents)
    there = any((folder / f"Pulumi.{ending}").is_file() for folder in folders for ending in ("yaml", "yml"))
    if not there:
        return {}, "there is no Pulumi.yaml here"
    # Not interactive: it would ask for a passphrase where nobody may see the question.
    said, problem = _pulumi("config", "--json", "--show-secrets", "--non-interactive")
    if problem:
        return {}, f"{problem}. If the key is there, make `pulumi config` work first, or set NUGEN_API_KEY."
    try:
        entries = json.loads(said)
        return {key: str(entries[key]["value"]) for key in VARIABLES if key in entries}, ""
    except (ValueError, KeyError, TypeError):
        return {}, "`pulumi config --json` printed something unknown"


def versions() -> tuple[str, dict[str, Any], bool]:
    """Return what is installed, in words and as facts, and whether there is a Pulumi CLI."""
    cli, problem = _pulumi("version")
    plugin = shutil.which("pulumi-resource-nugen")
    facts = {
        "python": platform.python_version(),
        "nugen_pulumi": VERSION,
        "pulumi_sdk": version("pulumi"),
        "pulumi_cli": printable(cli) or None,
        "plugin": plugin,
        "system": platform.platform(),
    }
    told = (
        f"Python {facts['python']}, nugen-pulumi {VERSION}, Pulumi SDK {facts['pulumi_sdk']},"
        f" Pulumi CLI {printable(cli)}{f'not found: {problem}' if problem else ''};"
        f" plugin {plugin or 'not on PATH (Python programs do not need it)'}"
    )
    return told, facts, not problem


def _pulumi(*arguments: str) -> tuple[str, str]:
    """Run the Pulumi CLI; return what it said, or else why there is nothing."""
    program = shutil.which("pulumi")
    if program is None:
        return "", "`pulumi` is not on PATH"
    environ = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = f"`pulumi {arguments[0]}`"
    try:
        run = subprocess.run(  # noqa: S603 - the CLI that `pulumi` would start, with our own arguments
            [program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND,
            env=environ,
        )
    except subprocess.TimeoutExpired:
        return "", f"{command} took more than {duration(_COMMAND)}"
    except OSError as exc:
        return "", f"{command} did not start ({printable(str(exc))})"
    if run.returncode:
        return "", f"{command} failed ({printable(run.stderr, 160).removeprefix('error: ') or run.returncode})"
    return run.stdout.strip(), ""
