"""Remove the API key from responses, in all of its spellings."""

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
        self._spelt = re.compile("".join(map(_spellings, key))) if len(key) >= _SHORTEST_REAL_KEY else None

    def string(self, text: str) -> str:
        """Return *text* without the key."""
        return text if self._spelt is None else self._spelt.sub("[API key]", text)

    def body(self, body: bytes) -> bytes:
        """Return *body* without the key."""
        if self._spelt is None:
            return body
        # Latin-1 is the one encoding that gives every byte back as it was.
        return self.string(body.decode("latin-1")).encode("latin-1")


def _spellings(char: str) -> str:
    code = f"{ord(char):02x}"
    digits = "".join(f"[{digit}{digit.upper()}]" for digit in code)
    return rf"(?:\\*{re.escape(char)}|\\+u00{digits}|%{digits})"
