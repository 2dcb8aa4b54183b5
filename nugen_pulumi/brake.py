"""How long all requests of a process hold back when the API is overloaded. No clock and no HTTP of its own."""

from __future__ import annotations

SHORTEST = 1.0
LONGEST = 16.0
LONGEST_ASKED_FOR = 60.0


class Brake:
    """
    Pressed by one exchange, it slows down all: a server that has too much to do has too much from all of us.

    Without a Retry-After each round of trouble doubles the time to hold back, from :data:`SHORTEST` to
    :data:`LONGEST` seconds; the first good answer takes that back.
    """

    def __init__(self) -> None:
        self._until = float("-inf")
        self._step = 0.0

    def press(self, now: float, *, began: float, retry_after: float | None) -> None:
        """
        Note that an exchange was refused for overload.

        Args:
            now: Seconds of any clock that never goes back.
            began: When that exchange began: those that were under way together are one round.
            retry_after: Seconds that the server asked for, or None.
        """
        if began >= self._until:
            self._step = min(LONGEST, max(SHORTEST, 2 * self._step))
        wanted = self._step if retry_after is None else min(retry_after, LONGEST_ASKED_FOR)
        self._until = max(self._until, now + wanted)

    def release(self) -> None:
        """Note a good answer."""
        self._step = 0.0

    def hold(self, now: float) -> float:
        """Return the seconds to hold back from now on."""
        return max(0.0, self._until - now)
