"""Many models, out of service, in one resource: all are waited for at the same time."""

from collections.abc import Mapping
from typing import Any

import pulumi

from nugen_pulumi import UndeployedModels

config = pulumi.Config()


def reasons(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Tell why models are still in service."""
    return {model_id: model.get("error", "") for model_id, model in models.items() if not model["undeployed"]}


def undeployed(models: Mapping[str, Mapping[str, Any]]) -> int:
    """Count the models that are out of service."""
    return sum(model["undeployed"] for model in models.values())


fleet = UndeployedModels(
    "fleet",
    model_ids=config.get_object("modelIds") or ["support-bot-v1", "support-bot-v2", "support-bot-v3"],
    # Off unless the stack says so: a first try must not take anything out of service.
    undeploy=config.get_bool("undeploy") or False,
    # An undeployment that fails is listed in `failed`. Without this it fails the deployment, as a missing model does.
    on_failure="record",
)

pulumi.export("undeployed", fleet.undeployed)
pulumi.export("pending", fleet.pending)
pulumi.export("failed", fleet.failed)
pulumi.export("reasons", fleet.models.apply(reasons))
pulumi.export("undeployed_count", fleet.models.apply(undeployed))
