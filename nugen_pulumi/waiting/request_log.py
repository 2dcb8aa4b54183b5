"""The lines for ``--debug``: one for each HTTP request of a wait, with what was decided after it."""

from __future__ import annotations

from collections.abc import Callable

from nugen_pulumi.http.request import SentRequest


class RequestLog:
    """
    Writes the lines of one wait.

    Args:
        debug: Called with each line.
        model_id: The model.
    """

    def __init__(self, debug: Callable[[str], object], model_id: str) -> None:
        self._debug = debug
        self._model_id = model_id
        self._last = ""
        self._count = 0

    def sent(self, request: SentRequest, note: str) -> None:
        """Remember a request that is over, and a note about it."""
        self._count += 1
        self._last = f"{self._model_id}, request {self._count}{note}: {request}"

    def write(self, decision: str) -> None:
        """Write a line about the last request and the decision after it, if there was a request since the last line."""
        if self._last:
            self._debug(f"{self._last}: {decision}")
            self._last = ""
