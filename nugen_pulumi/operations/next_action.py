"""Decide what an update has to do for a model, to undeploy it or to deploy it. Sends no requests."""

from __future__ import annotations

from enum import Enum

from nugen_pulumi.api.statuses import FleetModel, Phase, model_status
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.outputs import DeployedRecord


class Action(Enum):
    """What to do next about one model."""

    NOTHING = "everything that the program asks for is recorded"
    POLL = "poll its status"
    REQUEST = "request its undeployment, or deployment, then poll its status"


def next_action(known: FleetModel | None, wanted: Inputs, *, requested: bool) -> Action:
    """
    Decide what an update does about a model that is to be undeployed.

    Args:
        known: What is recorded of the model, or None.
        wanted: The inputs.
        requested: The undeployment was requested before.
    """
    if known is None:
        return Action.REQUEST if wanted.undeploy else Action.POLL
    if known["undeployed"]:
        return Action.NOTHING
    if wanted.undeploy and not requested:
        return Action.REQUEST
    failed = known["status"] == Phase.FAILED
    deployed_again = model_status(known.get("error")) == "DEPLOYED"
    settled = not wanted.wait or (failed and wanted.on_failure == "record")
    if settled and not (wanted.undeploy and deployed_again):
        return Action.NOTHING
    return Action.REQUEST if wanted.undeploy and failed else Action.POLL


def next_deploy_action(known: DeployedRecord | None, wanted: Inputs) -> Action:
    """
    Decide what an update does about a model that is to be in service.

    Args:
        known: What is recorded of the model, or None.
        wanted: The inputs.
    """
    if known is not None and known["deployed"]:
        return Action.NOTHING
    if known is None or known["status"] == Phase.FAILED:
        return Action.REQUEST
    return Action.POLL if wanted.wait or unconfirmed(known) else Action.NOTHING


def unconfirmed(known: DeployedRecord | None) -> bool:
    """Tell whether a PENDING came from no response, so that what became of the POST is still to be found out."""
    return known is not None and known["status"] == Phase.PENDING and known.get("start_time") is None
