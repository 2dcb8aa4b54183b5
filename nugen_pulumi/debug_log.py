"""Collect lines for ``pulumi up --debug``. Without ``--debug``, the engine drops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# Seconds between two messages to the engine. One for each line would cost a tenth of an HTTP request.
_BETWEEN_MESSAGES = 1.0


class DebugLog:
    """
    Gathers lines and passes them on together. Thread-safe.

    Args:
        send: Shows a message, whose lines end in line breaks.
        clock: Seconds of any clock that never goes back.
    """

    def __init__(self, send: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._sent_at = clock()

    def add(self, line: str) -> None:
        """Pass *line* on: at once, or together with those that follow within a second."""
        with self._lock:
            self._lines.append(line)
            due = self._clock() - self._sent_at >= _BETWEEN_MESSAGES
        if due:
            self.flush()

    def flush(self) -> None:
        """Pass on what was gathered."""
        with self._lock:
            lines, self._lines, self._sent_at = self._lines, [], self._clock()
        if lines:
            self._send("\ndebug: ".join(lines))  # as the engine begins a message, so that a search finds each line
