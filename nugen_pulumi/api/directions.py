"""The two tasks of the API, deployment and undeployment, as data. Imports nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Direction:
    """
    One of the two tasks. A request starts it, and a status endpoint of the same shape tells how it stands.

    The model's own statuses are words of the API's ``No active … Model status is …``; what they mean is believed, not
    documented.

    Attributes:
        method: The HTTP method of the request that starts the task.
        kind: The name of its endpoints among the documented paths.
        flag: The output that says whether the goal is reached.
        reached: The model's own statuses in which the goal is reached.
        running: The model's own status while the task runs.
        blocked: The model's own status while the opposite task runs: the request can only be carried out after it.
        not_started: The model's own statuses in which it rests on the other side: the task never ran, or was reverted.
        unfinished: What to say of a model, before the time, for which it is not finished.
        will: What an update that requests it says.
    """

    method: Literal["DELETE", "POST"]
    kind: str
    flag: Literal["undeployed", "deployed"]
    reached: frozenset[str]
    running: str
    blocked: str
    not_started: frozenset[str]
    unfinished: str
    will: str


UNDEPLOY = Direction(
    method="DELETE",
    kind="undeploy-model",
    flag="undeployed",
    reached=frozenset({"UNDEPLOYED", "EVALUATED"}),
    running="UNDEPLOYING",
    blocked="DEPLOYING",
    # READY is in neither: one source calls a model so that rests, another one that serves.
    not_started=frozenset({"DEPLOYED"}),
    unfinished="is not undeployed after",
    will="undeploy",
)
DEPLOY = Direction(
    method="POST",
    kind="deploy-model",
    flag="deployed",
    reached=frozenset({"DEPLOYED"}),
    running="DEPLOYING",
    blocked="UNDEPLOYING",
    not_started=frozenset({"UNDEPLOYED", "EVALUATED", "READY"}),
    unfinished="is not deployed after",
    will="deploy",
)
