"""What the operations of one model decide, of one that is to be undeployed. Knows no protocol and no host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import Phase, Record
from nugen_pulumi.errors import DeployFailedError, ModelNotFoundError, NugenError, UndeployFailedError
from nugen_pulumi.operations import inputs, messages, outputs
from nugen_pulumi.operations.call import Call, Difference
from nugen_pulumi.operations.check import refuse_bad
from nugen_pulumi.operations.inputs import DEFAULTS, Inputs
from nugen_pulumi.operations.next_action import Action, goal_of, next_action
from nugen_pulumi.waiting.task_state import Goal

State = dict[str, Any]


class ModelOperations:
    """The operations of ``UndeployedModel``; the base of those of ``DeployedModel``."""

    direction: Direction = UNDEPLOY
    id_name = "model_id"
    defaults = DEFAULTS
    computed = outputs.OF_MODEL
    get_advice = 'To read the status without an error, set wait=False or on_failure="record".'

    def diff(self, _call: Call, olds: State, news: State) -> Difference:
        """Compare what state holds with what the program says."""
        changed = inputs.changed(olds, news)
        replaces: list[str] = [name for name in ("model_id", "triggers") if name in changed]
        known, action = self._next(olds, news)
        reason = None
        if not replaces and action is not Action.NOTHING:
            reason = messages.update_reason(self.direction, known, action)
        # A model cannot be deployed beside itself, whatever makes the engine replace its resource.
        return Difference(bool(changed), replaces, reason, self.direction is DEPLOY and "model_id" not in changed)

    def create(self, call: Call, news: State) -> tuple[str, State]:
        """Request what the resource asks for, and find out how it ends."""
        goal = Goal(self.direction, request=Inputs.read(news).requests(self.direction))
        return news["model_id"], self._carry_out(call, news["model_id"], news, goal)

    def update(self, call: Call, id_: str, olds: State, news: State) -> State:
        """Continue the last operation. Sends no requests if there is nothing left to find out."""
        known, action = self._next(olds, news)
        if known is not None and action is Action.NOTHING:
            return self._state(news, known, olds)
        return self._carry_out(call, id_, news, goal_of(self.direction, action, known, Inputs.read(news)), olds=olds)

    def refresh(self, call: Call, id_: str, props: State) -> State | None:
        """Poll once; return what is seen, or None if the model is gone."""
        known = self._known(props)
        outcome = call.runtime().follow(id_, goal=Goal(self.direction), once=True, reporter=call)
        if isinstance(outcome.error, ModelNotFoundError):
            if known is not None:
                call.warn(messages.missing_models([id_], of_fleet=False))
            return None
        if outcome.error is not None:
            raise messages.with_saved_key(outcome.error, "pulumi refresh")
        seen = outcome.status()
        # As if it had been requested: a refresh must not announce a first DELETE.
        action = next_action(seen, Inputs.read(props), self.direction, requested=True)
        if (message := messages.drift(self.direction, id_, known, seen)) is not None:
            call.warn(f"{message} {messages.next_up(self.direction, action, running=seen.status != Phase.FAILED)}")
        return self._state(props, outputs.seen_again(known, seen), props)

    def import_(self, call: Call, id_: str) -> tuple[str, State | None]:
        """Poll once about a model that was never managed, for an import; return None for its state if there is none."""
        given = {**self.defaults, "model_id": id_}
        refuse_bad(given)
        return id_, self.refresh(call, id_, given)

    def get(self, call: Call, id_: str, props: Mapping[str, Any]) -> State:
        """Wait like ``create``, but never request anything: for a resource that is read, not managed."""
        given = {**props, "model_id": id_}
        refuse_bad(given)
        try:
            return self._carry_out(call, id_, given, Goal(self.direction), advice=self.get_advice)
        except NugenError as exc:
            exc.kept = None
            raise

    def _next(self, olds: State, news: State) -> tuple[Record | None, Action]:
        known, requested = self._known(olds), olds.get("undeploy", False)
        return known, next_action(known, Inputs.read(news), self.direction, requested=requested)

    def _known(self, state: State) -> Record | None:
        """Return what *state* records of its model, or None if nothing is known yet."""
        return Record.from_state(state, self.direction.flag)

    def _state(
        self,
        props: Mapping[str, Any],
        record: Record,
        olds: Mapping[str, Any] | None,
        *,
        found: bool = True,
    ) -> State:
        """
        Return the complete outputs.

        Args:
            props: The properties, the inputs among them.
            record: What is known of the model.
            olds: What state held before; None: there was no resource.
            found: As in :class:`nugen_pulumi.waiting.model_wait.Outcome`.
        """
        state = {**outputs.given(props), **record.outputs(self.direction.flag)}
        if self.direction is DEPLOY:
            # What a resource owns it goes on owning: a POST that finds the model there may have met an earlier one.
            state["adopted"] = found and (olds is None or olds.get("adopted", False))
        return state

    def _carry_out(
        self,
        call: Call,
        model_id: str,
        news: Mapping[str, Any],
        goal: Goal,
        *,
        olds: Mapping[str, Any] | None = None,
        advice: str | None = None,
    ) -> State:
        """Wait or poll once, as wanted; a FAILED is an error unless it is wanted as an output."""
        wanted = Inputs.read(news)
        outcome = call.runtime().follow(
            model_id, wanted.policy(call.timeout), goal, once=not wanted.wait, reporter=call
        )
        state, error = None, outcome.error
        if (known := outcome.known) is not None:
            state = self._state(news, known, olds, found=outcome.found)
            if error is None and wanted.strict and not known.reached:
                kind = DeployFailedError if self.direction is DEPLOY else UndeployFailedError
                error = kind(messages.failed(self.direction, model_id, known, wanted, advice))
        if error is not None:
            error.kept = None if state is None else (model_id, state)
            raise error
        assert state is not None  # noqa: S101 - without an error there is a status
        return state
