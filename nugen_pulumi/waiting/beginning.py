"""How a wait, or a single poll, begins. Imports little: operations say it before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.statuses import FleetModel
from nugen_pulumi.waiting.wait_messages import NEXT_UP


@dataclass(frozen=True)
class Beginning:
    """
    How a task begins.

    Attributes:
        direction: Undeployment or deployment.
        request: Send the request that starts it first. It is sent again if the API certainly did not carry it out,
            because it was not sent, was refused for overload, or has to wait for the opposite task. After any other
            error, the status shows whether it was carried out. If the model still rests on the other side after the
            grace period, it is sent again, at most three times.
        before: What was recorded of the model before its task is requested, or None.
        look_first: Poll once before the request, to know what the status endpoint may still say after it.
        unconfirmed: An earlier wait may have sent the request, of whose fate nothing is known.
        again: What goes on after an error, as the beginning of a sentence.
    """

    direction: Direction = UNDEPLOY
    request: bool = False
    before: FleetModel | None = None
    look_first: bool = False
    unconfirmed: bool = False
    again: str = NEXT_UP


ONLY_POLL = Beginning()
