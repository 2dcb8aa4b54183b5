"""Parse and interpret the status response of the API. Independent of HTTP."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import PULUMI_SIGNATURE, AlignedModel, FleetModel, Phase, model_status
from nugen_pulumi.text import printable, well_formed


def _word(value: Any) -> Any:
    """Upper case, because the API has been seen using both; safe to print, because it may be any word."""
    return printable(value, longest=40).upper() if isinstance(value, str) else value


def _id(value: Any) -> Any:
    """As echoed: half a character must not make the response unreadable."""
    return well_formed(value) if isinstance(value, str) else value


def _time(value: Any) -> Any:
    """Times are for information only: an unexpected type must not make the response unreadable."""
    return value if value is None else str(_storable(value, _DEEPEST))


# These strings are values that are not known yet (pulumi/sdk/go/common/resource/plugin/rpc.go, Unknown*Value).
_PULUMI_UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_DEEPEST = 32
# A double holds each integer up to this one.
_LARGEST_INTEGER = 2**53


def _storable(value: Any, depth: int) -> Any:  # noqa: PLR0911 - one line for each kind of value
    """
    Leave *value*, of at most *depth* levels, as it is but for what a stack's state cannot hold.

    State has doubles and UTF-8. What it cannot hold becomes a note; an integer that a double may not hold, its digits;
    half a character, U+FFFD. Keys without a value are dropped, because the engine drops them.
    """
    if isinstance(value, str):
        return "(unknown)" if value in _PULUMI_UNKNOWN else well_formed(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "(not a number)" if math.isnan(value) else "(a number too large)"
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        return str(value) if abs(value) <= sys.float_info.max else "(a number too large)"
    if isinstance(value, (dict, list)) and depth == 0:
        return "(nested too deep)"
    if isinstance(value, dict):
        return _storable_object(value, depth)
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    return value


def _storable_object(value: dict[str, Any], depth: int) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    taken: Counter[str] = Counter()
    # What keeps its name goes first.
    for key, item in sorted(value.items(), key=lambda entry: entry[0] != _key(entry[0])):
        if item is None:
            continue
        name = base = _key(key)
        while name in stored:
            taken[base] += 1
            name = f"{base} ({taken[base] + 1})"
        stored[name] = _storable(item, depth - 1)
    return stored


def _key(key: str) -> str:
    return "(reserved key)" if key == PULUMI_SIGNATURE else well_formed(key)


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
        start_time: As answered, but for what state cannot hold. Observed to be the time of the request, not of the
            undeployment.
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

    model_id: Annotated[str, BeforeValidator(_id)]
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


# By the model's own status.
_IN_SERVICE = {**dict.fromkeys(UNDEPLOY.reached, False), **dict.fromkeys(DEPLOY.reached, True)}


class ListedModel(BaseModel):
    """
    One item of the account's list of models.

    Source: ``GET /api/v3/models/aligned``; clients have seen two shapes.

    Attributes:
        model_id: The id that the other endpoints take.
        name: What people call it, or None.
        base_model: What it was trained from, or None.
        deployment_status: The API's word in upper case, or None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, protected_namespaces=())

    model_id: Annotated[str, BeforeValidator(_id)] = Field(validation_alias=AliasChoices("model_id", "id"))
    name: Annotated[str | None, BeforeValidator(_time)] = Field(
        None, validation_alias=AliasChoices("model_name", "name")
    )
    base_model: Annotated[str | None, BeforeValidator(_time)] = Field(
        None, validation_alias=AliasChoices("base_model_id", "base_model")
    )
    deployment_status: Annotated[str | None, BeforeValidator(_word)] = None

    def recorded(self) -> AlignedModel:
        """Return what a program sees: ``deployed`` is None where the API does not say."""
        return {
            "model_id": self.model_id,
            "name": self.name,
            "base_model": self.base_model,
            "deployed": _IN_SERVICE.get(self.deployment_status or ""),
            "deployment_status": self.deployment_status,
        }


class ListPage(BaseModel):
    """One page of the list; a bare list was seen, too."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    domain_aligned_models: list[ListedModel]


class ModelStatus(BaseModel):
    """
    One answer of the newer status endpoint: the model's own status.

    Source: ``GET /api/v3/models/{model_id}/deployment/status``, as clients read it; no page describes it.

    Attributes:
        status: ``UNDEPLOYED``, ``DEPLOYING``, ``DEPLOYED``, and probably ``UNDEPLOYING``, in upper case.
        error: Why the last deployment failed, or None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    status: Annotated[str, BeforeValidator(_word)]
    error: Annotated[Any, AfterValidator(lambda value: _storable(value, _DEEPEST))] = None

    def of_task(self, model_id: str, direction: Direction) -> TaskStatus:
        """Return the status of a task, as the documented endpoint would: what cannot be known here is None."""
        phase, result = self.status, None
        if self.status in direction.reached:
            phase = Phase.COMPLETED.value
        elif self.status == direction.running:
            phase = Phase.PENDING.value
        elif self.status == direction.blocked or self.status in direction.not_started:
            phase = Phase.FAILED.value
            nothing = f"No active task. Model status is {self.status}."
            result = {"error": self.error if isinstance(self.error, str) and self.error else nothing}
        return STATUS_OF[direction](model_id=model_id, status=phase, result=result)


STATUS_OF: Mapping[Direction, type[TaskStatus]] = {UNDEPLOY: TaskStatus, DEPLOY: DeployStatus}
