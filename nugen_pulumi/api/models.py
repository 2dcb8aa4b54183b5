"""Parse and interpret the status response of the API. Independent of HTTP."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PrivateAttr

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import PULUMI_SIGNATURE, FleetModel, Phase, model_status
from nugen_pulumi.text import printable


def _word(value: Any) -> Any:
    """Upper case, because the API has been seen using both; safe to print, because it may be any word."""
    return printable(value, longest=40).upper() if isinstance(value, str) else value


def _time(value: Any) -> Any:
    """Times are for information only: an unexpected type must not make the response unreadable."""
    return value if value is None else _storable(str(value), 0)


# This string is a value that is not known yet (pulumi/runtime/rpc.py, UNKNOWN).
_PULUMI_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_DEEPEST = 32


def _storable(value: Any, depth: int) -> Any:  # noqa: PLR0911 - one line for each kind of value
    """
    Leave *value*, of at most *depth* levels, as it is but for what a stack's state cannot hold.

    NaN and infinity become None. Numbers that do not fit into a double, and values that are nested too deep, become a
    note. Pulumi's special key is dropped, and also keys without a value, which the engine drops.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return "(a number too large)"
    if depth == 0 and isinstance(value, (dict, list)):
        return "(nested too deep)"
    if isinstance(value, dict):
        stored = {key: _storable(item, depth - 1) for key, item in value.items() if key != PULUMI_SIGNATURE}
        return {key: item for key, item in stored.items() if item is not None}
    if value == _PULUMI_UNKNOWN:
        return "(unknown)"
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    return value


class TaskStatus(BaseModel):
    """
    One answer of a status endpoint; of the undeployment, where a subclass does not say otherwise.

    Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``. Unknown fields are ignored, so that a new one
    does not break old stacks.

    Attributes:
        model_id: As echoed; may differ from the one asked for.
        status: The word for the phase in upper case; usually, but not always, one of :class:`Phase`.
        result: As answered, but for what state cannot hold: free-form JSON or None. May hold the reason of a failure
            under ``error``.
        start_time: As answered, untouched. Observed to be the time of the request, not of the undeployment.
        end_time: Like *start_time*.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        protected_namespaces=(),  # before 2.10 pydantic warns of a field called model_id
    )

    direction: ClassVar[Direction] = UNDEPLOY
    _adopted: bool = PrivateAttr(default=False)
    _already: bool = PrivateAttr(default=False)

    model_id: str
    status: Annotated[str, BeforeValidator(_word)]
    result: Annotated[Any, AfterValidator(lambda value: _storable(value, _DEEPEST))] = None
    start_time: Annotated[str | None, BeforeValidator(_time)] = None
    end_time: Annotated[str | None, BeforeValidator(_time)] = None

    @property
    def adopted(self) -> bool:
        """The model was there, or on its way, before we asked for it."""
        return self._adopted

    @property
    def rests(self) -> bool:
        """The API said that the model was there already, and calls its state at rest by another name than the usual."""
        known = self.model_status
        busy = {self.direction.running, self.direction.blocked, *self.direction.not_started}
        return self._already and known is not None and known not in busy

    def marked(self, *, adopted: bool, already: bool) -> Self:
        """
        Return a copy that knows how the task began.

        Args:
            adopted: The model was there, or on its way, before we asked for it.
            already: It was there.
        """
        copy = self.model_copy()
        copy._already = already  # noqa: SLF001 - our own
        copy._adopted = adopted  # noqa: SLF001 - our own
        return copy

    @property
    def terminal(self) -> bool:
        """The status is final. An unknown status value is not: the wait continues."""
        return self.status in (Phase.COMPLETED, Phase.FAILED)

    @property
    def known(self) -> bool:
        """The API used one of its documented words."""
        return self.status in Phase.__members__

    @property
    def reached(self) -> bool:
        """The goal is known to be reached: COMPLETED, or FAILED only because the model was there already."""
        return self.status == Phase.COMPLETED or self.model_status in self.direction.reached

    @property
    def model_status(self) -> str | None:
        """The model's own status where a FAILED names it (``DEPLOYED``, ``UNDEPLOYED``, …), else None."""
        return model_status(self.error)

    @property
    def error(self) -> str | None:
        """Why it FAILED, in the API's words made safe to print; None for any other status."""
        if self.status != Phase.FAILED:
            return None
        texts = self.result if isinstance(self.result, dict) else {"error": self.result}
        for key in ("error", "message", "detail"):
            if isinstance(text := texts.get(key), str) and (reason := printable(text)):
                return reason
        return "no reason given"

    def recorded(self) -> FleetModel:
        """Return what is recorded of the model. Where it is a deployment's, ``deployed`` stands for ``undeployed``."""
        recorded = {
            "status": self.status,
            self.direction.flag: self.reached,
            "result": self.result,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "error": self.error,
        }
        return cast("FleetModel", recorded)


class DeployStatus(TaskStatus):
    """As above, of the deployment. Source: ``GET /api/v3/models/deploy-model/{model_id}/status``."""

    direction: ClassVar[Direction] = DEPLOY


STATUS_OF: Mapping[Direction, type[TaskStatus]] = {UNDEPLOY: TaskStatus, DEPLOY: DeployStatus}
