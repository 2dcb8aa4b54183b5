"""The bodies of the API's responses, and what is recorded of them. Independent of HTTP."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import PULUMI_SIGNATURE, AlignedModel, Phase, Record, model_status
from nugen_pulumi.text import printable, well_formed


def _word(value: Any) -> Any:
    """Upper case, because the API has been seen using both; safe to print, because it may be any word."""
    return printable(value, longest=40).upper() if isinstance(value, str) else value


def _id(value: Any) -> Any:
    """As echoed: half a character must not make the response unreadable."""
    return well_formed(value) if isinstance(value, str) else value


def _string(value: Any) -> Any:
    """Times and names are for information only: an unexpected type must not make the response unreadable."""
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


class _Body(BaseModel):
    """Unknown fields are ignored, so that a new one does not break old stacks."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        protected_namespaces=(),  # before 2.10 pydantic warns of a field called model_id
    )


class TaskStatus(_Body):
    """
    One answer of a status endpoint.

    Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``, ``…/deploy-model/{model_id}/status``.

    Attributes:
        model_id: As echoed; may differ from the one asked for.
        status: The word for the phase in upper case; usually, but not always, one of :class:`Phase`.
        result: As answered, but for what state cannot hold: free-form JSON or None. May hold the reason of a failure
            under ``error``.
        start_time: As answered, but for what state cannot hold.
        end_time: Like *start_time*.
    """

    model_id: Annotated[str, BeforeValidator(_id)]
    status: Annotated[str, BeforeValidator(_word)]
    result: Annotated[Any, AfterValidator(lambda value: _storable(value, _DEEPEST))] = None
    start_time: Annotated[str | None, BeforeValidator(_string)] = None
    end_time: Annotated[str | None, BeforeValidator(_string)] = None

    def record(self, direction: Direction) -> Record:
        """Return what is recorded of it."""
        status, error = self.status, _reason(self.result) if self.status == Phase.FAILED else None
        if model_status(error) == direction.running:
            # FAILED because no requested task runs, but the platform does the task by itself. If FAILED were saved,
            # the next `pulumi up` would treat the model as finished.
            status, error = Phase.PENDING.value, None
        reached = status == Phase.COMPLETED or model_status(error) in direction.reached
        return Record(status, reached, self.result, self.start_time, self.end_time, error)


def _reason(result: Any) -> str:
    texts = result if isinstance(result, dict) else {"error": result}
    for key in ("error", "message", "detail"):
        if isinstance(text := texts.get(key), str) and (reason := printable(text)):
            return reason
    return "no reason given"


class ModelStatus(_Body):
    """
    One answer of the newer status endpoint: the model's own status.

    Source: ``GET /api/v3/models/{model_id}/deployment/status``, as clients read it; no page describes it.

    Attributes:
        status: ``UNDEPLOYED``, ``DEPLOYING``, ``DEPLOYED``, and probably ``UNDEPLOYING``, in upper case.
        error: Why the last deployment failed, or None.
    """

    status: Annotated[str, BeforeValidator(_word)]
    error: Annotated[Any, AfterValidator(lambda value: _storable(value, _DEEPEST))] = None

    def record(self, direction: Direction) -> Record:
        """Return what would be recorded of the documented endpoint's answer; what cannot be known here is None."""
        if self.status in direction.reached:
            return Record(Phase.COMPLETED.value, reached=True)
        if self.status == direction.running:
            return Record(Phase.PENDING.value)
        if self.status not in _MODEL_STATUSES:
            return Record(self.status)
        why = self.error.rstrip(".") if isinstance(self.error, str) and self.error else "No active task"
        result = {"error": f"{why}. Model status is {self.status}."}
        return Record(Phase.FAILED.value, result=result, error=_reason(result))


_MODEL_STATUSES = {word for one in (UNDEPLOY, DEPLOY) for word in (one.running, *one.reached, *one.not_started)}
# By the model's own status.
_IN_SERVICE = {**dict.fromkeys(UNDEPLOY.reached, False), **dict.fromkeys(DEPLOY.reached, True)}


class ListedModel(_Body):
    """
    One item of the account's list of models.

    Source: ``GET /api/v3/models/aligned``; clients have seen two shapes. The attributes are those of
    :class:`AlignedModel`.
    """

    model_id: Annotated[str, BeforeValidator(_id)] = Field(validation_alias=AliasChoices("model_id", "id"))
    name: Annotated[str | None, BeforeValidator(_string)] = Field(
        None, validation_alias=AliasChoices("model_name", "name")
    )
    base_model: Annotated[str | None, BeforeValidator(_string)] = Field(
        None, validation_alias=AliasChoices("base_model_id", "base_model")
    )
    deployment_status: Annotated[str | None, BeforeValidator(_word)] = None

    def record(self) -> AlignedModel:
        """Return what a program sees: ``deployed`` is None where the API does not say."""
        return {
            "model_id": self.model_id,
            "name": self.name,
            "base_model": self.base_model,
            "deployed": _IN_SERVICE.get(self.deployment_status or ""),
            "deployment_status": self.deployment_status,
        }


class ListPage(_Body):
    """One page of the list; a bare list was seen, too."""

    domain_aligned_models: list[ListedModel]

    @model_validator(mode="before")
    @classmethod
    def _named(cls, page: Any) -> Any:
        return {"domain_aligned_models": page} if isinstance(page, list) else page
