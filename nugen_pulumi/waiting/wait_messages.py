"""The sentences of a wait: its live line, and the message at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import Phase, Record
from nugen_pulumi.errors import OutageError, OverloadedError, Reason, UnavailableError
from nugen_pulumi.text import duration

_GO_ON = "{} continues to wait."
_START_AGAIN = "{} starts again."
# What goes on after an error, as the beginning of a sentence.
NEXT_UP = "The next `pulumi up`"
GO_ON = _GO_ON.format(NEXT_UP)
START_AGAIN = _START_AGAIN.format(NEXT_UP)
MORE_TIME = "To wait longer, raise timeout_seconds."


@dataclass(frozen=True)
class Facts:
    """
    What is known of a wait at one moment.

    Attributes:
        last: The last status that counts, or None.
        error: Why there was no usable response to the last request, or None.
        waited: Seconds since the wait began.
        unanswered_for: Seconds since the last usable response, or since the beginning.
        outdated: What the last poll said, if that may be from before the request; else None.
        lost: The request was sent, and it is not known whether it was carried out.
        direction: Undeployment or deployment.
        again: What goes on after an error, as the beginning of a sentence.
    """

    model_id: str
    last: Record | None
    error: UnavailableError | None
    waited: float
    unanswered_for: float
    outdated: str | None = None
    lost: bool = False
    direction: Direction = UNDEPLOY
    again: str = NEXT_UP

    @property
    def news(self) -> str:
        """What shows the line again at once when it changes: no numbers."""
        return re.sub(r"\d+", "", f"{self._status} {self.outdated} {self.error}")

    @property
    def line(self) -> str:
        """``PENDING · 1m 12s``, with the error there is."""
        outdated = f" · last poll: {self.outdated}" if self.outdated else ""
        error = f"{outdated} · {self.error}" if self.error else outdated
        if self.error and self.last:
            error += _since(", no usable response for ", self.unanswered_for)
        return f"{self._status}{error}{_since(' · ', self.waited)}"

    @property
    def timed_out(self) -> Reason:
        """Why a wait timed out."""
        # More time helps a wait that goes well, or one that is held up by a rate limit.
        helps = (self.last is not None and not self.error) or isinstance(self.error, OverloadedError)
        what, advice = self.given_up
        return Reason(what, (*advice, MORE_TIME) if helps else advice)

    @property
    def given_up(self) -> Reason:
        """Why a wait ended without a terminal status."""
        waited = duration(self.waited)
        if self.last is not None:
            what = f"Model {self.model_id} {self.direction.unfinished} {waited}: {self._seen}.{self._since_then}"
            return Reason(what, (_GO_ON.format(self.again),))
        if self.outdated:
            return self._start_again(f"no status in {waited}.{self._since_then}")
        if isinstance(self.error, OutageError):
            return self._start_again(f"{self.error}.")
        return self._start_again(f"no usable response in {waited}. The last error: {self.error}.")

    @property
    def interrupted(self) -> Reason:
        """Why a wait that was cancelled ended."""
        after = f"interrupted after {duration(self.waited)}"
        if self.last is not None:
            return Reason(f"Model {self.model_id}: {after}; {self._seen}.", (_GO_ON.format(self.again),))
        if self.outdated:
            return self._start_again(f"{after}.{self._since_then}")
        error = f" The last error: {self.error}." if self.error else ""
        return self._start_again(f"{after} before the first usable response.{error}")

    @property
    def _since_then(self) -> str:
        said = f" The last poll: {self.outdated}." if self.outdated else ""
        if isinstance(self.error, OutageError):
            return f"{said} Since then {self.error}."
        if self.error:
            return f"{said} Since then there was no usable response; the last error: {self.error}."
        return said

    @property
    def unpolled(self) -> Reason:
        """Why a single poll told nothing."""
        return Reason(f"Model {self.model_id}: no usable response to a single poll: {self.error}.")

    def _start_again(self, what: str) -> Reason:
        what, again = f"Model {self.model_id}: {what}", (_START_AGAIN.format(self.again),)
        if not self.lost:
            return Reason(what, again)
        what += f" The API may have carried out the {self.direction.method}"
        if self.direction is DEPLOY:  # it is recorded, because it may cost
            return Reason(f"{what}.", (_GO_ON.format(self.again),))
        return Reason(f"{what}, and it does no harm to repeat it.", again)

    @property
    def _status(self) -> str:
        if self.last is None:
            return "no status yet" if self.outdated else "no response yet"
        return self.last.status if self.last.status in Phase.__members__ else f"{self.last.status} (unknown status)"

    @property
    def _seen(self) -> str:
        ago = f", {duration(self.unanswered_for)} ago," if self.unanswered_for >= 1 else ""
        return f"its last status{ago} was {self._status}"


def _since(text: str, seconds: float) -> str:
    """Add seconds that are worth mentioning."""
    return f"{text}{duration(seconds)}" if seconds >= 1 else ""
