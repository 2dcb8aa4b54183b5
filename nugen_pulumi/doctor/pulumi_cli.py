"""Ask the Pulumi CLI for the settings of the stack that is selected here, and for its version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from nugen_pulumi.settings import VARIABLES
from nugen_pulumi.text import duration, printable

# Seconds that a command may take.
_COMMAND = 20.0


def stack_config() -> tuple[dict[str, str], str]:
    """Return the settings of the stack that is selected here; or else nothing, and why."""
    folders = (Path.cwd(), *Path.cwd().parents)
    if not any((folder / f"Pulumi.{ending}").is_file() for folder in folders for ending in ("yaml", "yml")):
        return {}, "there is no Pulumi.yaml here"
    # Not interactive: it would ask for a passphrase where nobody may see the question.
    said, problem = pulumi("config", "--json", "--show-secrets", "--non-interactive")
    if problem:
        return {}, f"{problem}. If the key is there, make `pulumi config` work first, or set NUGEN_API_KEY."
    try:
        entries = json.loads(said)
        return {key: str(entries[key]["value"]) for key in VARIABLES if key in entries}, ""
    except (ValueError, KeyError, TypeError):
        return {}, "`pulumi config --json` printed something unknown"


def pulumi(*arguments: str) -> tuple[str, str]:
    """Run the Pulumi CLI; return what it said, or else why there is nothing."""
    program = shutil.which("pulumi")
    if program is None:
        return "", "`pulumi` is not on PATH"
    command = f"`pulumi {arguments[0]}`"
    try:
        run = subprocess.run(  # noqa: S603 - the CLI that `pulumi` would start, with our own arguments
            [program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_COMMAND,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except subprocess.TimeoutExpired:
        return "", f"{command} took more than {duration(_COMMAND)}"
    except OSError as exc:
        return "", f"{command} did not start ({printable(str(exc))})"
    if run.returncode:
        return "", f"{command} failed ({printable(run.stderr, 160).removeprefix('error: ') or run.returncode})"
    return run.stdout.strip(), ""
