"""The messages of the operations: warnings, reasons in a preview, advice, and what is reported of a fleet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY, Direction
from nugen_pulumi.api.statuses import Phase, Record
from nugen_pulumi.errors import BadKeyError, NugenError, Reason
from nugen_pulumi.operations.next_action import Action
from nugen_pulumi.waiting.wait_messages import GO_ON, MORE_TIME, START_AGAIN

if TYPE_CHECKING:
    from nugen_pulumi.operations.inputs import Inputs

REQUEST_AGAIN = "The next `pulumi up` requests the undeployment again."
DEPLOY_AGAIN = "The next `pulumi up` requests the deployment again."
NEXT_DESTROY = "The resource stays in state, and the next `pulumi destroy` (`pulumi up` after a replacement)"
# What the next `pulumi up` does is reported once, for all models of a fleet.
_REPORTED_ONCE = {GO_ON, START_AGAIN, MORE_TIME, REQUEST_AGAIN}

_NAMED = 10
# How long something took: "in 1m 30s", "its last status, 2s ago, was".
_LENGTHS = re.compile(r", [^,]* ago,|\b[\d.]+[hms](?: \d+[ms])?\b")
_ALIKE = 3


def unfinished_fleet(total: int, reasons: Mapping[str, Reason], *, missing: bool, wanted: bool = True) -> str:
    """
    Report which of *total* models are not undeployed: up to ten reasons, equal ones once, and how many more there are.

    Args:
        total: How many models were waited for.
        reasons: By id.
        missing: Some of them do not exist.
        wanted: All of them should be undeployed by now; else only their statuses were wanted.
    """
    advice = {advice for reason in reasons.values() for advice in reason.advice}
    tail = "The next `pulumi up` continues with the models that are not finished"
    tail += ", and requests the undeployments that FAILED again." if REQUEST_AGAIN in advice else "."
    if MORE_TIME in advice:
        tail += f" {MORE_TIME}"
    if missing:
        tail += " Remove the ids that do not exist from model_ids."
    said = {model_id: _without_advice_to_all(reason) for model_id, reason in reasons.items()}
    return _fleet(total, said, "not undeployed" if wanted else "without a status", tail)


def unseen_fleet(total: int, reasons: Mapping[str, str]) -> str:
    """As :func:`unfinished_fleet`, of a refresh."""
    return _fleet(total, reasons, "without a usable response", "State did not change.")


def failed(direction: Direction, model_id: str, model: Record, wanted: Inputs, advice: str | None = None) -> Reason:
    """Report a *model* whose task FAILED. The *advice* follows from the inputs where none is given."""
    return Reason(
        f"Model {model_id} was not {direction.flag}: {_bare(model.error)}.",
        (advice or _advice(direction, model, wanted),),
    )


def _advice(direction: Direction, model: Record, wanted: Inputs) -> str:
    if direction is DEPLOY:
        return DEPLOY_AGAIN
    if model.model_status == "READY":
        return "The status READY does not tell whether the model is in service: check it where you manage your models."
    if wanted.undeploy:
        return REQUEST_AGAIN
    if model.model_status in direction.not_started:
        return "Nobody has requested the undeployment: set undeploy to true."
    return "The next `pulumi up` only polls again. To request the undeployment, set undeploy to true."


def drift(direction: Direction, model_id: str, known: Record | None, seen: Record) -> str | None:
    """Report what a refresh has *seen* of a model that is not, or no longer, as the resource says; else None."""
    reason = _bare(seen.error or seen.status)
    was_reached = known is not None and known.reached
    what = None
    if seen.reached:
        return None
    if direction is DEPLOY:
        if seen.model_status == direction.blocked:
            what = "is being undeployed by somebody"
        elif seen.status == Phase.FAILED:
            what = f"is not in service: {reason}"
        elif known is None or was_reached:
            what = f"is not in service yet: {seen.status}"
    elif was_reached:
        what = f"is no longer undeployed: {reason}"
    elif seen.model_status in direction.not_started:
        what = f"is in service: {reason}"
    return what and f"Model {model_id} {what}."


def next_up(direction: Direction, action: Action, *, running: bool, it: str = "it") -> str:
    """
    Report what the next ``pulumi up`` does about a model, or about several, which *it* names.

    If the task is not *running*, a program that only waits will not be satisfied.
    """
    if action is Action.REQUEST:
        return f"The next `pulumi up` {direction.will}s {it}."
    if action is Action.NOTHING:
        why = "" if direction is DEPLOY else f": the program does not require {it} to be undeployed"
        return f"The next `pulumi up` changes nothing{why}."
    if running or direction is DEPLOY:
        return f"The next `pulumi up` waits for {it}."
    return f"The next `pulumi up` fails until somebody undeploys {it}: to request that, set undeploy to true."


def fleet_drift(total: int, reasons: Mapping[str, str], actions: Collection[Action], *, running: bool) -> str:
    """As :func:`drift` and :func:`next_up`, of a fleet: the action that does most is reported."""
    action = next((action for action in (Action.REQUEST, Action.POLL) if action in actions), Action.NOTHING)
    it = "it" if len(reasons) == 1 else "them"
    return _fleet(total, reasons, "not undeployed", next_up(UNDEPLOY, action, running=running, it=it))


def missing_models(model_ids: Sequence[str], *, of_fleet: bool) -> str:
    """Report what a refresh or an import did not find."""
    named = ", ".join(model_ids[:_NAMED]) + (f" and {len(model_ids) - _NAMED} more" if len(model_ids) > _NAMED else "")
    which = f"Model {named} does" if len(model_ids) == 1 else f"Models {named} do"
    if of_fleet:
        return f"{which} not exist. Remove from model_ids what does not exist, or the next `pulumi up` fails."
    return (
        f"{which} not exist any more, or belongs to another account than the API key, and is removed from state. Remove"
        " it from the program, too."
    )


def update_reason(direction: Direction, known: Record | None, action: Action) -> str:
    """Report in a few words why an update is due, and what it will do."""
    ended = known is not None and known.status == Phase.FAILED
    now = known.model_status if known else None
    if direction is DEPLOY and action is Action.REQUEST:
        return f"{f'is {now}' if now else 'not in service'}: {will_deploy()}"
    state = "status unknown" if known is None else "FAILED" if ended else f"was {known.status}"
    if now in UNDEPLOY.not_started:
        state = "in service"
    if action is Action.REQUEST:
        return f"{state}: will undeploy"
    # A POST that was lost is sent again if nothing came of it.
    if direction is DEPLOY and known is not None and known.unconfirmed:
        return f"{state}: will wait, or deploy again, which uses credits"
    return f"{state}: will {'wait' if known is None else 'poll again' if ended else 'keep waiting'}"


def fleet_update_reason(total: int, actions: Sequence[Action]) -> str:
    """As :func:`update_reason`, of a fleet: *actions* are those about the models that are not settled."""
    undeploy = actions.count(Action.REQUEST)
    poll = len(actions) - undeploy
    steps = [f"undeploy {undeploy}"] * bool(undeploy) + [f"poll {poll}"] * bool(poll)
    return f"{len(actions)} of {total} not undeployed: will {' and '.join(steps)}"


def _fleet(total: int, reasons: Mapping[str, str], what: str, tail: str) -> str:
    alike: dict[str, list[str]] = {}
    for model_id, reason in reasons.items():
        # A thousand equal errors are one; how long each took makes no difference.
        alike.setdefault(_LENGTHS.sub("", reason.replace(f"Model {model_id}", "", 1)), []).append(model_id)
    named = [f"  {reasons[ids[0]]}{_others(ids[1:])}" for ids in list(alike.values())[:_NAMED]]
    left = sum(map(len, list(alike.values())[_NAMED:]))
    head = f"{len(reasons)} of {total} models {'is' if len(reasons) == 1 else 'are'} {what}:"
    return "\n".join([head, *named, *([f"  … and {left} more."] if left else []), tail])


def _without_advice_to_all(reason: Reason) -> str:
    return str(Reason(reason.what, tuple(advice for advice in reason.advice if advice not in _REPORTED_ONCE)))


def _others(model_ids: Sequence[str]) -> str:
    if not model_ids:
        return ""
    more = f" and {len(model_ids) - _ALIKE} more" if len(model_ids) > _ALIKE else ""
    return f" The same error: {', '.join(model_ids[:_ALIKE])}{more}."


def will_deploy(model_id: object = None) -> str:
    """
    Report what creating or updating a deployed model will do.

    The id tells which model is meant in the row of a replacement, which is also that of the old one.
    """
    return f"will deploy{f' {model_id}' if isinstance(model_id, str) else ''}, which uses credits"


def adopted(model_id: str) -> str:
    """Warn that a model was in service before its resource came."""
    return (
        f"Model {model_id} was in service, or on its way, before this resource: `pulumi destroy` will leave it in"
        " service. To take it out of service, use UndeployedModel."
    )


def left_in_service(model_id: str) -> str:
    """Warn that a destroy leaves a model in service."""
    return (
        f"Model {model_id} stays in service, because this resource found it there. To take it out of service, use"
        " UndeployedModel."
    )


def held_in_service(model_id: str, holder: str, adopted: bool) -> str:
    """Warn that a delete leaves a model in service, because another resource wants it there."""
    kept = f"Model {model_id} stays in service, because {holder} of this program wants it there."
    if not adopted:
        return kept
    return f"{kept} {holder} found it there, so `pulumi destroy` will leave it in service: see the output adopted."


def nothing_to_undeploy(model_id: str) -> str:
    """Warn that a delete found no model."""
    return f"Model {model_id} does not exist, or belongs to another account than the API key: nothing was undeployed."


def still_in_service(model_id: str, error: str | None) -> str:
    """Report that a destroy did not take a model out of service."""
    return f"Model {model_id} was not undeployed: {_bare(error)}. {NEXT_DESTROY} requests the undeployment again."


def with_saved_key(error: NugenError, command: str) -> NugenError:
    """Add to an error about the API key what *command*, which runs no program, used: the key that state holds."""
    if isinstance(error, BadKeyError):
        saved = f"`{command}` uses the key that the last `pulumi up` saved in state. If the key was changed since, run"
        error.args = (f"{error} {saved} `pulumi up` first, or `{command} --run-program`.",)
    return error


def contradiction(model_id: str) -> str:
    """Warn about two resources that want opposite things."""
    return (
        f"Model {model_id} has both a DeployedModel and an UndeployedModel, or a fleet of them: one deploys what the"
        " other one undeploys. Remove it from one of them."
    )


def two_in_service(model_id: str) -> str:
    """Warn about two resources that hold one model in service."""
    return (
        f"Model {model_id} has two DeployedModel resources. Only one of them owns it, and the other one does not notice"
        " when it is deleted. Remove one of them from the program."
    )


def not_followed(model_id: str, successor: str) -> str:
    """Report that a delete leaves a model in service, because what was to follow it failed."""
    return (
        f"Model {model_id} stays in service, because {successor}, which was to follow it, failed. The resource stays in"
        " state, and the next `pulumi up` deletes it once the other one is in service."
    )


def _bare(reason: str | None) -> str:
    return (reason or "").rstrip(".")
