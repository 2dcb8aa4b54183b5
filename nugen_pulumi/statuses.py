"""The status values of the API. Imports little, because this module is also used to read state."""

from __future__ import annotations

import re
from enum import Enum


class Phase(str, Enum):
    """The words of the API for how an undeployment stands."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


# The model's own statuses in which it is out of service.
AT_REST = ("UNDEPLOYED", "EVALUATED")

# An object with this key is a secret, an asset or a reference to Pulumi (pulumi/runtime/rpc.py, _special_sig_key).
PULUMI_SIGNATURE = "4dabf18193072939515e22adb298388d"

# "No active undeployment. Model status is EVALUATED." is how the API says that no task runs (seen on the deploy twin).
_MODEL_STATUS = re.compile(r"\bmodel status is (\w+)", re.IGNORECASE)


def model_status(reason: str | None) -> str | None:
    """Return the model's own status that the *reason* of a FAILED names (``DEPLOYED``, ``UNDEPLOYED``, …), or None."""
    found = _MODEL_STATUS.search(reason or "")
    return found[1].upper() if found else None
