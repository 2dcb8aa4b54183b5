"""What a stack keeps of a model, and when nothing is left to find out. The one place that spells the outputs' names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from nugen_pulumi.budget import within_budget
from nugen_pulumi.inputs import NAMES, Inputs
from nugen_pulumi.statuses import Phase, model_status

if TYPE_CHECKING:
    from nugen_pulumi.models import UndeployStatus

TIMES = ("start_time", "end_time")
OF_MODEL = ("status", "undeployed", "result", *TIMES, "error")
OF_FLEET = ("models", "undeployed", "pending", "failed")


class _AlwaysThere(TypedDict):
    status: str
    """``PENDING``, ``COMPLETED`` or ``FAILED``, in upper case; or any other word that the API used."""
    undeployed: bool
    """Known to be undeployed: COMPLETED, or FAILED only because it had been undeployed already."""


class FleetModel(_AlwaysThere, total=False):
    """
    What a fleet knows of one model: the entries of ``UndeployedModels.models``.

    Keys whose value is None are absent in a program, because they do not survive the way through the engine: read
    these with ``get``.
    """

    result: Any
    """The API's ``result`` as answered, or None."""
    start_time: str | None
    """The API's ``start_time`` as answered, or None."""
    end_time: str | None
    """The API's ``end_time`` as answered, or None."""
    error: str | None
    """The reason of a FAILED, or None."""


def given(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs among *props*: they are outputs, too."""
    return {name: props[name] for name in NAMES if name in props}


def entry(status: UndeployStatus) -> FleetModel:
    """Return what is kept of one model."""
    return {
        "status": status.status,
        "undeployed": status.undeployed,
        "result": status.result,
        "start_time": status.start_time,
        "end_time": status.end_time,
        "error": status.error,
    }


def seen_again(known: Mapping[str, Any], seen: FleetModel) -> FleetModel:
    """
    Return *seen* with the times of *known* if nothing else differs.

    The API answers with the times of the request, which would be drift in every refresh.
    """
    if any(seen.get(name) != known.get(name) for name in OF_MODEL if name not in TIMES):
        return seen
    return {**seen, "start_time": known.get("start_time"), "end_time": known.get("end_time")}


def of_fleet(props: Mapping[str, Any], models: Mapping[str, FleetModel]) -> dict[str, Any]:
    """
    Return the complete outputs of a fleet. Where all results together are too large, the largest are left out.

    Args:
        props: Its properties, the ids among them.
        models: What is kept of each model; nothing of those of which nothing is known.
    """
    ids = props["model_ids"]
    known = within_budget({model_id: models[model_id] for model_id in ids if model_id in models})
    failed = [model_id for model_id, kept in known.items() if kept["status"] == Phase.FAILED and not kept["undeployed"]]
    return {
        **given(props),
        "models": known,
        "undeployed": len(known) == len(ids) and all(kept["undeployed"] for kept in known.values()),
        "pending": [
            i for i in ids if i not in known or not (known[i]["undeployed"] or known[i]["status"] == Phase.FAILED)
        ],
        "failed": failed,
    }


def settled(known: Mapping[str, Any] | None, wanted: Inputs) -> bool:
    """Tell whether nothing is left to find out of a model of which *known* is kept, if anything."""
    if known is None:
        return False
    if known.get("undeployed"):
        return True
    if wanted.undeploy and model_status(known.get("error")) == "DEPLOYED":
        return False  # somebody has deployed it again, whatever else the program wants to know
    return not wanted.wait or (known.get("status") == Phase.FAILED and wanted.on_failure == "record")


def to_ask(olds: Mapping[str, Any], known: Mapping[str, Any] | None, wanted: Inputs) -> bool | None:
    """
    Tell whether an update has to ask the API about a model.

    Args:
        olds: The resource in state.
        known: What state keeps of the model, or None.
        wanted: The inputs.

    Returns:
        None: nothing is left to find out. False: go on waiting. True: request the undeployment first, because that was
        never done, or it FAILED.
    """
    never_asked = wanted.undeploy and (known is None or not olds.get("undeploy"))
    if known is not None and (known.get("undeployed") or (settled(known, wanted) and not never_asked)):
        return None
    return never_asked or (wanted.undeploy and known is not None and known.get("status") == Phase.FAILED)


def fleet_settled(olds: Mapping[str, Any], ids: Iterable[str], wanted: Inputs) -> bool:
    """Tell whether nothing is left to find out of any model of a fleet."""
    models = olds.get("models") or {}
    return all(settled(models.get(model_id), wanted) for model_id in ids)
