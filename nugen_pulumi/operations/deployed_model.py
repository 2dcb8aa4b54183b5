"""What the operations of a deployed model decide; the only one with a delete. Knows no protocol and no host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.statuses import Phase
from nugen_pulumi.errors import (
    DeployFailedError,
    ModelNotFoundError,
    NugenError,
    UndeployFailedError,
)
from nugen_pulumi.operations import claims, inputs, messages, outputs
from nugen_pulumi.operations.inputs import DEPLOYED_DEFAULTS, Inputs
from nugen_pulumi.operations.next_action import Action, next_deploy_action, unconfirmed
from nugen_pulumi.operations.operation import Difference, Operation, keep_on_error, refuse_bad, to_read, with_saved_key
from nugen_pulumi.waiting.beginning import Beginning

if TYPE_CHECKING:
    from nugen_pulumi.api.responses import TaskStatus
    from nugen_pulumi.operations.outputs import DeployedRecord, DeployedState

_DESTROY = "pulumi destroy"


class DeployedOperations:
    """The operations of ``DeployedModel``."""

    id_name = "model_id"
    defaults = DEPLOYED_DEFAULTS
    computed = outputs.OF_DEPLOYED
    wants = "deployed"
    starts = staticmethod(messages.will_deploy)

    def diff(self, operation: Operation, olds: DeployedState, news: DeployedState) -> Difference:
        """Compare what state holds with what the program says."""
        changed = inputs.changed(olds, news)
        replaces: list[str] = [name for name in ("model_id", "triggers") if name in changed]
        # A model cannot be deployed beside itself, whatever makes the engine replace its resource.
        delete_first = "model_id" not in changed
        if replaces:
            return Difference(bool(changed), replaces, None, delete_first)
        claims.CLAIMS.note_in_state(operation.urn, olds["model_id"], olds)
        known = _known(olds)
        action = next_deploy_action(known, Inputs.read(news))
        reason = messages.deploy_reason(known, action, unconfirmed=unconfirmed(known))
        return Difference(bool(changed), [], reason, delete_first)

    def create(self, operation: Operation, news: DeployedState) -> tuple[str, DeployedState]:
        """Put the model into service, and wait until it is."""
        model_id = news["model_id"]

        def created(status: TaskStatus) -> DeployedState:
            claims.CLAIMS.note_deployed(operation.urn, model_id)
            return _complete(news, status, adopted=status.adopted)

        try:
            with keep_on_error(model_id, created):
                status = self._deploy_and_wait(operation, model_id, Inputs.read(news), request=True, before=None)
        except Exception:
            claims.CLAIMS.note_failed(operation.urn, model_id)
            raise
        if status.adopted:
            operation.warn(messages.adopted(model_id))
        return model_id, created(status)

    def update(self, operation: Operation, id_: str, olds: DeployedState, news: DeployedState) -> DeployedState:
        """Continue the last operation, or put the model into service again. Sends no requests if it is."""
        known = _known(olds)
        action = next_deploy_action(known, Inputs.read(news))
        was_adopted = olds.get("adopted", False)
        if known is not None and action is Action.NOTHING:
            return outputs.of_deployed(news, known, adopted=was_adopted)
        request = action is Action.REQUEST

        def completed(status: TaskStatus) -> DeployedState:
            claims.CLAIMS.note_deployed(operation.urn, id_)
            # What a resource owns it goes on owning: a POST that finds the model there may have met an earlier one.
            adopted = was_adopted and (status.adopted or not (request or unconfirmed(known)))
            return _complete(news, status, adopted=adopted)

        with keep_on_error(id_, completed):
            status = self._deploy_and_wait(operation, id_, Inputs.read(news), request=request, before=known)
        return completed(status)

    def refresh(self, operation: Operation, id_: str, props: DeployedState) -> DeployedState | None:
        """Poll once; return what is seen, or None if the model is gone."""
        known = _known(props)
        try:
            with with_saved_key("pulumi refresh"):
                status = operation.runtime().poll(id_, beginning=Beginning(DEPLOY), reporter=operation)
        except ModelNotFoundError:
            if known is not None:
                operation.warn(messages.missing_models([id_], of_fleet=False))
            return None
        seen = cast("DeployedRecord", status.recorded())
        adopted = props.get("adopted", False)
        if not seen["deployed"] and (known is None or known["deployed"] or seen["status"] == Phase.FAILED):
            operation.warn(messages.out_of_service(id_, seen, next_deploy_action(seen, Inputs.read(props))))
        return outputs.of_deployed(props, outputs.seen_again(known, seen), adopted=adopted)

    def delete(self, operation: Operation, id_: str, props: DeployedState) -> None:
        """
        Take the model out of service, and wait until it is; leave one in service that was there before.

        Any error keeps the resource in state: only what is known to be out of service, or gone, may be forgotten.
        """
        if props.get("adopted", False):
            operation.warn(messages.left_in_service(id_))
            return
        if (holder := claims.CLAIMS.other_holder(id_, props)) is not None:
            operation.warn(messages.held_in_service(id_, holder))
            return
        if (successor := claims.CLAIMS.failed_successor(operation.urn, id_)) is not None:
            raise UndeployFailedError(messages.not_followed(id_, successor))
        policy = replace(Inputs.read(props), timeout_seconds=None).policy(
            operation.timeout or props.get("timeout_seconds")
        )
        try:
            with with_saved_key(_DESTROY):
                beginning = Beginning(UNDEPLOY, request=True, look_first=True, again=messages.NEXT_DESTROY)
                status = operation.runtime().wait(id_, policy, beginning, reporter=operation)
        except ModelNotFoundError:
            operation.warn(messages.nothing_to_undeploy(id_))
            return
        except NugenError as exc:
            # What is known of the undeployment is no state of this resource, which stays as it is.
            exc.last_known = None
            raise
        if not (status.reached or status.rests):
            raise UndeployFailedError(messages.still_in_service(id_, status.error))
        claims.CLAIMS.note_undeployed(id_)

    def import_(self, operation: Operation, id_: str) -> tuple[str, DeployedState | None]:
        """Poll once about a model that was never managed, for an import: it was there before, so it is adopted."""
        given = cast("DeployedState", {**DEPLOYED_DEFAULTS, "model_id": id_, "adopted": True})
        refuse_bad(given)
        return id_, self.refresh(operation, id_, given)

    def get(self, operation: Operation, id_: str, props: Mapping[str, Any]) -> DeployedState:
        """Wait for a deployment that is under way, but never request one: for a resource that is read, not managed."""
        given, wanted = to_read(id_, props)
        status = self._deploy_and_wait(
            operation, id_, wanted, request=False, before=None, advice=messages.GET_DEPLOYED_ADVICE
        )
        return _complete(given, status, adopted=True)

    def _deploy_and_wait(
        self,
        operation: Operation,
        model_id: str,
        wanted: Inputs,
        *,
        request: bool,
        before: DeployedRecord | None,
        advice: str = messages.DEPLOY_AGAIN,
    ) -> TaskStatus:
        """Wait or poll once, as wanted; a model that does not come into service is an error if it is waited for."""
        beginning = Beginning(
            DEPLOY, request=request, before=cast("Any", before), look_first=request, unconfirmed=unconfirmed(before)
        )
        policy = wanted.policy(operation.timeout)
        if not wanted.wait:
            return operation.runtime().poll(model_id, policy, beginning, reporter=operation)
        status = operation.runtime().wait(model_id, policy, beginning, reporter=operation)
        if not status.reached:
            failure = DeployFailedError(messages.not_deployed(model_id, status.error, advice))
            failure.last_known = status
            raise failure
        return status


def _complete(props: Mapping[str, object], status: TaskStatus, *, adopted: bool) -> DeployedState:
    return outputs.of_deployed(props, cast("DeployedRecord", status.recorded()), adopted=adopted)


def _known(state: DeployedState) -> DeployedRecord | None:
    """Return what *state* records of its model, or None if nothing is known, or nothing counts any more."""
    return None if claims.CLAIMS.was_undeployed(state["model_id"]) else outputs.deployed_from_state(state)
