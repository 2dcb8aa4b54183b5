"""What is known of a wait at one moment: its progress line, and the message at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nugen_pulumi.formatting import duration
from nugen_pulumi.messages import GO_ON, MORE_TIME

if TYPE_CHECKING:
    from nugen_pulumi.errors import UnavailableError
    from nugen_pulumi.models import UndeployStatus


@dataclass(frozen=True)
class Facts:
    """
    What is known of a wait at one moment.

    Attributes:
        model_id: The model.
        last: The last status that counts, or None if nothing is known.
        error: What went wrong since, or None.
        waited: Seconds since the wait began.
        unanswered_for: Seconds since the last usable response, or since the beginning.
        early: What a poll said that may be about the time before our DELETE, or None.
    """

    model_id: str
    last: UndeployStatus | None
    error: UnavailableError | None
    waited: float
    unanswered_for: float
    early: str | None = None

    @property
    def news(self) -> str:
        """The part of the line whose change shows the line again at once."""
        return f"{self._status} {self.early} {self.error}"

    @property
    def line(self) -> str:
        """``PENDING · 1m 12s``, with the error there is."""
        early = f" · last poll: {self.early}" if self.early else ""
        error = f"{early} · {self.error}" if self.error else early
        if self.error and self.last:
            error += _since(", no usable response for ", self.unanswered_for)
        return f"{self._status}{error}{_since(' · ', self.waited)}"

    @property
    def timed_out(self) -> str:
        """The message of a wait that timed out."""
        return f"{self.unfinished} {MORE_TIME}"

    @property
    def unfinished(self) -> str:
        """The message of a wait that ended because of an outage."""
        waited = duration(self.waited)
        if self.last is None and self.early:
            return f"Model {self.model_id}: no status in {waited}. The last poll: {self.early}."
        if self.last is None:
            return f"Model {self.model_id}: no usable response in {waited}. The last error: {self.error}."
        since = ""
        if self.early:
            since = f" The last poll: {self.early}."
        elif self.error:
            since = f" Since then there was no usable response; the last error: {self.error}."
        return f"Model {self.model_id} is not undeployed after {waited}: {self._seen}.{since} {GO_ON}"

    @property
    def interrupted(self) -> str:
        """The message of a wait that was cancelled."""
        start = f"Model {self.model_id}: interrupted after {duration(self.waited)}"
        if self.last is not None:
            return f"{start}; {self._seen}. {GO_ON}"
        return f"{start} before the first usable response." + (f" The last error: {self.error}." if self.error else "")

    @property
    def _status(self) -> str:
        if self.last is None:
            return "no response yet"
        return self.last.status if self.last.known else f"{self.last.status} (unknown status)"

    @property
    def _seen(self) -> str:
        ago = f", {duration(self.unanswered_for)} ago," if self.unanswered_for >= 1 else ""
        return f"its last status{ago} was {self._status}"


def _since(text: str, seconds: float) -> str:
    """Add seconds that are worth mentioning."""
    return f"{text}{duration(seconds)}" if seconds >= 1 else ""
