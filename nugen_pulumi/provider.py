"""
What Pulumi pickles: create, read, update and delete in the host's words.

NEVER MOVES, NEVER RENAMED: users' state holds ``nugen_pulumi.provider`` and the names of the classes. Light on purpose:
httpx and pydantic come in with the runtime, at the first exchange, so that a preview never pays for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from nugen_pulumi import inputs, outputs
from nugen_pulumi.budget import within_budget
from nugen_pulumi.errors import (
    InputError,
    ModelNotFoundError,
    UndeployFailedError,
    UnfinishedFleetError,
)
from nugen_pulumi.inputs import Inputs
from nugen_pulumi.messages import REQUEST_AGAIN, acts_on, drift, fleet_drift, unfinished_fleet, unseen_fleet
from nugen_pulumi.service import Service, answering
from nugen_pulumi.statuses import model_status

if TYPE_CHECKING:
    from nugen_pulumi.host import Call
    from nugen_pulumi.models import UndeployStatus
    from nugen_pulumi.outputs import FleetModel


_GET_ADVICE = 'To read it as it is: wait=False, or on_failure="record".'


class UndeployedModelProvider(Service):
    """One model. Stateless until ``configure``, so that its pickle is a name and nothing more."""

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare what state holds with what the program says."""
        changed = inputs.changed(olds, news)
        return DiffResult(
            changes=bool(changed) or not outputs.settled(olds, Inputs.read(news)),
            replaces=[name for name in ("model_id", "triggers") if name in changed],
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Request the undeployment if told to, and find out how it ends."""
        id_, wanted = props["model_id"], Inputs.read(props)
        with answering(keep=lambda status: (id_, _of_model(props, status))) as call:
            return CreateResult(id_, _of_model(props, self._learn(call, id_, wanted, undeploy=wanted.undeploy)))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Go on where the last operation stopped; without any request if there is nothing is left to find out."""
        wanted = Inputs.read(news)
        undeploy = outputs.to_ask(olds, olds, wanted)
        if undeploy is None:
            return UpdateResult({**outputs.given(news), **{name: olds.get(name) for name in outputs.OF_MODEL}})
        with answering(keep=lambda status: (id_, _of_model(news, status))) as call:
            return UpdateResult(_of_model(news, self._learn(call, id_, wanted, undeploy=undeploy)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Poll once for a refresh; learn like ``create`` for a ``.get()``, whose properties hold no outputs yet."""
        with answering() as call:
            if "status" not in props:
                asked = {**props, "model_id": id_}
                # The engine checks the inputs of what it manages only.
                if bad := inputs.problems(asked):
                    raise InputError("; ".join(f"{name} {reason}" for name, reason in bad) + ".")
                return ReadResult(id_, _of_model(asked, self._learn(call, id_, Inputs.read(props), advice=_GET_ADVICE)))
            try:
                seen = outputs.entry(self._runtime(call).poll(id_))
            except ModelNotFoundError:
                return ReadResult("", {})  # how the host is told that the resource is gone
            if (sentence := drift(id_, props, seen)) is not None:
                call.warn(f"{sentence} {acts_on(settled=outputs.settled(seen, Inputs.read(props)))}")
            return ReadResult(id_, {**outputs.given(props), **outputs.seen_again(props, seen)})

    def _learn(
        self, call: Call, model_id: str, wanted: Inputs, *, undeploy: bool = False, advice: str | None = None
    ) -> UndeployStatus:
        """Wait or poll, as wanted; a FAILED is an error unless it is wanted as an output."""
        if not wanted.wait:
            return self._runtime(call).poll(model_id, undeploy=undeploy)
        status = self._runtime(call).wait(model_id, wanted.policy(call.timeout), undeploy=undeploy, say=call.say)
        if (failure := _failure(model_id, outputs.entry(status), wanted, advice)) is not None:
            failure.last = status
            raise failure
        return status


class UndeployedModelsProvider(Service):
    """A fleet. Stateless until ``configure``, so that its pickle is a name and nothing more."""

    id_name = "model_ids"

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare what state holds with what the program says; the order of the ids means nothing."""
        changed = inputs.changed(olds, news)
        ids = news["model_ids"]
        if isinstance(ids, list) and inputs.same_ids(olds.get("model_ids"), ids):
            changed.discard("model_ids")
        unsettled = isinstance(ids, list) and not outputs.fleet_settled(olds, ids, Inputs.read(news))
        return DiffResult(changes=bool(changed) or unsettled, replaces=["triggers"] if "triggers" in changed else [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Request the undeployments if told to, and find out how they end."""
        digest = hashlib.sha256("\n".join(sorted(props["model_ids"])).encode()).hexdigest()
        return CreateResult(id_ := f"fleet-{digest[:16]}", self._go_on(id_, {}, props))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Ask for the unsettled and the new, forget the removed; without any request if nothing is left to find out."""
        return UpdateResult(self._go_on(id_, olds, news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Poll each model. Only what the API does not know is dropped; any other failure is an error."""
        known = props.get("models") or {}
        with answering() as call:
            orders = dict.fromkeys(props["model_ids"], False)
            seen = self._runtime(call).follow_all(orders, Inputs.read(props).policy(None), wait=False, say=call.say)
            errors = [
                str(outcome.error)
                for outcome in seen.values()
                if outcome.error is not None and not isinstance(outcome.error, ModelNotFoundError)
            ]
            if errors:
                raise UnfinishedFleetError(unseen_fleet(len(orders), errors))
            # As state would hold it: what is left out there would be a change otherwise.
            now = within_budget({model_id: outcome.known for model_id, outcome in seen.items() if outcome.known})
            drifted = [line for id_, model in now.items() if (line := drift(id_, known.get(id_, {}), model))]
            models = {model_id: outputs.seen_again(known.get(model_id, {}), model) for model_id, model in now.items()}
            if drifted:
                settled = outputs.fleet_settled({"models": models}, models, Inputs.read(props))
                call.warn(fleet_drift(len(orders), drifted, settled=settled))
            return ReadResult(id_, outputs.of_fleet(props, models))

    def _go_on(self, id_: str, olds: Mapping[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Learn what *olds* does not know; what is known is kept, whatever becomes of the rest."""
        wanted = Inputs.read(news)
        known = olds.get("models") or {}
        models = {model_id: known[model_id] for model_id in news["model_ids"] if model_id in known}
        decisions = {model_id: outputs.to_ask(olds, models.get(model_id), wanted) for model_id in news["model_ids"]}
        orders = {model_id: undeploy for model_id, undeploy in decisions.items() if undeploy is not None}
        if not orders:
            return outputs.of_fleet(news, models)
        with answering(keep=lambda kept: (id_, outputs.of_fleet(news, kept))) as call:
            policy = wanted.policy(call.timeout)
            before = sum(kept["undeployed"] for model_id, kept in models.items() if model_id not in orders)
            learnt = self._runtime(call).follow_all(orders, policy, wait=wanted.wait, before=before, say=call.say)
            reasons, tracebacks = [], []
            for model_id, outcome in learnt.items():
                if outcome.error is not None:
                    reasons.append(str(outcome.error))
                    tracebacks += [outcome.error.traceback] if outcome.error.traceback else []
                if outcome.known is not None:
                    models[model_id] = outcome.known
                    if wanted.wait and outcome.error is None and (failure := _failure(model_id, outcome.known, wanted)):
                        reasons.append(str(failure))
            if reasons:
                message = unfinished_fleet(len(news["model_ids"]), reasons)
                # One is enough to mend it: a mistake of ours usually meets many models alike.
                raise UnfinishedFleetError("\n".join([message, *tracebacks[:1]]).rstrip(), kept=models)
            return outputs.of_fleet(news, models)


def _of_model(props: Mapping[str, Any], status: UndeployStatus) -> dict[str, Any]:
    return {**outputs.given(props), **outputs.entry(status)}


def _failure(model_id: str, model: FleetModel, wanted: Inputs, advice: str | None = None) -> UndeployFailedError | None:
    """Return the error that what is known of a model means, or None."""
    if model["undeployed"] or wanted.on_failure == "record":
        return None
    reason = (model.get("error") or "").rstrip(".")
    return UndeployFailedError(f"Model {model_id} was not undeployed: {reason}. {advice or _advice(model, wanted)}")


def _advice(model: FleetModel, wanted: Inputs) -> str:
    now = model_status(model.get("error"))
    if now == "READY":
        return "READY is ambiguous: the model may be in service or at rest; look it up where you manage your models."
    if wanted.undeploy:
        return REQUEST_AGAIN
    if now == "DEPLOYED":
        return "Nothing has requested it: set undeploy=True."
    return "The next `pulumi up` polls again; with undeploy=True it requests it first."
