"""What a stack records of a model. The one place that spells the outputs' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, TypeVar, cast

from nugen_pulumi.api.statuses import FleetModel, Phase
from nugen_pulumi.operations.inputs import NAMES, Given
from nugen_pulumi.waiting.state_size import within_budget


class ModelState(Given, total=False):
    """The properties of an ``UndeployedModel``: its inputs, and once something is known, its outputs."""

    model_id: str
    status: str
    undeployed: bool
    result: Any
    start_time: str | None
    end_time: str | None
    error: str | None


class DeployedRecord(TypedDict):
    """What is recorded of the deployment of a model."""

    status: str
    deployed: bool
    result: NotRequired[Any]
    start_time: NotRequired[str | None]
    end_time: NotRequired[str | None]
    error: NotRequired[str | None]


class DeployedState(Given, total=False):
    """The properties of a ``DeployedModel``, likewise."""

    model_id: str
    status: str
    deployed: bool
    adopted: bool
    result: Any
    start_time: str | None
    end_time: str | None
    error: str | None


class FleetState(Given, total=False):
    """The properties of an ``UndeployedModels``, likewise."""

    model_ids: list[str]
    models: dict[str, FleetModel]
    undeployed: bool
    pending: list[str]
    failed: list[str]


OF_MODEL = ("status", "undeployed", "result", "start_time", "end_time", "error")
OF_DEPLOYED = ("status", "deployed", "adopted", "result", "start_time", "end_time", "error")
OF_FLEET = ("models", "undeployed", "pending", "failed")
# Those of a fleet that hold ids of models, and what they are while there is none.
NAMING_MODELS: Mapping[str, Any] = {"models": {}, "pending": [], "failed": []}


Recorded = TypeVar("Recorded", FleetModel, DeployedRecord)


def given(props: Mapping[str, object]) -> dict[str, Any]:
    """Return the inputs among *props*: they are outputs, too."""
    return {name: props[name] for name in NAMES if name in props}


def from_state(state: ModelState) -> FleetModel | None:
    """Return what *state* records of its model, or None if nothing is known yet."""
    return cast("FleetModel | None", _record(state, "undeployed"))


def of_model(props: Mapping[str, object], model: FleetModel) -> ModelState:
    """Return the complete outputs of a single model."""
    return cast("ModelState", {**given(props), **model})


def deployed_from_state(state: DeployedState) -> DeployedRecord | None:
    """Return what *state* records of its model, or None if nothing is known yet."""
    return cast("DeployedRecord | None", _record(state, "deployed"))


def _record(state: Mapping[str, Any], flag: str) -> dict[str, Any] | None:
    if "status" not in state:
        return None
    record = {"status": state["status"], flag: state.get(flag, False)}
    return record | {name: state.get(name) for name in ("result", "start_time", "end_time", "error")}


def of_deployed(props: Mapping[str, object], model: DeployedRecord, *, adopted: bool) -> DeployedState:
    """Return the complete outputs of a deployed model."""
    return cast("DeployedState", {**given(props), **model, "adopted": adopted})


def seen_again(known: Recorded | None, seen: Recorded) -> Recorded:
    """
    Return *seen* with the times of *known* if nothing else differs.

    The API answers with the times of the request, which would be drift in every refresh.
    """
    if known is None or _without_times(seen) != _without_times(known):
        return seen
    return cast("Recorded", {**seen, "start_time": known.get("start_time"), "end_time": known.get("end_time")})


def _without_times(model: FleetModel | DeployedRecord) -> dict[str, object]:
    return {
        name: value for name, value in model.items() if name not in ("start_time", "end_time") and value is not None
    }


def of_fleet(props: FleetState, models: Mapping[str, FleetModel]) -> FleetState:
    """
    Return the complete outputs of a fleet. Where all results together are too large, the largest are left out.

    Args:
        props: Its properties, the ids among them.
        models: What is recorded of each model; nothing of those of which nothing is known.
    """
    ids = props["model_ids"]
    known = within_budget({model_id: models[model_id] for model_id in ids if model_id in models})
    failed = [model_id for model_id, model in known.items() if _failed(model)]
    over = {model_id for model_id, model in known.items() if model["undeployed"] or _failed(model)}
    computed: FleetState = {
        "models": known,
        "undeployed": len(known) == len(ids) and all(model["undeployed"] for model in known.values()),
        "pending": [model_id for model_id in ids if model_id not in over],
        "failed": failed,
    }
    return cast("FleetState", {**given(props), **computed})


def _failed(model: FleetModel) -> bool:
    return model["status"] == Phase.FAILED and not model["undeployed"]
