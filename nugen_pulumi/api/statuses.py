"""The status values of the API, and what is recorded of a model. Imports little: state is read without a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NotRequired, TypedDict


class Phase(StrEnum):
    """The words of the API for how a task stands: see also :mod:`nugen_pulumi.api.directions`."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


# An object with this key is a secret, an asset or a reference to Pulumi (pulumi/runtime/rpc.py, _special_sig_key).
PULUMI_SIGNATURE = "4dabf18193072939515e22adb298388d"

# "No active undeployment. Model status is EVALUATED." is how the API says that no task runs (seen on the deploy twin).
_MODEL_STATUS = re.compile(r"\bmodel status is (\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """
    What is known of the deployment or undeployment of one model, whatever the resource: from a response, or from state.

    Attributes:
        status: The word for the phase in upper case; usually, but not always, one of :class:`Phase`.
        reached: The goal is known to be reached: COMPLETED, or FAILED only because the model was there already. In
            state it is called ``undeployed`` or ``deployed``.
        result: The API's ``result``: free-form JSON or None.
        start_time: The API's ``start_time``. Observed to be the time of the request, not of the task.
        end_time: Likewise.
        error: Why it FAILED, in the API's words made safe to print; None for any other status.
        unconfirmed: It is a PENDING that no poll has shown: the request may have been carried out.
    """

    status: str
    reached: bool = False
    result: Any = None
    start_time: str | None = None
    end_time: str | None = None
    error: str | None = None
    unconfirmed: bool = False

    @classmethod
    def from_state(cls, state: Mapping[str, Any], flag: str) -> Record | None:
        """Return what *state* records, or None if nothing is known yet; *flag* is what *reached* is called there."""
        if "status" not in state:
            return None
        known = {name: state.get(name) for name in _FREE}
        return cls(state["status"], state.get(flag, False), **known, unconfirmed=state.get("unconfirmed", False))

    def outputs(self, flag: str) -> dict[str, Any]:
        """Return the properties that state holds of it; *flag* is what *reached* is called there."""
        values = {name: getattr(self, "reached" if name == flag else name) for name in output_names(flag)}
        return {name: value for name, value in values.items() if name != "unconfirmed" or value}

    @property
    def terminal(self) -> bool:
        """The status is final. An unknown status value is not: the wait continues."""
        return self.status in (Phase.COMPLETED, Phase.FAILED)

    @property
    def failed(self) -> bool:
        """It FAILED, and not only because the model was there already."""
        return self.status == Phase.FAILED and not self.reached

    @property
    def model_status(self) -> str | None:
        """The model's own status where a FAILED names it (``DEPLOYED``, ``UNDEPLOYED``, …), else None."""
        return model_status(self.error)

    def same_but_for_times(self, other: Record) -> bool:
        """Tell whether both say the same; their times are those of the poll."""
        return (self.status, self.reached, self.result, self.error) == (
            other.status,
            other.reached,
            other.result,
            other.error,
        )


# What the API writes freely.
_FREE = ("result", "start_time", "end_time", "error")


def output_names(flag: str) -> tuple[str, ...]:
    """Return the names of the properties of :meth:`Record.outputs`."""
    return tuple(flag if field.name == "reached" else field.name for field in fields(Record))


def model_status(reason: str | None) -> str | None:
    """Return the model's own status that the *reason* of a FAILED names, or None."""
    found = _MODEL_STATUS.search(reason or "")
    return found[1].upper() if found else None


class AlignedModel(TypedDict):
    """A model of the account: the entries of ``get_models().models``."""

    model_id: str
    """The id that the resources take."""
    name: str | None
    """The name that the API returned, or None."""
    base_model: str | None
    """The model that it was trained from, or None."""
    deployed: bool | None
    """Whether it is in service; None if the API does not say."""
    deployment_status: str | None
    """The API's own word, in upper case, or None."""


class FleetModel(TypedDict):
    """
    What is known about one model of a fleet: the entries of ``UndeployedModels.models``.

    The engine drops keys whose value is None. Read all keys except ``status`` and ``undeployed`` with ``get``.
    """

    status: str
    """``PENDING``, ``COMPLETED``, ``FAILED`` or any other value that the API returned, in upper case."""
    undeployed: bool
    """Known to be undeployed: COMPLETED, or FAILED only because it was already undeployed."""
    result: NotRequired[Any]
    """The ``result`` that the API returned, or None."""
    start_time: NotRequired[str | None]
    """The ``start_time`` that the API returned, or None."""
    end_time: NotRequired[str | None]
    """The ``end_time`` that the API returned, or None."""
    error: NotRequired[str | None]
    """Why the status is FAILED, or None."""
    unconfirmed: NotRequired[bool]
    """True if the DELETE may have been carried out and no poll has shown the undeployment since, else absent."""
