"""What diff, create, update, refresh, import and get of one model decide. Knows no protocol and no host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from nugen_pulumi.api.statuses import FleetModel, Phase
from nugen_pulumi.errors import ModelNotFoundError, UndeployFailedError
from nugen_pulumi.operations import inputs, outputs
from nugen_pulumi.operations.inputs import DEFAULTS, Inputs
from nugen_pulumi.operations.messages import GET_ADVICE, drift, failed, missing_models, next_up, update_reason
from nugen_pulumi.operations.next_action import Action, next_action
from nugen_pulumi.operations.operation import Difference, Operation, keep_on_error, refuse_bad, to_read, with_saved_key
from nugen_pulumi.operations.outputs import ModelState
from nugen_pulumi.waiting.beginning import Beginning


class ModelOperations:
    """The operations of ``UndeployedModel``."""

    id_name = "model_id"
    defaults = DEFAULTS
    computed = outputs.OF_MODEL
    wants = "undeployed"
    starts = None

    def diff(self, _operation: Operation, olds: ModelState, news: ModelState) -> Difference:
        """Compare what state holds with what the program says."""
        changed, wanted, known = inputs.changed(olds, news), Inputs.read(news), outputs.from_state(olds)
        replaces: list[str] = [name for name in ("model_id", "triggers") if name in changed]
        action = next_action(known, wanted, requested=olds.get("undeploy", False))
        reason = None if replaces or action is Action.NOTHING else update_reason(known, action)
        return Difference(bool(changed), replaces, reason)

    def create(self, operation: Operation, news: ModelState) -> tuple[str, ModelState]:
        """Request the undeployment if told to, and find out how it ends."""
        model_id = news["model_id"]
        with keep_on_error(model_id, lambda status: outputs.of_model(news, status.recorded())):
            known = self._undeploy_and_wait(operation, model_id, Inputs.read(news), undeploy=Inputs.read(news).undeploy)
        return model_id, outputs.of_model(news, known)

    def update(self, operation: Operation, id_: str, olds: ModelState, news: ModelState) -> ModelState:
        """Continue the last operation. Sends no requests if the model is finished."""
        wanted, known = Inputs.read(news), outputs.from_state(olds)
        action = next_action(known, wanted, requested=olds.get("undeploy", False))
        if known is not None and action is Action.NOTHING:
            return outputs.of_model(news, known)
        with keep_on_error(id_, lambda status: outputs.of_model(news, status.recorded())):
            undeploy = action is Action.REQUEST
            return outputs.of_model(
                news, self._undeploy_and_wait(operation, id_, wanted, undeploy=undeploy, before=known)
            )

    def refresh(self, operation: Operation, id_: str, props: ModelState) -> ModelState | None:
        """Poll once; return what is seen, or None if the model is gone."""
        known = outputs.from_state(props)
        try:
            with with_saved_key("pulumi refresh"):
                seen = operation.runtime().poll(id_, reporter=operation).recorded()
        except ModelNotFoundError:
            if known is not None:
                operation.warn(missing_models([id_], of_fleet=False))
            return None
        if (message := drift(id_, known, seen)) is not None:
            # As if it had been requested: a refresh must not announce a first DELETE.
            action = next_action(seen, Inputs.read(props), requested=True)
            operation.warn(f"{message} {next_up(action, running=seen['status'] != Phase.FAILED)}")
        return outputs.of_model(props, outputs.seen_again(known, seen))

    def import_(self, operation: Operation, id_: str) -> tuple[str, ModelState | None]:
        """Poll once about a model that was never managed, for an import; return None for its state if there is none."""
        given = cast("ModelState", {**DEFAULTS, "model_id": id_})
        refuse_bad(given)
        return id_, self.refresh(operation, id_, given)

    def get(self, operation: Operation, id_: str, props: Mapping[str, Any]) -> ModelState:
        """Wait like ``create``, but never request the undeployment: for a resource that is read, not managed."""
        given, wanted = to_read(id_, props)
        return outputs.of_model(given, self._undeploy_and_wait(operation, id_, wanted, advice=GET_ADVICE))

    def _undeploy_and_wait(
        self,
        operation: Operation,
        model_id: str,
        wanted: Inputs,
        *,
        undeploy: bool = False,
        before: FleetModel | None = None,
        advice: str | None = None,
    ) -> FleetModel:
        """Wait or poll once, as wanted; a FAILED is an error unless it is wanted as an output."""
        policy, beginning = wanted.policy(operation.timeout), Beginning(request=undeploy, before=before)
        if not wanted.wait:
            return operation.runtime().poll(model_id, policy, beginning, reporter=operation).recorded()
        status = operation.runtime().wait(model_id, policy, beginning, reporter=operation)
        known = status.recorded()
        if (reason := failed(model_id, known, wanted, advice)) is not None:
            failure = UndeployFailedError(reason)
            failure.last_known = status
            raise failure
        return known
