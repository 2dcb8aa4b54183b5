"""What came back over HTTP, bounded in size, and what it says in words. Knows nothing of who asked or how."""

from __future__ import annotations

import html
import json
import math
import re
import time
import zlib
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from nugen_pulumi.errors import UnavailableError
from nugen_pulumi.text import Redaction, printable

LARGEST_BODY = 1024 * 1024
# Seconds that one Retry-After is believed for. Some servers name an hour for an error of seconds.
LONGEST_RETRY_AFTER = 60.0

# Digits. No double has more; and of more than 4300 Python makes no integer.
_LONGEST_INTEGER = 400
# Levels of an error's JSON in which its sentence is looked for, and characters of each part of it.
_DEEPEST_SENTENCE = 8
_LONGEST_SENTENCE = 6000

# None was seen in the wild: a guess at what a framework or a proxy would use.
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "cf-ray")

_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"{\x00": "UTF-16", b"\x00{": "UTF-16"}


@dataclass(frozen=True)
class Response:
    """
    One answer, whole.

    Attributes:
        status: The HTTP status code.
        body: The body, decompressed.
        headers: By lower-case name.
        redaction: Takes the API key out of all that is read from the body.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    redaction: Redaction = field(default_factory=Redaction, repr=False)

    @cached_property
    def is_page(self) -> bool:
        """The body is HTML."""
        text = self.body[:8000].decode("utf-8", errors="replace").lower()
        return "<html" in text[:2000] or "<!doctype" in text[:200]

    @cached_property
    def detail(self) -> str:
        """
        What the body says, in one printable line: the API's ``detail``, a page's title, plain text, or nothing.

        ``detail`` has been seen as a string, an object with a ``message``, and the list of a 422.
        """
        text = self._text
        if self.is_page:
            # Bounded, because a hostile page could keep an unbounded search busy for minutes.
            title = re.search(r"<title[^>]{0,200}>(.{0,500}?)</title", text[:10_000], re.IGNORECASE | re.DOTALL)
            return self._printable(html.unescape(title[1])) if title else "an HTML page"
        try:
            return printable(_words(self.json(), _DEEPEST_SENTENCE))
        except ValueError:
            return self._printable(text)

    def json(self) -> Any:
        """
        Return what the body says in JSON, read leniently: one strange value must not hide those beside it.

        Bytes that are not UTF-8 become surrogates. A byte order mark does not matter, nor do control characters in
        strings. An integer of more digits than a double can have becomes an infinity.

        Raises:
            ValueError: It is not JSON, or nested too deep for Python.
        """
        try:
            return self.redaction.value(_JSON.decode(self._text))
        except RecursionError as exc:
            raise ValueError("nested too deep") from exc

    @cached_property
    def _text(self) -> str:
        # What is not UTF-8 stays apart: of two keys that differ only there, none may replace the other.
        return self.body.decode("utf-8-sig", errors="surrogateescape")

    def _printable(self, text: str, longest: int = 300) -> str:
        return printable(self.redaction.string(text), longest)

    @property
    def excerpt(self) -> str:
        """What a body that is no JSON looks like, in a few words, true for whatever bytes there are."""
        if not self.body.strip():
            return "empty"
        for marks, encoding in _MARKS.items():
            if self.body.startswith(marks):
                return f"{encoding} instead of UTF-8"
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            return f"{len(self.body)} bytes that are not UTF-8"
        # JSON's own escapes can spell what is no character.
        said = self.detail if "<" in text[:2000] else ""
        return said[:80] or self._printable(text, 80) or "no printable characters"

    @property
    def summary(self) -> str:
        """The status code with what is said about it: ``503 Service Unavailable``, ``404: Model not found``."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        detail = self.detail.rstrip(".")
        if detail.startswith(str(self.status)):  # the titles of most proxies' pages repeat the code
            return detail
        if detail and detail.lower() != phrase.lower():
            return f"{self.status}: {detail}"
        return f"{self.status} {phrase}".rstrip()

    @property
    def request_id(self) -> str:
        """What the API, or the proxy in front of it, calls the request, for a report to them; empty if it does not."""
        return next((printable(self.headers[name], 80) for name in _REQUEST_IDS if name in self.headers), "")

    def retry_after(self) -> float | None:
        """Return the seconds that the server asks us to stay away, at most a minute, or None."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", value):
            return min(float(value), LONGEST_RETRY_AFTER)
        if (then := _epoch(value)) is None:
            return None
        # By the server's own clock, because this machine's may be minutes off.
        date = _epoch(self.headers.get("date", ""))
        return min(LONGEST_RETRY_AFTER, max(0.0, then - (time.time() if date is None else date)))


def _epoch(date: str) -> float | None:
    """Return a date of HTTP in seconds since the epoch; None if it is none. Without a zone (``-0000``) it is UTC."""
    try:
        parsed = parsedate_to_datetime(date)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


async def read_body(chunks: AsyncIterable[bytes], encoding: str) -> bytes:
    """
    Gather a body of at most :data:`LARGEST_BODY`, compressed as its ``Content-Encoding`` says, which may be empty.

    Raises:
        UnavailableError: It is too large, or compressed in another way.
    """
    body = bytearray()
    unpack = _unpacker(encoding.strip().lower())
    async for chunk in chunks:
        # One byte more than allowed is enough to know; a bomb is never unpacked further.
        body += unpack(chunk, LARGEST_BODY + 1 - len(body))
        if len(body) > LARGEST_BODY:
            raise UnavailableError("a body of more than 1 MiB")
    return bytes(body)


def _unpacker(encoding: str) -> Any:
    if encoding in ("", "identity"):
        return lambda chunk, _most: chunk
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise UnavailableError(f"a body in an encoding that this package does not read ({printable(encoding, 40)})")

    def member() -> Any:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # finds out by itself whether it is gzip or zlib

    inflate = member()

    def unpack(chunk: bytes, most: int) -> bytes:
        nonlocal inflate
        unpacked = b""
        try:
            # gzip may consist of several members, one after the other.
            while chunk and len(unpacked) < most:
                inflate = member() if inflate.eof else inflate
                unpacked += inflate.decompress(chunk, most - len(unpacked))
                chunk = inflate.unused_data
        except zlib.error as exc:
            raise UnavailableError(f"a body that is not {encoding} although its headers say so") from exc
        return unpacked

    return unpack


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_INTEGER else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


_JSON = json.JSONDecoder(parse_int=_integer, strict=False)


def _words(value: Any, levels: int) -> str:
    """Find the sentence in an error's JSON, in its first *levels* levels."""
    if levels == 0:
        return ""
    if isinstance(value, dict):
        if isinstance(value.get("msg"), str):  # an entry of a 422
            parts = value["loc"] if isinstance(value.get("loc"), list) else []
            where = ".".join(
                str(part)[:_LONGEST_SENTENCE] for part in parts[:_DEEPEST_SENTENCE] if isinstance(part, (str, int))
            )
            said = value["msg"][:_LONGEST_SENTENCE]
            return f"{where}: {said}" if where else said
        for key in ("detail", "message", "error"):
            if value.get(key):
                return _words(value[key], levels - 1)
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, levels - 1) for item in value[:5])))
    return value[:_LONGEST_SENTENCE] if isinstance(value, str) else ""
