"""
The errors that this package raises. The class tells what the caller can do about the error.

* NugenError
  - SettingsError           a setting is missing or wrong; nothing was sent
  - InputError              an input is invalid; nothing was sent
  - UnavailableError        a transient error: no usable response
    - OverloadedError       the API has too much to do, or the request did not get its turn
    - MisdirectedError      a response about another model
    - OutageError           the API gives no usable response to anybody
  - RejectedError           a permanent error: the API rejects the request
    - BadKeyError           the API does not accept the API key
    - GatewayError          something else than the API answered
    - NoRouteError          the API has no such endpoint
    - ModelNotFoundError    the API knows no such model, or not for this key
  - UndeployFailedError     the undeployment ended as FAILED
  - DeployFailedError       the deployment ended as FAILED
  - UnfinishedFleetError    some models of a fleet are not undeployed
  - UnforeseenError         a bug of this package
  - WaitTimeoutError        the task did not finish before the timeout
  - WaitInterruptedError    the wait was cancelled

Programs catch those that ``nugen_pulumi`` exports. The package itself tells the others apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pulumi


class Reason(NamedTuple):
    """
    Why a model is not as wanted.

    Attributes:
        what: What happened, one sentence or two.
        advice: What to do about it, a sentence each: a fleet gives each advice once for all of its models.
    """

    what: str
    advice: tuple[str, ...] = ()

    def __str__(self) -> str:
        """All of it, as one text."""
        return " ".join((self.what, *self.advice))


class NugenError(pulumi.RunError):
    """
    The base class. The message has one to three sentences for an operator.

    A program that does not catch the error ends with this message and without a traceback, as for Pulumi's own errors.

    Args:
        message: The message.

    Attributes:
        reason: The message in its parts.
        kept: Id and outputs of the resource that stays in state in spite of this error. None: it does not stay.
    """

    kept: tuple[str, Any] | None = None

    def __init__(self, message: str | Reason) -> None:
        super().__init__(str(message))
        self.reason = message if isinstance(message, Reason) else Reason(message)


class SettingsError(NugenError):
    """A setting is missing or wrong; nothing was sent."""


class InputError(NugenError):
    """An input of a look-up is invalid; no request was sent. For resources, the preview rejects invalid inputs."""


class UnavailableError(NugenError):
    """
    No usable response, because of a network error, a server error or an unreadable body.

    Attributes:
        retry_after: Seconds to wait, as requested by the server, or None.
        sent: False if the API certainly did not carry out the request.
    """

    def __init__(self, message: str | Reason, *, retry_after: float | None = None, sent: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.sent = sent


class OverloadedError(UnavailableError):
    """
    The API has too much to do (429, 503), or the request did not get its turn: it certainly was not carried out.

    This is the response of a live API: the process gets less done, and it counts against no single wait.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after, sent=False)


class MisdirectedError(UnavailableError):
    """A response about another model than the one that was asked about."""


class OutageError(UnavailableError):
    """No request of this process has got a usable response for so long that all of its waits end."""


class RejectedError(NugenError):
    """A permanent error: an invalid key, a wrong base URL, an account without credits."""


class BadKeyError(RejectedError):
    """The API does not accept the API key."""


class GatewayError(RejectedError):
    """A page, a redirect or a plain error of whatever answers in the API's place, before the API ever answered."""


class NoRouteError(RejectedError):
    """The API's own ``Not Found``: it has no such endpoint."""


class ModelNotFoundError(RejectedError):
    """The API's own ``Model not found``: the model is missing, or belongs to somebody else."""


class UndeployFailedError(NugenError):
    """The undeployment ended as FAILED."""


class DeployFailedError(NugenError):
    """The deployment ended as FAILED: the model is not in service."""


class UnfinishedFleetError(NugenError):
    """Some models of a fleet are not undeployed: up to ten models with their reasons, and a count of the rest."""


class UnforeseenError(NugenError):
    """
    A bug of this package in the wait for one model: its text has a *traceback*, for a report, and its reason has none.

    Args:
        message: The message.
        traceback: Likewise an attribute.
    """

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.args = (f"{message}\n{traceback}",)
        self.traceback = traceback


class WaitTimeoutError(NugenError):
    """The task was not finished when the timeout ran out."""


class WaitInterruptedError(NugenError):
    """The wait was cancelled by Ctrl-C, or because the engine ended."""
