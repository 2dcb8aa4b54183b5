"""Measure how long the process has had no usable response. One instance for each process; has no clock."""

from __future__ import annotations

# Seconds without one usable response to any request of the process, after which all of its waits end.
LONGEST_OUTAGE = 300.0
# The same for a single poll that is not part of a wait: a refresh, or a look-up from a program.
LONGEST_OUTAGE_OF_POLL = 30.0


class Outage:
    """
    Knows since when no request of the process got a usable response.

    Attributes:
        answered_ever: There was a usable response. If not, the address may be wrong.
    """

    def __init__(self) -> None:
        self.answered_ever = False
        self._failing_since: float | None = None

    def answered(self) -> None:
        """Note a usable response: one that says what it was asked for, or that asking again will not help."""
        self.answered_ever = True
        self._failing_since = None

    def failed(self, now: float) -> None:
        """Note a request without a usable response, at *now*: seconds of any clock that never goes back."""
        if self._failing_since is None:
            self._failing_since = now

    def unanswered_for(self, now: float) -> float:
        """Return the seconds since requests began to fail; 0 if the last one got a usable response."""
        return 0.0 if self._failing_since is None else now - self._failing_since
