"""What diff, create, update, refresh and import of a fleet decide. Knows no protocol and no host."""

from __future__ import annotations

import hashlib
from typing import Any

from pulumi.output import Unknown

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.statuses import Phase
from nugen_pulumi.errors import BadKeyError, ModelNotFoundError, Reason, UnfinishedFleetError, UnforeseenError
from nugen_pulumi.operations import inputs, messages, outputs
from nugen_pulumi.operations.call import Call, Difference
from nugen_pulumi.operations.check import refuse_bad
from nugen_pulumi.operations.inputs import DEFAULTS, Inputs
from nugen_pulumi.operations.next_action import Action, goal_of, next_action
from nugen_pulumi.waiting.task_state import ONLY_POLL

State = dict[str, Any]


class FleetOperations:
    """The operations of ``UndeployedModels``."""

    direction: Direction = UNDEPLOY
    id_name = "model_ids"
    defaults = DEFAULTS
    computed = outputs.OF_FLEET

    def diff(self, _call: Call, olds: State, news: State) -> Difference:
        """Compare what state holds with what the program says; the order of the ids means nothing."""
        changed = inputs.changed(olds, news)
        ids = news["model_ids"]
        if not isinstance(ids, Unknown) and inputs.same_ids(olds.get("model_ids"), ids):
            changed.discard("model_ids")
        if "triggers" in changed:
            return Difference(inputs_changed=True, replaces=["triggers"], update_reason=None)
        # In a preview even the list of ids may not be known yet.
        actions = {} if isinstance(ids, Unknown) else _actions(olds, news)
        reason = messages.fleet_update_reason(len(ids), list(actions.values())) if actions else None
        return Difference(bool(changed), [], reason)

    def create(self, call: Call, news: State) -> tuple[str, State]:
        """Request the undeployments if told to, and find out how they end."""
        id_ = _id_of(news["model_ids"])
        return id_, self.update(call, id_, {}, news)

    def update(self, call: Call, id_: str, olds: State, news: State) -> State:
        """
        Find out about the new models and those that are not settled, and drop the removed ones.

        Sends no requests if there is nothing to find out. What is found out is kept, whatever becomes of the rest.
        """
        wanted, ids = Inputs.read(news), news["model_ids"]
        known = outputs.models_of(olds)
        models = {model_id: known[model_id] for model_id in ids if model_id in known}
        actions = _actions(olds, news)
        if not actions:
            return outputs.of_fleet(news, models)
        before = sum(model.reached for model_id, model in models.items() if model_id not in actions)
        goals = {
            model_id: goal_of(UNDEPLOY, action, known.get(model_id), wanted) for model_id, action in actions.items()
        }
        outcomes = call.runtime().follow_all(
            goals, wanted.policy(call.timeout), wait=wanted.wait, before=before, reporter=call
        )
        reasons: dict[str, Reason] = {}
        # In the order of the program; the outcomes come in the order of their ends.
        for model_id, action in actions.items():
            model, error = outcomes[model_id].known, outcomes[model_id].error
            if model is not None:
                models[model_id] = model
            elif action is Action.REQUEST:
                # Not requested after all. Beside an input that asks for it, the old entry would say that it was.
                models.pop(model_id, None)
            reason = error.reason if error else None
            if model is not None and error is None and wanted.strict and not model.reached:
                reason = messages.failed(UNDEPLOY, model_id, model, wanted)
            if reason is not None:
                reasons[model_id] = reason
        state = outputs.of_fleet(news, models)
        if reasons:
            errors = [outcome.error for outcome in outcomes.values()]
            missing = any(isinstance(error, ModelNotFoundError) for error in errors)
            message = messages.unfinished_fleet(len(ids), reasons, missing=missing, wanted=wanted.strict)
            # One traceback is enough to fix the bug: a mistake of ours usually meets many models alike.
            tracebacks = [error.traceback for error in errors if isinstance(error, UnforeseenError)]
            failure = UnfinishedFleetError("\n".join([message, *tracebacks[:1]]).rstrip())
            failure.kept = (id_, state) if models else None
            raise failure
        return state

    def refresh(self, call: Call, _id: str, props: State) -> State:
        """Poll each model. Only what the API does not know is dropped from ``models``; other failures are errors."""
        known, ids = outputs.models_of(props), props["model_ids"]
        wanted = Inputs.read(props)
        polls = dict.fromkeys(ids, ONLY_POLL)
        outcomes = call.runtime().follow_all(polls, wanted.policy(None), wait=False, reporter=call)
        # In the order of the program; the outcomes come in the order of their ends.
        seen = {model_id: outcomes[model_id] for model_id in ids}
        missing = [model_id for model_id, outcome in seen.items() if isinstance(outcome.error, ModelNotFoundError)]
        errors = {model_id: outcome.error for model_id, outcome in seen.items() if outcome.error}
        if unseen := {
            model_id: str(error) for model_id, error in errors.items() if not isinstance(error, ModelNotFoundError)
        }:
            message = messages.unseen_fleet(len(ids), unseen)
            bad_key = any(isinstance(error, BadKeyError) for error in errors.values())
            raise messages.with_saved_key((BadKeyError if bad_key else UnfinishedFleetError)(message), "pulumi refresh")
        found = {model_id: outcome.known for model_id, outcome in seen.items() if outcome.known}
        # What was never requested stays unknown: beside an input that asks for it, an entry would say that it was.
        now = {
            model_id: model
            for model_id, model in found.items()
            if model.reached or model_id in known or not wanted.undeploy
        }
        drifts = {
            model_id: line
            for model_id, model in now.items()
            if (line := messages.drift(UNDEPLOY, model_id, known.get(model_id), model)) is not None
        }
        if drifts:
            # As if it had been requested: a refresh must not announce a first DELETE.
            actions = {next_action(now[model_id], wanted, UNDEPLOY, requested=True) for model_id in drifts}
            running = any(now[model_id].status != Phase.FAILED for model_id in drifts)
            call.warn(messages.fleet_drift(len(ids), drifts, actions, running=running))
        if missing:
            call.warn(messages.missing_models(missing, of_fleet=True))
        models = {model_id: outputs.seen_again(known.get(model_id), model) for model_id, model in now.items()}
        return outputs.of_fleet(props, models)

    def import_(self, call: Call, id_: str) -> tuple[str, State | None]:
        """Poll each model of a fleet that was never managed, for an import: *id_* is their ids, separated by commas."""
        ids = [model_id.strip() for model_id in id_.split(",")]
        given = {**DEFAULTS, "model_ids": ids}
        refuse_bad(given, self.id_name)
        state = self.refresh(call, id_, given)
        return _id_of(ids), state if state["models"] else None


def _id_of(model_ids: list[str]) -> str:
    """Return a fleet's id: made once of its first ids, it stays when they change."""
    digest = hashlib.sha256("\n".join(sorted(model_ids)).encode()).hexdigest()
    return f"fleet-{digest[:16]}"


def _actions(olds: State, news: State) -> dict[str, Action]:
    """Return what has to be done about each model that is not settled."""
    wanted, known, requested = Inputs.read(news), outputs.models_of(olds), olds.get("undeploy", False)
    actions = {
        model_id: next_action(known.get(model_id), wanted, UNDEPLOY, requested=requested)
        for model_id in news["model_ids"]
        if not isinstance(model_id, Unknown)
    }
    return {model_id: action for model_id, action in actions.items() if action is not Action.NOTHING}
