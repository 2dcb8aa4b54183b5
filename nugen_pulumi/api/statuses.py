"""The status values of the API, and what is recorded of a status. Imports little: state is read without a request."""

from __future__ import annotations

import re
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


def model_status(reason: str | None) -> str | None:
    """Return the model's own status that the *reason* of a FAILED names (``DEPLOYED``, ``UNDEPLOYED``, …), or None."""
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
