"""How far a task has come, and which statuses are about it. Pure: sends nothing and has no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.start_answers import Started
from nugen_pulumi.api.statuses import Phase, Record

_MOST_REPEATS = 3


@dataclass(frozen=True)
class Goal:
    """
    What a wait, or a single poll, is for.

    Attributes:
        direction: Undeployment or deployment.
        request: Send the request that starts the task first. It is sent again if the API certainly did not carry it
            out, because it was not sent, was refused for overload, or has to wait for the opposite task. After any
            other error, the status shows whether it was carried out. If the model still rests on the other side after
            the grace period, it is sent again, at most three times.
        unconfirmed: An earlier wait may have sent the request, and no poll has shown its task since.
    """

    direction: Direction = UNDEPLOY
    request: bool = False
    unconfirmed: bool = False


ONLY_POLL = Goal()


class At(Enum):
    """Where a task is."""

    POLL = "nothing is requested: every status counts"
    LOOK = "a poll before the request is due: what it shows is no answer to the request"
    ASK = "the request is due"
    LOST = "the request was sent, and nobody knows whether it was carried out"
    SENT = "the API has answered the request, and no poll has shown the task yet"
    THERE = "the API has answered that the model is there already"
    RUNNING = "a poll after the request has shown the task"


class Verdict(Enum):
    """What a status is to a task."""

    COUNTS = "it is about the task"
    OUTDATED = "it may be from before the request"
    ASK_AGAIN = "it shows that the request was not carried out"


@dataclass(frozen=True)
class TaskState:
    """
    How far a task has come. Each event makes a new one.

    Attributes:
        goal: What it is for.
        at: Where it is.
        before: What the poll before the request showed, or None.
        blind: It is not known what was before the request, so that any end may be that of an earlier task.
        ours: The task that runs, or ran, is the one that this wait's request began.
        repeats: How often the request was sent again because it was not carried out.
    """

    goal: Goal
    at: At
    before: Record | None = None
    blind: bool = False
    ours: bool = False
    repeats: int = 0

    @classmethod
    def begin(cls, goal: Goal) -> TaskState:
        """Return that of a task nothing of which has happened."""
        if goal.request:
            return cls(goal, At.LOOK)
        return cls(goal, At.LOST, blind=True) if goal.unconfirmed else cls(goal, At.POLL)

    @property
    def may_have_begun(self) -> bool:
        """A request of this wait, or of an earlier one, may have been carried out."""
        return self.at is At.LOST or self.repeats > 0 or self.ours

    def at_rest(self, seen: Record) -> bool:
        """Tell whether the API said that the model was there already, and calls that by another name than the usual."""
        direction = self.goal.direction
        busy = {None, direction.running, direction.blocked, *direction.not_started}
        return self.at is At.THERE and seen.model_status not in busy

    def looked(self, seen: Record | None) -> TaskState:
        """Note what the poll before the request showed; None: it failed."""
        return replace(self, at=At.ASK, before=seen, blind=seen is None)

    def lost(self) -> TaskState:
        """Note that the request was sent, and that there was no response."""
        rested = self.before is not None and self.before.terminal and not self.before.reached
        return replace(self, at=At.LOST, ours=self.ours or rested)

    def answered(self, answer: Started) -> TaskState:
        """Note what the API said to the request."""
        if answer is Started.BLOCKED:
            # In the minutes that this takes, somebody else may begin a task.
            return replace(self, before=None, blind=True)
        at = At.THERE if answer is Started.THERE else At.SENT
        return replace(self, at=at, ours=self.ours or answer is Started.ACCEPTED)

    def polled(self, seen: Record, *, in_grace: bool) -> tuple[TaskState, Verdict]:
        """
        Note a status, and tell what it is to the task.

        Args:
            seen: The status, polled after the request, if there was one.
            in_grace: It may lag behind the request.
        """
        if seen.status == Phase.PENDING and self.at is not At.POLL:
            # After a request that was lost, what runs is ours; unless it ran before, or an earlier wait met it.
            ran_before = self.before is not None and not self.before.terminal
            ours = self.ours or (self.at is At.LOST and not ran_before and not self.goal.unconfirmed)
            return replace(self, at=At.RUNNING, ours=ours), Verdict.COUNTS
        rests = seen.model_status in self.goal.direction.not_started
        if in_grace and (rests or self._may_be_of_an_earlier_task(seen)):
            return self, Verdict.OUTDATED
        if seen.model_status == self.goal.direction.blocked and self.at not in (At.POLL, At.RUNNING):
            return replace(self, at=At.ASK), Verdict.ASK_AGAIN
        # A DELETE does no harm where it was carried out after all; a POST may cost.
        unchanged = self.goal.direction is UNDEPLOY and seen.terminal and self._is_as_before(seen)
        if self.at is At.LOST and (rests or unchanged) and self.repeats < _MOST_REPEATS:
            return replace(self, at=At.ASK, repeats=self.repeats + 1), Verdict.ASK_AGAIN
        return self, Verdict.COUNTS

    def _may_be_of_an_earlier_task(self, seen: Record) -> bool:
        return self.at in (At.LOST, At.SENT) and seen.terminal and (self.blind or self._is_as_before(seen))

    def _is_as_before(self, seen: Record) -> bool:
        return self.before is not None and seen.same_but_for_times(self.before)
