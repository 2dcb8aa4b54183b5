"""One model and its life: deployed, undeploying, undeployed. Knows neither HTTP nor what time it is."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from nugen_pulumi.emulator.answers import Answer, StatusBody
from nugen_pulumi.emulator.catalogue import (
    MESSAGE,
    already_undeployed,
    completed,
    failed,
    model_not_found,
    nothing_running,
    pending,
    undeploying,
    undeploying_object,
    undeployment_running,
)

# The live API stamps an answer with the times of the request, these few milliseconds apart.
_LIVE_GAP: Final = timedelta(milliseconds=2)


class State(str, Enum):
    """What a model is."""

    DEPLOYED = "DEPLOYED"
    UNDEPLOYING = "UNDEPLOYING"
    UNDEPLOYED = "UNDEPLOYED"


@dataclass(frozen=True)
class Traits:
    """
    How a model behaves. The defaults are the documented behaviour; each other value was seen or is feared.

    Attributes:
        state: What it is at first, ``State`` or its word. UNDEPLOYING: somebody just started it. Default DEPLOYED.
        undeploy_seconds: How long an undeployment takes, seconds, float; ``math.inf`` never ends. Default ``None``:
            what the emulator was given.
        fails: Each undeployment ends FAILED with this reason, str, and the model stays deployed. Default ``None``.
        result: The ``result`` of COMPLETED, any JSON, or ``ABSENT``. Default ``MESSAGE``.
        lower_case: The status words are sent in lower case, bool. Default False.
        live_times: ``start_time`` and ``end_time`` are those of the request, with microseconds and without a zone,
            instead of those of the task, with ``Z``; bool. Default False.
        echoes: The ``model_id`` in the answers, str. Default ``None``: the one that was asked for.
        delete_object: DELETE answers ``{"model_id": …}`` instead of a bare string, bool. Default False.
        grace_seconds: For so long after a DELETE the status endpoint has not noticed it and answers as before,
            seconds, float. Default 0.
        grace_missing: It answers 404 "Model not found" for so long instead, bool. Default False.
    """

    state: State | str = State.DEPLOYED
    undeploy_seconds: float | None = None
    fails: str | None = None
    result: Any = field(default_factory=lambda: MESSAGE)
    lower_case: bool = False
    live_times: bool = False
    echoes: str | None = None
    delete_object: bool = False
    grace_seconds: float = 0.0
    grace_missing: bool = False


@dataclass(frozen=True)
class Task:
    """An undeployment: when it started, and what the model was *before*; ``None`` if nobody saw it start."""

    started: datetime
    before: "Model | None"


@dataclass(frozen=True)
class Model:
    """
    A model at one moment.

    Attributes:
        traits: How it behaves.
        seconds: How long its undeployment takes, seconds, float.
        rest: What it is while there is no task.
        task: The last undeployment, ``None`` if there was none.
    """

    traits: Traits
    seconds: float
    rest: State
    task: Task | None

    @classmethod
    def new(cls, traits: Traits, seconds: float, now: datetime) -> "Model":
        """Return a model as *traits* want it at first; *seconds* counts if they do not say how long it takes."""
        state = State(traits.state)
        task = Task(now, before=None) if state is State.UNDEPLOYING else None
        return cls(traits, seconds if traits.undeploy_seconds is None else traits.undeploy_seconds, state, task)

    def redeployed(self) -> "Model":
        """Return it deployed again, its undeployment forgotten."""
        return replace(self, rest=State.DEPLOYED, task=None)

    def state(self, now: datetime) -> State:
        """Return what it is *now*."""
        if self.task is None:
            return self.rest
        if not self._ended(self.task, now):
            return State.UNDEPLOYING
        return State.UNDEPLOYED if self.traits.fails is None else State.DEPLOYED

    def undeploy(self, model_id: str, now: datetime) -> tuple["Model", Answer]:
        """Return what a DELETE makes of it, and the answer."""
        state = self.state(now)
        if state is not State.DEPLOYED:
            return self, already_undeployed() if state is State.UNDEPLOYED else undeployment_running()
        echo = self._echo(model_id)
        answer = undeploying_object(echo) if self.traits.delete_object else undeploying(echo)
        return replace(self, task=Task(now, before=self)), answer

    def status(self, model_id: str, now: datetime) -> Answer:
        """Return the answer of the status endpoint."""
        task, traits = self.task, self.traits
        if task is None:
            return self._answer(nothing_running(self.rest.value), model_id, now)
        if task.before is not None and (now - task.started).total_seconds() < traits.grace_seconds:
            return model_not_found() if traits.grace_missing else task.before.status(model_id, now)
        if not self._ended(task, now):
            return self._answer(pending(), model_id, now, task.started)
        body = completed(traits.result) if traits.fails is None else failed(traits.fails)
        return self._answer(body, model_id, now, task.started, task.started + timedelta(seconds=self.seconds))

    def _ended(self, task: Task, now: datetime) -> bool:
        return (now - task.started).total_seconds() >= self.seconds

    def _echo(self, model_id: str) -> str:
        return model_id if self.traits.echoes is None else self.traits.echoes

    def _answer(
        self, body: StatusBody, model_id: str, now: datetime, start: datetime | None = None, end: datetime | None = None
    ) -> Answer:
        times = _documented(start), _documented(end)
        if self.traits.live_times:
            times = _live(now), None if body.end_time is None else _live(now + _LIVE_GAP)
        word = body.word.lower() if self.traits.lower_case else body.word
        return replace(body, word=word, start_time=times[0], end_time=times[1]).answer(self._echo(model_id))


def _live(time: datetime) -> str | None:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds")


def _documented(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
