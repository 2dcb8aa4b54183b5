"""One model and its life: out of service, deploying, deployed, undeploying. Knows neither HTTP nor what time it is."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from nugen_pulumi.emulator.catalogue import (
    DEPLOYED,
    MESSAGE,
    Answer,
    StatusBody,
    already_deployed,
    already_undeployed,
    completed,
    deploying,
    deployment_running,
    failed,
    model_not_found,
    newer_status,
    not_deployable,
    not_undeployable,
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
    DEPLOYING = "DEPLOYING"
    READY = "READY"
    EVALUATED = "EVALUATED"


@dataclass(frozen=True)
class Traits:
    """
    How a model behaves. The defaults are the documented behaviour; each other value was seen or is feared.

    Attributes:
        state: What it is at first, ``State`` or its word. DEPLOYING, UNDEPLOYING: somebody just started it. Default
            ``None``: DEPLOYED; but a model that nobody added, and about whose deployment the first request is, is
            UNDEPLOYED.
        undeploy_seconds: How long an undeployment takes, seconds, float; ``math.inf`` never ends. Default ``None``:
            what the emulator was given.
        fails: Each undeployment ends FAILED with this reason, str, and the model stays deployed. Default ``None``.
        result: The ``result`` of COMPLETED, any JSON, or ``ABSENT``. Default ``MESSAGE``.
        deploy_seconds: As ``undeploy_seconds``, for a deployment.
        deploy_fails: Each deployment ends FAILED with this reason, str, and the model is READY. Default ``None``.
        deploy_result: The ``result`` of a COMPLETED deployment, any JSON, or ``ABSENT``. Default ``DEPLOYED``.
        lower_case: The status words are sent in lower case, bool. Default False.
        live_times: ``start_time`` and ``end_time`` are those of the request, with microseconds and without a zone,
            instead of those of the task, with ``Z``; bool. Default False. Those of a deployment always are.
        echoes: The ``model_id`` in the answers, str. Default ``None``: the one that was asked for.
        delete_object: DELETE answers ``{"model_id": …}`` instead of a bare string, bool. Default False.
        grace_seconds: For so long after a DELETE or a POST the status endpoints have not noticed it and answer as
            before, seconds, float. Default 0.
        grace_missing: They answer 404 "Model not found" for so long instead, bool. Default False.
    """

    state: State | str | None = None
    undeploy_seconds: float | None = None
    fails: str | None = None
    result: Any = field(default_factory=lambda: MESSAGE)
    lower_case: bool = False
    live_times: bool = False
    echoes: str | None = None
    delete_object: bool = False
    grace_seconds: float = 0.0
    grace_missing: bool = False
    deploy_seconds: float | None = None
    deploy_fails: str | None = None
    deploy_result: Any = field(default_factory=lambda: DEPLOYED)


@dataclass(frozen=True)
class Task:
    """
    An undeployment or a deployment.

    Attributes:
        state: What the model is while it lasts: UNDEPLOYING or DEPLOYING.
        started: When it started.
        before: What the model was before; ``None`` if nobody saw it start.
    """

    state: State
    started: datetime
    before: "Model | None"


@dataclass(frozen=True)
class Model:
    """
    A model at one moment.

    Attributes:
        traits: How it behaves; says how long its tasks take.
        rest: What it is while there is no task.
        task: The last task, ``None`` if there was none.
    """

    traits: Traits
    rest: State
    task: Task | None

    @classmethod
    def new(cls, traits: Traits, now: datetime, *, undeploy_seconds: float, deploy_seconds: float) -> "Model":
        """Return a model as *traits* want it at first; the seconds count if they do not say how long it takes."""
        state = State.DEPLOYED if traits.state is None else State(traits.state)
        task = Task(state, now, before=None) if state in (State.UNDEPLOYING, State.DEPLOYING) else None
        traits = replace(
            traits,
            undeploy_seconds=undeploy_seconds if traits.undeploy_seconds is None else traits.undeploy_seconds,
            deploy_seconds=deploy_seconds if traits.deploy_seconds is None else traits.deploy_seconds,
        )
        return cls(traits, state, task)

    def redeployed(self) -> "Model":
        """Return it deployed again, its tasks forgotten."""
        return replace(self, rest=State.DEPLOYED, task=None)

    def state(self, now: datetime) -> State:
        """Return what it is *now*."""
        if self.task is None:
            return self.rest
        if now < self._end(self.task):
            return self.task.state
        if self.task.state is State.UNDEPLOYING:
            return State.UNDEPLOYED if self.traits.fails is None else State.DEPLOYED
        return State.DEPLOYED if self.traits.deploy_fails is None else State.READY

    def undeploy(self, model_id: str, now: datetime) -> tuple["Model", Answer]:
        """Return what a DELETE makes of it, and the answer."""
        state = self.state(now)
        if state is State.UNDEPLOYING:
            return self, undeployment_running()
        if state is State.DEPLOYING:
            return self, not_undeployable()
        if state is not State.DEPLOYED:
            return self, already_undeployed()
        echo = self._echo(model_id)
        answer = undeploying_object(echo) if self.traits.delete_object else undeploying(echo)
        return replace(self, task=Task(State.UNDEPLOYING, now, before=self)), answer

    def deploy(self, model_id: str, now: datetime) -> tuple["Model", Answer]:
        """Return what a POST makes of it, and the answer."""
        state = self.state(now)
        if state is State.DEPLOYING:
            return self, deployment_running()
        if state is State.UNDEPLOYING:
            return self, not_deployable()
        if state is State.DEPLOYED:
            return self, already_deployed()
        return replace(self, task=Task(State.DEPLOYING, now, before=self)), deploying(self._echo(model_id))

    def status(self, model_id: str, now: datetime) -> Answer:
        """Return the answer of the status endpoint of undeployments: what came of the last one, if it still counts."""
        known = self._known(now)
        if known is None:
            return model_not_found()
        if known is not self:
            return known.status(model_id, now)
        task, traits, state = self.task, self.traits, self.state(now)
        if task is None or task.state is State.DEPLOYING:
            return self._answer(nothing_running(state.value), model_id, now)
        if state is State.UNDEPLOYING:
            return self._answer(pending(), model_id, now, task.started)
        body = completed(traits.result) if traits.fails is None else failed(traits.fails)
        return self._answer(body, model_id, now, task.started, self._end(task))

    def deploy_status(self, model_id: str, now: datetime) -> Answer:
        """Return the answer of the status endpoint of deployments, which goes by what the model is."""
        known = self._known(now)
        if known is None:
            return model_not_found()
        if known is not self:
            return known.deploy_status(model_id, now)
        state, reason = self.state(now), self.traits.deploy_fails
        if state is State.DEPLOYING:
            body = pending()
        elif state is State.DEPLOYED:
            body = completed(self.traits.deploy_result)
        elif self.task is not None and self.task.state is State.DEPLOYING and reason is not None:
            body = failed(reason)
        else:
            body = nothing_running(state.value, "deployment")
        return self._answer(body, model_id, now, live=True)

    def newer_status(self, model_id: str, now: datetime) -> Answer:
        """Return the answer of the newer family's status endpoint, which is one for both directions."""
        known = self._known(now)
        if known is None:
            return model_not_found()
        if known is not self:
            return known.newer_status(model_id, now)
        state = self.state(now)
        reason = None
        if self.task is not None and state is not self.task.state:
            # That a failed undeployment has an error, too, is a guess.
            reason = self.traits.fails if self.task.state is State.UNDEPLOYING else self.traits.deploy_fails
        right = newer_status(state.value, reason)
        return (
            replace(right, body={**right.body, "status": right.body["status"].lower()})
            if self.traits.lower_case
            else right
        )

    def _known(self, now: datetime) -> "Model | None":
        """Return what the status endpoints take it for *now*; ``None``: they do not know it."""
        task, traits = self.task, self.traits
        if task is None or task.before is None or (now - task.started).total_seconds() >= traits.grace_seconds:
            return self
        return None if traits.grace_missing else task.before

    def _end(self, task: Task) -> datetime:
        seconds = self.traits.undeploy_seconds if task.state is State.UNDEPLOYING else self.traits.deploy_seconds
        try:
            return task.started + timedelta(seconds=seconds or 0)
        except OverflowError:  # never
            return datetime.max.replace(tzinfo=task.started.tzinfo)

    def _echo(self, model_id: str) -> str:
        return model_id if self.traits.echoes is None else self.traits.echoes

    def _answer(
        self,
        body: StatusBody,
        model_id: str,
        now: datetime,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        live: bool = False,
    ) -> Answer:
        times = _documented(start), _documented(end)
        if live or self.traits.live_times:
            times = _live(now), None if body.end_time is None else _live(now + _LIVE_GAP)
        word = body.word.lower() if self.traits.lower_case else body.word
        return replace(body, word=word, start_time=times[0], end_time=times[1]).answer(self._echo(model_id))


def _live(time: datetime) -> str | None:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds")


def _documented(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
