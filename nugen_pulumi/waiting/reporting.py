"""What a wait tells while it lasts, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# Seconds after which a line is a sign of life, though it has nothing new: the first time, and later.
FIRST_SIGN_OF_LIFE = 10.0
SIGN_OF_LIFE = 30.0


class Reporter(Protocol):
    """What a wait may tell the person who waits. Each method returns at once, and never fails."""

    def report(self, line: str) -> None:
        """Show *line* in place of the line before."""
        ...

    def warn(self, message: str) -> None:
        """Show *message* so that it stays."""
        ...

    def debug(self, line: str) -> None:
        """Log *line* for people who run Pulumi with ``--debug``."""
        ...


class Silent:
    """A :class:`Reporter` that tells nobody; of many models, the debug log is told all the same."""

    def __init__(self, debug: Callable[[str], object] = lambda _: None) -> None:
        self._debug = debug

    def report(self, line: str) -> None:
        """Show nothing."""

    def warn(self, message: str) -> None:
        """Show nothing."""

    def debug(self, line: str) -> None:
        """Pass *line* on."""
        self._debug(line)


SILENT = Silent()


class LiveLine:
    """Shows a line, by means of *report*, at once when it is new; otherwise now and then."""

    def __init__(self, report: Callable[[str], object]) -> None:
        self._shown = False
        self._report = report
        self._news = ""
        self._at = 0.0
        self._due = 0.0

    def show(self, line: str, *, news: str, now: float, spacing: float = 0.0) -> None:
        """
        Show *line* if it is worth it.

        Args:
            line: What to show.
            news: What of it is news when it changes.
            now: The time.
            spacing: Seconds since the line before that even news waits for.
        """
        fresh = not self._shown or news != self._news
        if (fresh and (not self._shown or now - self._at >= spacing)) or now >= self._due:
            self._shown = True
            self._news, self._at = news, now
            self._due = now + max(spacing, FIRST_SIGN_OF_LIFE if fresh else SIGN_OF_LIFE)
            self._report(line)

    def end(self, line: str) -> None:
        """Show the last *line* if there was one before: without a terminal the finished row keeps it."""
        if self._shown:
            self._report(line)
