"""Decide when to show the progress line: a terminal replaces the previous line, but a CI log keeps every line."""

from __future__ import annotations

import re
from collections.abc import Callable

# Seconds after which a line is a sign of life, though it has nothing new: the first time, and later.
FIRST_SIGN_OF_LIFE = 10.0
SIGN_OF_LIFE = 30.0


class LiveLine:
    """
    Shows a line at once when it is new; otherwise now and then.

    Args:
        report: Shows a line.

    Attributes:
        shown: There was one.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self.shown = False
        self._report = report
        self._news = ""
        self._at = 0.0
        self._due = 0.0

    def show(self, line: str, *, news: str, now: float, spacing: float = 0.0) -> None:
        """
        Show *line* if it is worth it.

        Args:
            line: What to show.
            news: What of it is news when it changes; numbers in it are not.
            now: The time, in seconds.
            spacing: Seconds since the line before that even news waits for.
        """
        news = re.sub(r"\d+", "", news) if spacing == 0 else news
        fresh = not self.shown or news != self._news
        if (fresh and (not self.shown or now - self._at >= spacing)) or now >= self._due:
            self.shown = True
            self._news, self._at = news, now
            self._due = now + max(spacing, FIRST_SIGN_OF_LIFE if fresh else SIGN_OF_LIFE)
            self._report(line)

    def end(self, line: str) -> None:
        """Show the last *line* if there was one before: without a terminal the finished row keeps it."""
        if self.shown:
            self._report(line)
