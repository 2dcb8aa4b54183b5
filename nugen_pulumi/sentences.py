"""What an operator reads about a wait: the live line while it lasts, one to three sentences when it ends badly."""

from __future__ import annotations

from dataclasses import dataclass

from nugen_pulumi.errors import UnavailableError
from nugen_pulumi.models import UndeployStatus
from nugen_pulumi.text import duration

GO_ON = "The next `pulumi up` goes on waiting."


@dataclass(frozen=True)
class Facts:
    """
    What is known of a wait at one moment.

    Attributes:
        model_id: The model.
        last: The last status that counts, or None if nothing was learnt.
        trouble: What went wrong since, or None.
        waited: Seconds since the wait began.
        silent: Seconds since the last readable answer, or since the beginning.
    """

    model_id: str
    last: UndeployStatus | None
    trouble: UnavailableError | None
    waited: float
    silent: float

    @property
    def line(self) -> str:
        """``PENDING · 1m 12s``, with the trouble there is."""
        trouble = f" · {self.trouble}, no usable answer for {duration(self.silent)}" if self.trouble else ""
        return f"{self._status}{trouble} · {duration(self.waited)}"

    @property
    def unfinished(self) -> str:
        """Why a wait ends that ran out of time or patience."""
        if self.last is None:
            return (
                f"Model {self.model_id}: no usable answer in {duration(self.waited)}. The last trouble: {self.trouble}."
            )
        trouble = f" Since then there was no usable answer; the last trouble: {self.trouble}." if self.trouble else ""
        return f"Model {self.model_id} is not undeployed after {duration(self.waited)}: {self._seen}.{trouble} {GO_ON}"

    @property
    def interrupted(self) -> str:
        """Why a wait ends that was told to."""
        start = f"Model {self.model_id}: interrupted after {duration(self.waited)}"
        return f"{start}, before anything was learnt." if self.last is None else f"{start}; {self._seen}. {GO_ON}"

    @property
    def _status(self) -> str:
        if self.last is None:
            return "no answer yet"
        return self.last.status if self.last.known else f"{self.last.status} (a status unknown to this version)"

    @property
    def _seen(self) -> str:
        return f"its last status, {duration(self.silent)} ago, was {self._status}"
