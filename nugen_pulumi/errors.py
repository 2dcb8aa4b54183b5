"""
Everything this package raises on purpose. A class is a decision for whoever catches it.

* NugenError
  - SettingsError           a setting is missing or wrong; nothing was sent
  - InputError              an input cannot be; nothing was sent
  - UnavailableError        no usable response; asking again may help
  - RejectedError           an answer, and asking again will not help
    - ModelNotFoundError    the API knows no such model, or not for this key
  - UndeployFailedError     the undeployment ended, badly
  - UnfinishedFleetError    some models of a fleet are not undeployed
  - WaitTimeoutError        it did not end in time
  - WaitInterruptedError    nobody wants to wait any more
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class NugenError(pulumi.RunError):
    """
    The root. Its text is one to three sentences for an operator.

    A program that does not catch one ends with these sentences and no traceback, as Pulumi does it for its own.

    Attributes:
        last_known: What was known when this was raised: the last ``UndeployStatus`` of the model; of a fleet, a
            dict with what is recorded of each model, by id. None: nothing.
        kept: Id and outputs of the resource that stays in state in spite of this error. None: it does not stay.
        traceback: The traceback of a bug in this package, for a report; empty for every expected error.
    """

    last_known: Any = None
    kept: tuple[str, Any] | None = None
    traceback: str = ""


class SettingsError(NugenError):
    """A setting is missing or wrong; nothing was sent."""


class InputError(NugenError):
    """An input of a look-up cannot be; nothing was sent. What resources are given is refused in the preview instead."""


class UnavailableError(NugenError):
    """
    No usable response: the network, an error of the server, or a body nobody can read.

    Attributes:
        retry_after: Seconds that the server asks us to stay away, or None.
        sent: False if the request certainly never left.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, sent: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.sent = sent


class RejectedError(NugenError):
    """The API answered, and would answer the same again: a bad key, a bad route, an empty account."""


class ModelNotFoundError(RejectedError):
    """The API's own ``Model not found``: the model is missing, or belongs to somebody else."""


class UndeployFailedError(NugenError):
    """The undeployment ended as FAILED."""


class UnfinishedFleetError(NugenError):
    """
    Some models of a fleet are not undeployed.

    Args:
        message: Up to ten models with their reasons, and a count of the rest.
        kept: What is known of each model, those that are undeployed among them.
    """

    def __init__(self, message: str, kept: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.last_known: Any = kept or None


class WaitTimeoutError(NugenError):
    """The undeployment was not finished when the timeout ran out."""


class WaitInterruptedError(NugenError):
    """The wait was told to stop: Ctrl-C, or an engine that went away."""
