"""Format durations, and make text from the API safe to print."""

from __future__ import annotations

import re

# Shorter ones are for emulators, and may be any word that occurs in a body.
_SHORTEST_REAL_KEY = 12


class Redaction:
    r"""
    Replaces an API key in bytes or in a string by ``[API key]``.

    It is found as it stands, percent-encoded, and as JSON may spell it: any character as ``\u0026``, ``/`` as ``\/``,
    and both once more inside a string of JSON that holds JSON.

    Args:
        key: The API key. One of less than 12 characters is left alone.
    """

    def __init__(self, key: str) -> None:
        self._spelt = re.compile(_spellings(key)) if len(key) >= _SHORTEST_REAL_KEY else None

    def string(self, text: str) -> str:
        """Return *text* without the key."""
        return text if self._spelt is None else self._spelt.sub("[API key]", text)

    def body(self, body: bytes) -> bytes:
        """Return *body* without the key."""
        if self._spelt is None:
            return body
        # Latin-1 is the one encoding that gives every byte back as it was.
        return self.string(body.decode("latin-1")).encode("latin-1")


def _spellings(key: str) -> str:
    r"""
    Return the pattern of all spellings of *key*, which takes time in proportion to the text, whatever that holds.

    Any number of backslashes may be before each character. They are taken all at once (``\\*+``), and before the first
    character only from the first of them on (``(?<!\\)``): else each of a million would begin a search of its own.
    """
    first, last = key[0], len(key) - 1
    begin = r"(?:(?<!\\)\\++)?+"
    if first == "\\":
        pattern = rf"(?:(?<!\\)(?:\\|\\++{_code(first)})|{begin}%{_digits(first)})"
    else:
        pattern = rf"(?:{begin}(?:{re.escape(first)}|%{_digits(first)}|(?<=\\){_code(first)}))"
    for place, char in enumerate(key[1:], start=1):
        # A backslash of the key takes one; what is over goes to the next character.
        plain = (r"\\" if place < last else r"\\++") if char == "\\" else rf"\\*+{re.escape(char)}"
        pattern += rf"(?:{plain}|\\*+%{_digits(char)}|\\++{_code(char)})"
    return pattern


def _code(char: str) -> str:
    return f"u00{_digits(char)}"


def _digits(char: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" for digit in f"{ord(char):02x}")


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

    ANSI escapes and control characters (directional overrides too) go, white space folds to one blank. Half a character
    becomes U+FFFD.

    Args:
        text: What somebody else wrote.
        longest: Characters to keep; what is cut off is marked by ``…``.
    """
    # The first cut bounds the work on a body of a megabyte; the second the result.
    plain = _ESCAPES.sub("", well_formed(text[: longest * 20]))
    folded = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return folded if len(folded) <= longest else folded[: longest - 1].rstrip() + "…"
