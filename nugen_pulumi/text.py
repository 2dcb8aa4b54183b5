"""Format durations, and make text from the API safe to print."""

from __future__ import annotations

import re
from typing import Any

# Shorter ones are for emulators, and may be any word that occurs in a body.
_SHORTEST_REAL_KEY = 12


class Redaction:
    """
    Replaces an API key by ``[API key]``.

    Args:
        key: The API key. One of less than 12 characters is left alone.
    """

    def __init__(self, key: str = "") -> None:
        # As it is, and as a URL may quote it.
        spelt = "".join(f"(?:{re.escape(char)}|(?i:%{ord(char):02x}))" for char in key)
        self._spelt = re.compile(spelt) if len(key) >= _SHORTEST_REAL_KEY else None

    def string(self, text: str) -> str:
        """Return *text* without the key."""
        return text if self._spelt is None else self._spelt.sub("[API key]", text)

    def value(self, value: Any) -> Any:
        """Return what was read from JSON without the key, however JSON spelt it there."""
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, dict):
            return {self.string(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LONGEST = 300


def well_formed(text: str) -> str:
    r"""
    Return *text* with U+FFFD for each surrogate: half of a character, which UTF-8 has no bytes for.

    JSON can spell one (``"\ud83d"``): a text that was cut off in the middle of an emoji.
    """
    return _SURROGATES.sub("\ufffd", text)


def duration(seconds: float) -> str:
    """Say *seconds* as a person would: ``0.4s``, ``12s``, ``1m 12s``, ``2h 5m``."""
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

    ANSI escapes and control characters (directional overrides too) go, white space folds to one blank. Half a character
    becomes U+FFFD. Of more than *longest* characters, the rest becomes ``…``.
    """
    # The first cut bounds the work on a body of a megabyte; the second the result.
    plain = _ESCAPES.sub("", well_formed(text[: longest * 20]))
    folded = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return folded if len(folded) <= longest else folded[: longest - 1].rstrip() + "…"
