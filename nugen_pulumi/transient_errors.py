"""Kinds of :class:`UnavailableError` that the package itself tells apart. None of them reaches a user's program."""

from __future__ import annotations

from nugen_pulumi.errors import UnavailableError


class RefusedError(UnavailableError):
    """
    The API has too much to do (429, 503), or the request did not get its turn: it certainly was not carried out.

    This is the response of a live API: the process gets less done, but no wait ends over it.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after, sent=False)


class MisdirectedError(UnavailableError):
    """A response about another model than the one that was asked about."""


class OutageError(UnavailableError):
    """No request of this process has got a usable response for so long that all of its waits end."""
