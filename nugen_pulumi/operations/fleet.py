"""What diff, create, update, refresh and import of a fleet decide. Knows no protocol and no host."""

from __future__ import annotations

import hashlib
from typing import cast

from pulumi.output import Unknown

from nugen_pulumi.api.statuses import Phase
from nugen_pulumi.errors import BadKeyError, InputError, ModelNotFoundError, Reason, UnfinishedFleetError
from nugen_pulumi.operations import inputs, outputs
from nugen_pulumi.operations.inputs import DEFAULTS, Inputs
from nugen_pulumi.operations.messages import (
    drift,
    failed,
    fleet_drift,
    fleet_update_reason,
    missing_models,
    unfinished_fleet,
    unseen_fleet,
)
from nugen_pulumi.operations.next_action import Action, next_action
from nugen_pulumi.operations.operation import Difference, Operation, keep_on_error, with_saved_key
from nugen_pulumi.operations.outputs import FleetState
from nugen_pulumi.waiting.state_size import within_budget


class FleetOperations:
    """The operations of ``UndeployedModels``."""

    id_name = "model_ids"
    defaults = DEFAULTS
    computed = outputs.OF_FLEET
    wants = "undeployed"
    starts = None

    def diff(self, _operation: Operation, olds: FleetState, news: FleetState) -> Difference:
        """Compare what state holds with what the program says; the order of the ids means nothing."""
        changed = inputs.changed(olds, news)
        ids = news["model_ids"]
        if not _is_unknown(ids) and inputs.same_ids(olds.get("model_ids"), ids):
            changed.discard("model_ids")
        if "triggers" in changed:
            return Difference(inputs_changed=True, replaces=["triggers"], update_reason=None)
        actions = {} if _is_unknown(ids) else _actions(olds, news)
        reason = fleet_update_reason(len(ids), list(actions.values())) if actions else None
        return Difference(bool(changed), [], reason)

    def create(self, operation: Operation, news: FleetState) -> tuple[str, FleetState]:
        """Request the undeployments if told to, and find out how they end."""
        id_ = _id_of(news["model_ids"])
        return id_, self.update(operation, id_, {}, news)

    def update(self, operation: Operation, id_: str, olds: FleetState, news: FleetState) -> FleetState:
        """
        Find out about the new models and those that are not settled, and drop the removed ones.

        Sends no requests if there is nothing to find out. What is found out is kept, whatever becomes of the rest.
        """
        wanted, ids = Inputs.read(news), news["model_ids"]
        known = olds.get("models") or {}
        models = {model_id: known[model_id] for model_id in ids if model_id in known}
        actions = _actions(olds, news)
        if not actions:
            return outputs.of_fleet(news, models)
        before = sum(model["undeployed"] for model_id, model in models.items() if model_id not in actions)
        with keep_on_error(id_, lambda last_known: outputs.of_fleet(news, last_known)):
            policy = wanted.policy(operation.timeout)
            undeploy = {model_id: action is Action.REQUEST for model_id, action in actions.items()}
            outcomes = operation.runtime().follow_all(
                undeploy, policy, wait=wanted.wait, before=before, recorded=known, reporter=operation
            )
            reasons: dict[str, Reason] = {}
            tracebacks = []
            # In the order of the program; the outcomes come in the order of their ends.
            for model_id in actions:
                outcome = outcomes[model_id]
                if outcome.known is not None:
                    models[model_id] = outcome.known
                elif actions[model_id] is Action.REQUEST:
                    # Not requested after all. Beside an input that asks for it, the old entry would say that it was.
                    models.pop(model_id, None)
                if outcome.error is not None:
                    reasons[model_id] = outcome.error.reason
                    tracebacks += [outcome.error.traceback] if outcome.error.traceback else []
                elif outcome.known and wanted.wait and (reason := failed(model_id, outcome.known, wanted)):
                    reasons[model_id] = reason
            if reasons:
                missing = any(isinstance(outcome.error, ModelNotFoundError) for outcome in outcomes.values())
                strict = wanted.wait and wanted.on_failure == "error"
                message = unfinished_fleet(len(ids), reasons, missing=missing, wanted=strict)
                # One traceback is enough to fix the bug: a mistake of ours usually meets many models alike.
                raise UnfinishedFleetError("\n".join([message, *tracebacks[:1]]).rstrip(), last_known=models)
        return outputs.of_fleet(news, models)

    def refresh(self, operation: Operation, _id: str, props: FleetState) -> FleetState:
        """Poll each model. Only what the API does not know is dropped from ``models``; other failures are errors."""
        known, ids = props.get("models") or {}, props["model_ids"]
        wanted = Inputs.read(props)
        outcomes = operation.runtime().follow_all(
            dict.fromkeys(ids, False), wanted.policy(None), wait=False, reporter=operation
        )
        # In the order of the program; the outcomes come in the order of their ends.
        seen = {model_id: outcomes[model_id] for model_id in ids}
        errors = {
            model_id: str(outcome.error)
            for model_id, outcome in seen.items()
            if outcome.error is not None and not isinstance(outcome.error, ModelNotFoundError)
        }
        if errors:
            with with_saved_key("pulumi refresh"):
                bad_key = any(isinstance(outcome.error, BadKeyError) for outcome in seen.values())
                message = unseen_fleet(len(ids), errors)
                raise BadKeyError(message) if bad_key else UnfinishedFleetError(message)
        due = {model_id for model_id in ids if wanted.undeploy and model_id not in known}
        found = {model_id: outcome.known for model_id, outcome in seen.items() if outcome.known}
        # What was never requested stays unknown: beside an input that asks for it, an entry would say that it was.
        recorded = {model_id: model for model_id, model in found.items() if model_id not in due or model["undeployed"]}
        # As state would hold it: what is left out there would be a change otherwise.
        now = within_budget(recorded)
        lines = {model_id: drift(model_id, known.get(model_id), model) for model_id, model in now.items()}
        drifts = {model_id: line for model_id, line in lines.items() if line}
        if drifts:
            actions = {next_action(now[model_id], wanted, requested=True) for model_id in drifts}
            running = any(now[model_id]["status"] != Phase.FAILED for model_id in drifts)
            operation.warn(fleet_drift(len(ids), drifts, actions, running=running))
        if missing := [model_id for model_id, outcome in seen.items() if outcome.error is not None]:
            operation.warn(missing_models(missing, of_fleet=True))
        models = {model_id: outputs.seen_again(known.get(model_id), model) for model_id, model in now.items()}
        return outputs.of_fleet(props, models)

    def import_(self, operation: Operation, id_: str) -> tuple[str, FleetState | None]:
        """Poll each model of a fleet that was never managed, for an import: *id_* is their ids, separated by commas."""
        ids = [model_id.strip() for model_id in id_.split(",")]
        given = cast("FleetState", {**DEFAULTS, "model_ids": ids})
        if bad := inputs.problems(given, self.id_name):
            raise InputError("; ".join(f"{name} {reason}" for name, reason in bad) + ".")
        state = self.refresh(operation, id_, given)
        return _id_of(ids), state if state["models"] else None


def _id_of(model_ids: list[str]) -> str:
    """Return a fleet's id: made once of its first ids, it stays when they change."""
    digest = hashlib.sha256("\n".join(sorted(model_ids)).encode()).hexdigest()
    return f"fleet-{digest[:16]}"


def _actions(olds: FleetState, news: FleetState) -> dict[str, Action]:
    """Return what has to be done about each model that is not settled."""
    wanted, known, requested = Inputs.read(news), olds.get("models") or {}, olds.get("undeploy", False)
    return {
        model_id: action
        for model_id in news["model_ids"]
        if not _is_unknown(model_id)
        and (action := next_action(known.get(model_id), wanted, requested=requested)) is not Action.NOTHING
    }


def _is_unknown(value: object) -> bool:
    """In a preview even the list of ids may not be known yet."""
    return isinstance(value, Unknown)
