"""Format durations, and make text from the API safe to print."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LONGEST = 300


def duration(seconds: float) -> str:
    """
    Say *seconds* as a person would: ``0.4s``, ``12s``, ``1m 12s``, ``2h 5m``.

    Args:
        seconds: A length of time, not negative.
    """
    if seconds < 1:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if minutes else f"{hours}h"


def printable(text: str, longest: int = _LONGEST) -> str:
    """
    Return text from the API as one line without terminal control characters.

    ANSI escapes and control characters (directional overrides too) go, white space folds to one blank.

    Args:
        text: What somebody else wrote.
        longest: Characters to keep; what is cut off is marked by ``…``.
    """
    # The first cut bounds the work on a body of a megabyte; the second the result.
    plain = _ESCAPES.sub("", text[: longest * 20])
    folded = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return folded if len(folded) <= longest else folded[: longest - 1].rstrip() + "…"
