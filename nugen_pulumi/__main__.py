"""The package from a shell: ``python -m nugen_pulumi doctor``."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from nugen_pulumi.doctor.checks import Check, Doctor
from nugen_pulumi.operations.inputs import model_id_problem


def _model_id(text: str) -> str:
    if (problem := model_id_problem(text)) is not None:
        raise argparse.ArgumentTypeError(f"a model id {problem}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nugen_pulumi", description="Tools around nugen-pulumi.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor",
        help="find out what is wrong between this machine and the Nugen API",
        description="Check the settings, the network, the API key and the API, one line each. Sends nothing but GETs."
        " The exit code is 1 if a check is bad.",
    )
    doctor.add_argument(
        "--model", type=_model_id, metavar="ID", help="check this model, too (--model=-ID if it begins with -)"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON for machines")
    doctor.add_argument(
        "--capture",
        type=Path,
        metavar="FILE",
        help="write the checks and a line for each request to this file, to attach to a report; without the API key",
    )
    return parser


def _print(text: str) -> None:
    """Print *text* at once: a check may take as long as a request timeout."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more (`| head -1`). The checks go on for --capture and the exit code, and whatever is printed
        # from now on, by Python's own end too, goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command, and return its exit code.

    Args:
        arguments: Those of the process by default.
    """
    given = _parser().parse_args(arguments)
    # The terminal may not know each character.
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    doctor = Doctor(given.model)
    checks: list[Check] = []
    interrupted = False
    try:
        for check in doctor.checks():
            checks.append(check)
            if not given.json:
                _print(doctor.redaction.string(check.line(color=color)) + "\n")
    except KeyboardInterrupt:
        interrupted = True
        sys.stderr.write("Interrupted.\n")
    bad = [check.name for check in checks if check.state == "bad"]
    if given.json:
        found = json.dumps({"ok": not bad, "checks": [asdict(check) for check in checks]}, indent=2)
        _print(doctor.redaction.string(found) + "\n")
    elif not interrupted:
        _print(f"\nBad: {', '.join(bad)}.\n" if bad else "\nNo problem found.\n")
    if given.capture is not None:
        sent = (f"{request}: {request.path} {request.excerpt}".rstrip() for request in doctor.requests)
        lines = [*(check.line() for check in checks), "", *sent, ""]
        try:
            given.capture.write_text(doctor.redaction.string("\n".join(lines)), "utf-8", "backslashreplace")
        except OSError as exc:
            sys.stderr.write(f"The capture could not be written to {given.capture}: {exc.strerror}.\n")
            return 1
    return 130 if interrupted else 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
