"""Decide what an update has to do for a model. Sends no requests."""

from __future__ import annotations

from enum import Enum

from nugen_pulumi.api.directions import DEPLOY, Direction
from nugen_pulumi.api.statuses import Phase, Record
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.waiting.task_state import Goal


class Action(Enum):
    """What to do next about one model."""

    NOTHING = "everything that the program asks for is recorded"
    POLL = "poll its status"
    REQUEST = "request its undeployment, or deployment, then poll its status"


def next_action(
    known: Record | None,
    wanted: Inputs,
    direction: Direction,
    *,
    requested: bool,
) -> Action:
    """
    Decide what an update does about a model.

    Args:
        known: What is recorded of it, or None.
        wanted: The inputs.
        direction: Undeployment or deployment.
        requested: Its undeployment was requested before.
    """
    if known is None:
        return Action.REQUEST if wanted.requests(direction) else Action.POLL
    if known.reached:
        return Action.NOTHING
    if wanted.undeploy and not requested:
        return Action.REQUEST
    failed = known.status == Phase.FAILED
    if direction is DEPLOY:  # the resource exists as long as the model is in service
        settled = not (wanted.wait or failed)
    else:
        deployed_again = wanted.undeploy and known.model_status in direction.not_started
        settled = not deployed_again and (not wanted.wait or (failed and wanted.on_failure == "record"))
    if settled and not known.unconfirmed:
        return Action.NOTHING
    return Action.REQUEST if failed and wanted.requests(direction) else Action.POLL


def goal_of(direction: Direction, action: Action, known: Record | None, wanted: Inputs) -> Goal:
    """Return what the wait of an update is for. What nobody asks for any more is not sent again."""
    request = action is Action.REQUEST
    lost = known is not None and known.unconfirmed
    return Goal(direction, request, unconfirmed=lost and not request and wanted.requests(direction))
