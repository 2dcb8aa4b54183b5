"""What an operator reads about a wait: the live line while it lasts, one to three sentences when it ends badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nugen_pulumi.formatting import duration
from nugen_pulumi.statuses import model_status

if TYPE_CHECKING:
    from nugen_pulumi.errors import UnavailableError
    from nugen_pulumi.inputs import Inputs
    from nugen_pulumi.models import UndeployStatus
    from nugen_pulumi.outputs import FleetModel

GET_ADVICE = 'To read it as it is: wait=False, or on_failure="record".'
GO_ON = "The next `pulumi up` goes on waiting."
REQUEST_AGAIN = "The next `pulumi up` requests it again."


_NAMED = 10


def unfinished_fleet(total: int, reasons: Sequence[str]) -> str:
    """
    Say which of *total* models are not undeployed: up to ten with their reasons, and how many more there are.

    Args:
        total: How many models were waited for.
        reasons: The sentences of those that are not undeployed.
    """
    return _fleet(total, reasons, "not undeployed", "The next `pulumi up` goes on with what is left.")


def unseen_fleet(total: int, reasons: Sequence[str]) -> str:
    """As :func:`unfinished_fleet`, of a refresh."""
    return _fleet(total, reasons, "without an answer", "State is as it was.")


def failed(model_id: str, model: FleetModel, wanted: Inputs, advice: str | None = None) -> str | None:
    """
    Return why a model is not undeployed, or None if it is, or if its failure is *wanted* as an output.

    Args:
        model_id: The model.
        model: What is known of it: a terminal status.
        wanted: The inputs.
        advice: What to do about it; by default it follows from the inputs.
    """
    if model["undeployed"] or wanted.on_failure == "record":
        return None
    reason = (model.get("error") or "").rstrip(".")
    return f"Model {model_id} was not undeployed: {reason}. {advice or _advice(model, wanted)}"


def _advice(model: FleetModel, wanted: Inputs) -> str:
    now = model_status(model.get("error"))
    if now == "READY":
        return "READY is ambiguous: the model may be in service or at rest; look it up where you manage your models."
    if wanted.undeploy:
        return REQUEST_AGAIN
    if now == "DEPLOYED":
        return "Nothing has requested it: set undeploy=True."
    return "The next `pulumi up` polls again; with undeploy=True it requests it first."


def drift(model_id: str, known: FleetModel | None, seen: FleetModel) -> str | None:
    """Say what a refresh has *seen* of a model that was *known* to be undeployed and no longer is; else None."""
    if known is None or not known["undeployed"] or seen["undeployed"]:
        return None
    return f"Model {model_id} is no longer undeployed: {seen.get('error') or seen['status']}".rstrip(".") + "."


def acts_on(*, settled: bool) -> str:
    """Say whether the next ``pulumi up`` does something about a drift; it does not if the resource is *settled*."""
    return "Nothing in the program asks for more." if settled else "The next `pulumi up` acts on it."


def fleet_drift(total: int, reasons: Sequence[str], *, settled: bool) -> str:
    """As :func:`drift`, of a fleet, and what comes next."""
    return _fleet(total, reasons, "no longer undeployed", acts_on(settled=settled))


def _fleet(total: int, reasons: Sequence[str], what: str, tail: str) -> str:
    # What the next `pulumi up` does is said once, for all of them.
    named = [f"  {reason.removesuffix(GO_ON).removesuffix(REQUEST_AGAIN).rstrip()}" for reason in reasons[:_NAMED]]
    more = [f"  … and {len(reasons) - _NAMED} more."] if len(reasons) > _NAMED else []
    head = f"{len(reasons)} of {total} models {'is' if len(reasons) == 1 else 'are'} {what}:"
    return "\n".join([head, *named, *more, tail])


@dataclass(frozen=True)
class Facts:
    """
    What is known of a wait at one moment.

    Attributes:
        model_id: The model.
        last: The last status that counts, or None if nothing is known.
        error: What went wrong since, or None.
        waited: Seconds since the wait began.
        unanswered_for: Seconds since the last readable answer, or since the beginning.
        early: What a poll said that may be about the time before our DELETE, or None.
    """

    model_id: str
    last: UndeployStatus | None
    error: UnavailableError | None
    waited: float
    unanswered_for: float
    early: str | None = None

    @property
    def line(self) -> str:
        """``PENDING · 1m 12s``, with the error there is."""
        early = f" · polled: {self.early}" if self.early else ""
        error = f"{early} · {self.error}" if self.error else early
        if self.error and self.last:
            error += f", no usable answer for {duration(self.unanswered_for)}"
        return f"{self._status}{error} · {duration(self.waited)}"

    @property
    def unfinished(self) -> str:
        """Why a wait ends that ran out of time, or met an outage that lasted too long."""
        if self.last is None:
            return f"Model {self.model_id}: no usable answer in {duration(self.waited)}. The last error: {self.error}."
        error = f" Since then there was no usable answer; the last error: {self.error}." if self.error else ""
        return f"Model {self.model_id} is not undeployed after {duration(self.waited)}: {self._seen}.{error} {GO_ON}"

    @property
    def interrupted(self) -> str:
        """Why a wait ends that was told to."""
        start = f"Model {self.model_id}: interrupted after {duration(self.waited)}"
        return f"{start}, before anything was known." if self.last is None else f"{start}; {self._seen}. {GO_ON}"

    @property
    def _status(self) -> str:
        if self.last is None:
            return "no answer yet"
        return self.last.status if self.last.known else f"{self.last.status} (a status unknown to this version)"

    @property
    def _seen(self) -> str:
        return f"its last status, {duration(self.unanswered_for)} ago, was {self._status}"
