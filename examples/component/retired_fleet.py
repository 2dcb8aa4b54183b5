"""The rules of the house for taking models out of service, in one place."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from nugen_pulumi import UndeployedModels


class RetiredFleet(pulumi.ComponentResource):
    """
    A team's models, out of service.

    An hour is enough for all of them, none is polled more often than every ten seconds once it takes long, and one
    whose undeployment fails does not hold the others' stack up. (One that does not exist does: that is a mistake.)

    Args:
        name: The name of the component in the stack.
        opts: The usual options of a Pulumi resource; its providers are the fleet's, too.
        model_ids: The models; naming one twice does no harm.
        undeploy: Request the undeployments first. Default False.
    """

    undeployed: pulumi.Output[bool]
    """All of them are out of service."""
    reasons: pulumi.Output[dict[str, str]]
    """Why not, by the ids of those that are not."""
    summary: pulumi.Output[str]
    """Both in a few words."""

    def __init__(
        self,
        name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        model_ids: pulumi.Input[Sequence[str]],
        undeploy: pulumi.Input[bool] = False,
    ) -> None:
        super().__init__("example:index:RetiredFleet", name, None, opts)
        fleet = UndeployedModels(
            f"{name}-models",
            pulumi.ResourceOptions(parent=self),
            model_ids=pulumi.Output.from_input(model_ids).apply(lambda ids: sorted(set(ids))),
            undeploy=undeploy,
            timeout_seconds=3600,
            poll_interval_seconds=10,
            on_failure="record",
        )
        self.undeployed = fleet.undeployed
        self.reasons = fleet.models.apply(_reasons)
        self.summary = fleet.models.apply(_summary)
        self.register_outputs({"undeployed": self.undeployed, "reasons": self.reasons, "summary": self.summary})


def _reasons(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {id_: model.get("error") or model["status"] for id_, model in models.items() if not model["undeployed"]}


def _summary(models: Mapping[str, Mapping[str, Any]]) -> str:
    return f"{len(models) - len(_reasons(models))} of {len(models)} undeployed"
