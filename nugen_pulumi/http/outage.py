"""Since when no request of the process was of use, and how long that is waited out. Has no clock, no HTTP."""

from __future__ import annotations

# Seconds without one usable response to any request of the process after which all of its waits end: the restart of an
# API takes minutes.
LONGEST_OUTAGE = 300.0
# The same where nobody ever got one, because the address may be wrong; and for a single poll: a person waits for it.
LONGEST_FIRST_OUTAGE = 30.0


class Outage:
    """
    Knows since when no request of the process got a usable response: an answer of the API, or its permanent error.

    Attributes:
        answered_ever: There was one. If not, the address may be wrong.
        error: The last error; empty if the last response was usable.
    """

    def __init__(self) -> None:
        self.answered_ever = False
        self.error = ""
        self._since = 0.0

    @property
    def longest(self) -> float:
        """Seconds for which a wait puts up with failed requests."""
        return LONGEST_OUTAGE if self.answered_ever else LONGEST_FIRST_OUTAGE

    def answered(self) -> None:
        """Note a usable response."""
        self.answered_ever, self.error = True, ""

    def failed(self, now: float, error: str) -> None:
        """Note a request without a usable response, and why, at *now*: seconds of any clock that never goes back."""
        if not self.error:
            self._since = now
        self.error = error

    def failing_for(self, now: float) -> float:
        """Return the seconds since requests began to fail; 0 if the last one got a usable response."""
        return now - self._since if self.error else 0.0
