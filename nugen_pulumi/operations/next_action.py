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


def settled(known: FleetModel | None, wanted: Inputs) -> bool:
    """
    Tell whether there is nothing left to find out about a model that is to be undeployed.

    Args:
        known: What is recorded of the model, or None.
        wanted: The inputs.
    """
    if known is None:
        return False
    if known["undeployed"]:
        return True
    if wanted.undeploy and model_status(known.get("error")) == "DEPLOYED":
        return False  # somebody has deployed it again, which the program does not want
    return not wanted.wait or (known["status"] == Phase.FAILED and wanted.on_failure == "record")


def next_action(known: FleetModel | None, wanted: Inputs, *, requested: bool) -> Action:
    """
    Decide what an update does about a model that is to be undeployed.

    Args:
        known: What is recorded of the model, or None.
        wanted: The inputs.
        requested: The undeployment was requested before.
    """
    never_requested = wanted.undeploy and (known is None or not requested)
    if known is not None and (known["undeployed"] or (settled(known, wanted) and not never_requested)):
        return Action.NOTHING
    failed = known is not None and known["status"] == Phase.FAILED
    return Action.REQUEST if never_requested or (wanted.undeploy and failed) else Action.POLL


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
