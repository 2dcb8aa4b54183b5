"""What a stack records of a model, or of a fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.statuses import Record, output_names
from nugen_pulumi.operations.inputs import NAMES
from nugen_pulumi.waiting.state_size import capped, largest_value

OF_MODEL = output_names(UNDEPLOY.flag)
OF_DEPLOYED = (*output_names(DEPLOY.flag), "adopted")
OF_FLEET = ("models", "undeployed", "pending", "failed")
# Those of a fleet that hold ids of models, and what they are while there is none.
NAMING_MODELS: Mapping[str, Any] = {"models": {}, "pending": [], "failed": []}


def given(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs among *props*: they are outputs, too."""
    return {name: props[name] for name in NAMES if name in props}


def seen_again(known: Record | None, seen: Record) -> Record:
    """
    Return *seen* with the times of *known* if nothing else differs.

    The API answers with the times of the request, which would be drift in every refresh.
    """
    if known is None or not seen.same_but_for_times(known):
        return seen
    return replace(seen, start_time=known.start_time, end_time=known.end_time)


def models_of(state: Mapping[str, Any]) -> dict[str, Record]:
    """Return what the *state* of a fleet records of its models."""
    models = state.get("models") or {}
    found = {model_id: Record.from_state(model, UNDEPLOY.flag) for model_id, model in models.items()}
    return {model_id: record for model_id, record in found.items() if record is not None}


def of_fleet(props: Mapping[str, Any], models: Mapping[str, Record]) -> dict[str, Any]:
    """
    Return the complete outputs of a fleet. What is too large for state is left out.

    Args:
        props: Its properties, the ids among them.
        models: What is recorded of each model; nothing of those of which nothing is known.
    """
    ids = props["model_ids"]
    largest = largest_value(len(ids))
    known = {model_id: capped(models[model_id], largest) for model_id in ids if model_id in models}
    over = {model_id for model_id, model in known.items() if model.reached or model.failed}
    return {
        **given(props),
        "models": {model_id: model.outputs(UNDEPLOY.flag) for model_id, model in known.items()},
        "undeployed": len(known) == len(ids) and all(model.reached for model in known.values()),
        "pending": [model_id for model_id in ids if model_id not in over],
        "failed": [model_id for model_id, model in known.items() if model.failed],
    }
