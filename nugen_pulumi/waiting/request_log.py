"""A line for ``--debug`` about each request of a task, and what was decided after it."""

from __future__ import annotations

from collections.abc import Callable

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.paths import DOCUMENTED
from nugen_pulumi.http.request import SentRequest


class RequestLog:
    """
    The requests of one task.

    Args:
        debug: Takes the lines.
        model_id: The model.
        client: Sends the requests, and knows which paths it uses.
    """

    def __init__(self, debug: Callable[[str], object], model_id: str, client: NugenClient) -> None:
        self._debug = debug
        self._model_id = model_id
        self._client = client
        self._last: SentRequest | None = None
        self._count = 0

    @property
    def unanswered_or_accepted(self) -> bool:
        """A request was sent since the last line, and no response says that it was not carried out."""
        return self._last is not None and (self._last.status is None or self._last.status < 300)

    def sent(self, request: SentRequest) -> None:
        """Note a request, which will get its status when there is a response."""
        self._last = request
        self._count += 1

    def decided(self, decision: str) -> None:
        """Write a line about the last request and the decision, if there was a request since the last line."""
        if self._last is not None:
            paths = "" if self._client.paths is DOCUMENTED else f" ({self._client.paths.name} paths)"
            self._debug(f"{self._model_id}, request {self._count}{paths}: {self._last}: {decision}")
            self._last = None
