"""What operations are given in place of the engine and of a runtime, and records of models."""

from harness.api import Told
from nugen_pulumi.api.statuses import Record
from nugen_pulumi.waiting.model_wait import Outcome
from nugen_pulumi.waiting.task_state import ONLY_POLL

COMPLETED = Record("COMPLETED", reached=True)
PENDING = Record("PENDING")
UNCONFIRMED = Record("PENDING", unconfirmed=True)
RETIRING = Record("RETIRING")
TIMES = {"start_time": "then", "end_time": "later"}


def failed(reason="GPU on fire", *, reached=False):
    """Return a record of a FAILED."""
    return Record("FAILED", reached, {"error": reason}, error=reason)


def no_task(model_status, *, reached=False):
    """Return a record of a FAILED because no task runs."""
    return failed(f"No active task. Model status is {model_status}.", reached=reached)


class Call(Told):
    """
    A call of the engine and its runtime in one: remembers what a person is told, and what is asked.

    It answers with *answer*: a record, an error, or a whole outcome; for a fleet, one of these for each model.
    """

    def __init__(self, answer=None, *, urn="urn:pulumi:dev::test::nugen:index:DeployedModel::m", timeout=None):
        super().__init__(timeout, urn)
        self.answer = answer
        self.asked = []
        self.timeouts = []
        self.again = None

    def runtime(self):
        return self

    def follow(self, model_id, policy=None, goal=ONLY_POLL, *, once=False, again=None, reporter):
        assert reporter is self
        self.again = again
        self.asked.append(("poll" if once else "wait", model_id, goal))
        self.timeouts.append(policy and policy.timeout)
        return outcome(self.answer, found=not (goal.request or goal.unconfirmed))

    def follow_all(self, models, policy, *, wait=True, before=0, reporter):
        assert reporter is self
        self.asked.append(
            ("wait" if wait else "poll", {model_id: goal.request for model_id, goal in models.items()}, before)
        )
        self.timeouts.append(policy.timeout)
        return {model_id: self.outcome(model_id, goal, wait=wait) for model_id, goal in models.items()}

    def outcome(self, model_id, _goal, *, wait):
        return outcome(self.answer[model_id])


def outcome(answer, *, found=False):
    """Return the outcome that *answer* stands for."""
    if isinstance(answer, Outcome):
        return answer
    return Outcome(None, answer) if isinstance(answer, Exception) else Outcome(answer, found=found)
