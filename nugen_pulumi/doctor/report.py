"""What a check found: for people, for machines, and for a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["good", "bad", "note", "skipped"]

_COLORS: Mapping[State, str] = {"good": "32", "bad": "1;31", "note": "33", "skipped": "2"}


@dataclass(frozen=True)
class Check:
    """
    What one check found.

    Attributes:
        name: What was checked.
        state: ``good``, ``bad``, ``note`` (worth to know, no error) or ``skipped``.
        message: What was found, and what to do if it is bad.
        facts: The same for machines.
    """

    name: str
    state: State
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def line(self, *, color: bool = False) -> str:
        """Return the check as one line."""
        state = f"{self.state:7}"
        if color:
            state = f"\033[{_COLORS[self.state]}m{state}\033[0m"
        return f"{state}  {self.name:10}  {self.message}"


Step = Callable[[str], Check]


class Stopped(Exception):  # noqa: N818 - it is no error of the program
    """
    A check after which no later one makes sense.

    Args:
        check: What it found.
        why: Why the later ones are not tried.
    """

    def __init__(self, check: Check, why: str) -> None:
        super().__init__(check.message)
        self.check = check
        self.why = why


def stopped(name: str, message: str, **facts: Any) -> Stopped:
    """Return the end of the checks with one that is bad."""
    return Stopped(Check(name, "bad", message, facts), f'the check "{name}" failed')


def capture(checks: list[Check], requests: list[dict[str, Any]]) -> str:
    """Return what people can attach to a report: the checks, and what came over the wire."""
    return json.dumps({"checks": [asdict(check) for check in checks], "requests": requests}, indent=2) + "\n"
