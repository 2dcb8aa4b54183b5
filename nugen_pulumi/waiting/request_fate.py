"""What became of a wait's own request, and which statuses may be from before it. Sends nothing and has no clock."""

from __future__ import annotations

import math
from datetime import datetime

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.api.start_answers import Answer, Started
from nugen_pulumi.api.statuses import FleetModel, Phase

_MOST_REPEATS = 3
# Seconds between the end of a task and the date of a response, within which they are of the same request.
_SLACK = 2.0


class RequestFate:
    """
    The POST or DELETE of one wait, if it sends one.

    Args:
        direction: Undeployment or deployment.
        before: What was recorded of the model before it, or None.

    Attributes:
        fate_unknown: It was sent, and it is not known whether it was carried out.
    """

    def __init__(self, direction: Direction, before: FleetModel | None) -> None:
        self.fate_unknown = False
        self._direction = direction
        self._before = before
        self._not_before = -math.inf  # what finished earlier, by the server's own time, is not ours
        self._ran_before = self._rested_before = False  # as far as a poll just before it tells
        self._follows_the_unknown = False
        self._sent = False
        self._of_another_wait = False
        self._seen_running = False
        self._ours = False  # the task that runs, or ran, is the one that it began
        self._found = False  # the model was there, or on its way
        self._already = False
        self._repeats = 0

    def will_follow(self, status: TaskStatus) -> None:
        """Note the *status* that was polled just before it."""
        self._before = status.recorded()
        self._ran_before, self._rested_before = not status.terminal, status.terminal and not status.reached

    def follows_the_unknown(self) -> None:
        """Note that a poll just before it failed, so that any end may be that of an earlier task."""
        self._follows_the_unknown = True

    def lost(self) -> None:
        """Note that it was sent, and that there was no response."""
        self.fate_unknown = self._sent = self._found = True
        self._ours = self._ours or self._rested_before

    def unconfirmed(self) -> None:
        """Note that an earlier wait may have sent it, or have found another one's task: what runs need not be ours."""
        self.fate_unknown = self._sent = self._found = self._of_another_wait = True

    def answered(self, started: Started) -> None:
        """Note what the API said."""
        answer, self.fate_unknown = started.answer, False
        if answer is Answer.BLOCKED:
            self._rested_before = False  # in minutes, somebody else may begin what this waits for
            return
        self._already = answer is Answer.THERE
        if answer is Answer.ACCEPTED:
            self._sent = self._ours = True
            self._seen_running = False
            self._not_before = started.at or -math.inf
        else:
            # A task that runs is another one's, whose status endpoint may lag like that of ours.
            self._sent, self._found = self._sent or answer is Answer.RUNNING, True

    def seen_running(self) -> None:
        """Note that the task runs: what runs now began after what was known before, and an accepted request runs."""
        self._seen_running = True
        if self._sent:
            self._before, self._not_before, self._follows_the_unknown = None, -math.inf, False
            if self.fate_unknown and not self._ran_before:
                self.fate_unknown, self._ours = False, self._ours or not self._of_another_wait

    def is_from_before(self, status: TaskStatus) -> bool:
        """Tell whether *status*, polled after it, may still be about the time before it."""
        if status.model_status in self._direction.not_started:
            return True
        if not status.terminal or not self._sent:
            return False
        if self._follows_the_unknown or self._is_as_before(status):
            return True
        return status.status == Phase.COMPLETED and _finished_before(status.end_time, self._not_before)

    def has_to_be_repeated(self, status: TaskStatus) -> bool:
        """Tell whether it was certainly not carried out: the model rests, or the opposite task runs. Counts that."""
        if status.model_status == self._direction.blocked:
            # After a task that ran, somebody wants the opposite.
            return (self._sent or self._found) and not self._seen_running
        rests = status.model_status in self._direction.not_started
        # A DELETE does no harm where it was carried out after all; a POST may cost.
        unchanged = self._direction is UNDEPLOY and status.terminal and self._is_as_before(status)
        if self.fate_unknown and (rests or unchanged) and self._repeats < _MOST_REPEATS:
            self._repeats += 1
            return True
        return False

    def _is_as_before(self, status: TaskStatus) -> bool:
        return self._before is not None and _same(status.recorded(), self._before)

    def marked(self, status: TaskStatus) -> TaskStatus:
        """Return *status* with what the request tells about it: whose task it is, and whether it was over before."""
        return status.marked(adopted=self._found and not self._ours, already=self._already)


def _same(now: FleetModel, before: FleetModel) -> bool:
    """Tell whether two statuses are the same but for their times, which are those of the poll."""
    return all(now.get(name) == before.get(name) for name in ("status", "result", "error"))


def _finished_before(end_time: str | None, began: float) -> bool:
    """Tell whether *end_time*, if it has a zone, lies before the second in which the server accepted our request."""
    try:
        end = datetime.fromisoformat(end_time or "")
    except ValueError:
        return False
    # The server's date is in whole seconds, and may be that of the end of a request in which the task was finished.
    return end.tzinfo is not None and end.timestamp() < began - _SLACK
