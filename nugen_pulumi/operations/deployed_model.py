"""What the operations of a deployed model decide beyond those of any model: delete, adoption, claims."""

from __future__ import annotations

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import Record
from nugen_pulumi.errors import ModelNotFoundError, NugenError, UndeployFailedError
from nugen_pulumi.operations import claims, messages, outputs
from nugen_pulumi.operations.call import Call, Difference
from nugen_pulumi.operations.inputs import DEPLOYED_DEFAULTS, Inputs
from nugen_pulumi.operations.model import ModelOperations, State
from nugen_pulumi.waiting.task_state import Goal


class DeployedOperations(ModelOperations):
    """The operations of ``DeployedModel``; the only ones with a delete."""

    direction: Direction = DEPLOY
    defaults = DEPLOYED_DEFAULTS
    computed = outputs.OF_DEPLOYED
    get_advice = "To read the status without an error, set wait=False."

    def diff(self, call: Call, olds: State, news: State) -> Difference:
        """As of any model; note that the resource has the model in service."""
        difference = super().diff(call, olds, news)
        if not difference.replaces:
            claims.CLAIMS.note_in_state(call.urn, olds["model_id"], olds)
        return difference

    def create(self, call: Call, news: State) -> tuple[str, State]:
        """Put the model into service, and wait until it is."""
        urn, model_id = call.urn, news["model_id"]
        try:
            id_, state = super().create(call, news)
        except NugenError as exc:
            _note_kept(urn, exc)
            claims.CLAIMS.note_failed(urn, model_id)
            raise
        claims.CLAIMS.note_deployed(urn, model_id, adopted=state["adopted"])
        if state["adopted"]:
            call.warn(messages.adopted(model_id))
        return id_, state

    def update(self, call: Call, id_: str, olds: State, news: State) -> State:
        """Continue the last call, or put the model into service again. Sends no requests if it is."""
        try:
            state = super().update(call, id_, olds, news)
        except NugenError as exc:
            _note_kept(call.urn, exc)
            raise
        claims.CLAIMS.note_deployed(call.urn, id_, adopted=state["adopted"])
        return state

    def delete(self, call: Call, id_: str, props: State) -> None:
        """
        Take the model out of service, and wait until it is; leave one in service that was there before.

        Any error keeps the resource in state: only what is known to be out of service, or gone, may be forgotten.
        """
        if props.get("adopted", False):
            call.warn(messages.left_in_service(id_))
            return
        if (holder := claims.CLAIMS.other_holder(id_, props)) is not None:
            call.warn(messages.held_in_service(id_, *holder))
            return
        if (successor := claims.CLAIMS.failed_successor(call.urn, id_)) is not None:
            raise UndeployFailedError(messages.not_followed(id_, successor))
        policy = Inputs.read(props).policy(call.timeout)
        goal = Goal(UNDEPLOY, request=True)
        outcome = call.runtime().follow(id_, policy, goal, again=messages.NEXT_DESTROY, reporter=call)
        if isinstance(outcome.error, ModelNotFoundError):
            call.warn(messages.nothing_to_undeploy(id_))
            return
        if outcome.error is not None:
            raise messages.with_saved_key(outcome.error, "pulumi destroy")
        if outcome.known is not None and not (outcome.known.reached or outcome.at_rest):
            raise UndeployFailedError(messages.still_in_service(id_, outcome.known.error))
        claims.CLAIMS.note_undeployed(id_)

    def import_(self, call: Call, id_: str) -> tuple[str, State | None]:
        """As of any model; it was there before, so it is adopted."""
        id_, state = super().import_(call, id_)
        return id_, None if state is None else {**state, "adopted": True}

    def _known(self, state: State) -> Record | None:
        # A delete of this process may have taken it out of service.
        return None if claims.CLAIMS.was_undeployed(state["model_id"]) else super()._known(state)


def _note_kept(urn: str, error: NugenError) -> None:
    if error.kept is not None:
        claims.CLAIMS.note_deployed(urn, error.kept[0], adopted=error.kept[1]["adopted"])
