"""The messages of the operations: warnings, reasons in a preview, advice, and what is reported of a fleet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from nugen_pulumi.api.statuses import Phase, model_status
from nugen_pulumi.errors import Reason
from nugen_pulumi.operations.next_action import Action
from nugen_pulumi.waiting.wait_messages import GO_ON, MORE_TIME, START_AGAIN

if TYPE_CHECKING:
    from nugen_pulumi.api.statuses import FleetModel
    from nugen_pulumi.operations.inputs import Inputs
    from nugen_pulumi.operations.outputs import DeployedRecord

GET_ADVICE = 'To read the status without an error, set wait=False or on_failure="record".'
REQUEST_AGAIN = "The next `pulumi up` requests the undeployment again."

DEPLOY_AGAIN = "The next `pulumi up` requests the deployment again."
NEXT_DESTROY = "The resource stays in state, and the next `pulumi destroy` (`pulumi up` after a replacement)"
GET_DEPLOYED_ADVICE = "To read the status without an error, set wait=False."
# What the next `pulumi up` does is reported once, for all models of a fleet.
_REPORTED_ONCE = {GO_ON, START_AGAIN, MORE_TIME, REQUEST_AGAIN}

_NAMED = 10
# How long something took: "in 1m 30s", "its last status, 2s ago, was".
_LENGTHS = re.compile(r", [^,]* ago,|\b[\d.]+[hms](?: \d+[ms])?\b")
_ALIKE = 3


def unfinished_fleet(total: int, reasons: Mapping[str, Reason], *, missing: bool, wanted: bool = True) -> str:
    """
    Report which of *total* models are not undeployed: up to ten reasons, and how many more there are.

    Args:
        total: How many models were waited for.
        reasons: By id, why a model is not undeployed. Equal reasons are reported once.
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


def failed(model_id: str, model: FleetModel, wanted: Inputs, advice: str | None = None) -> Reason | None:
    """
    Return why a model is not undeployed, or None if it is, or if its failure is *wanted* as an output.

    Args:
        model_id: The model.
        model: What is known of it: a terminal status.
        wanted: The inputs.
        advice: What to do about it; by default it follows from the inputs.
    """
    if model["undeployed"] or wanted.on_failure == "record":
        return None
    reason = (model.get("error") or "").rstrip(".")
    return Reason(f"Model {model_id} was not undeployed: {reason}.", (advice or _advice(model, wanted),))


def _advice(model: FleetModel, wanted: Inputs) -> str:
    now = model_status(model.get("error"))
    if now == "READY":
        return "The status READY does not tell whether the model is in service: check it where you manage your models."
    if wanted.undeploy:
        return REQUEST_AGAIN
    if now == "DEPLOYED":
        return "Nobody has requested the undeployment: set undeploy to true."
    return "The next `pulumi up` only polls again. To request the undeployment, set undeploy to true."


def drift(model_id: str, known: FleetModel | None, seen: FleetModel) -> str | None:
    """Report what a refresh has *seen* of a model that was *known* to be undeployed, or is in service; else None."""
    if seen["undeployed"]:
        return None
    reason = (seen.get("error") or seen["status"]).rstrip(".")
    if known is not None and known["undeployed"]:
        return f"Model {model_id} is no longer undeployed: {reason}."
    return f"Model {model_id} is in service: {reason}." if model_status(seen.get("error")) == "DEPLOYED" else None


def next_up(action: Action, *, running: bool, it: str = "it") -> str:
    """
    Report what the next ``pulumi up`` does about a model.

    Args:
        action: What it does.
        running: An undeployment is running. If none is, a program that only waits will not be satisfied.
        it: What to call the model, or the models.
    """
    if action is Action.NOTHING:
        return f"The next `pulumi up` changes nothing: the program does not require {it} to be undeployed."
    if action is Action.REQUEST:
        return f"The next `pulumi up` undeploys {it}."
    if running:
        return f"The next `pulumi up` waits for {it}."
    return f"The next `pulumi up` fails until somebody undeploys {it}: to request that, set undeploy to true."


def fleet_drift(total: int, reasons: Mapping[str, str], actions: Collection[Action], *, running: bool) -> str:
    """As :func:`drift` and :func:`next_up`, of a fleet: the action that does most is reported."""
    action = next((action for action in (Action.REQUEST, Action.POLL) if action in actions), Action.NOTHING)
    it = "it" if len(reasons) == 1 else "them"
    return _fleet(total, reasons, "not undeployed", next_up(action, running=running, it=it))


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


def update_reason(known: FleetModel | None, action: Action) -> str:
    """Report in a few words why an update is due, and what it will do."""
    if known is None:
        return f"status unknown: will {'undeploy' if action is Action.REQUEST else 'wait'}"
    deployed = model_status(known.get("error")) == "DEPLOYED"
    state = "in service" if deployed else f"was {known['status']}" if known["status"] != Phase.FAILED else "FAILED"
    if action is Action.REQUEST:
        return f"{state}: will undeploy"
    return f"{state}: will {'poll again' if known['status'] == Phase.FAILED else 'keep waiting'}"


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


def deploy_reason(known: DeployedRecord | None, action: Action, *, unconfirmed: bool) -> str | None:
    """Report in a few words why an update of a deployed model is due, and what it will do; None: nothing."""
    if action is Action.NOTHING:
        return None
    if action is Action.POLL:
        # A POST that was lost is sent again if nothing came of it.
        does = "wait, or deploy again, which uses credits" if unconfirmed else "keep waiting"
        return f"was {known['status'] if known else 'unknown'}: will {does}"
    now = model_status(known.get("error")) if known else None
    return f"{f'is {now}' if now else 'not in service'}: {will_deploy()}"


def will_deploy(model_id: object = None) -> str:
    """
    Report what creating or updating a deployed model will do.

    Args:
        model_id: In the row of a replacement, which is also that of the old model, it tells which one is meant.
    """
    return f"will deploy{f' {model_id}' if isinstance(model_id, str) else ''}, which uses credits"


def not_deployed(model_id: str, error: str | None, advice: str) -> str:
    """Report that a deployment FAILED."""
    return f"Model {model_id} was not deployed: {(error or '').rstrip('.')}. {advice}"


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


def held_in_service(model_id: str, holder: str) -> str:
    """Warn that a delete leaves a model in service, because another resource wants it there."""
    return f"Model {model_id} stays in service, because {holder} of this program wants it there."


def nothing_to_undeploy(model_id: str) -> str:
    """Warn that a delete found no model."""
    return f"Model {model_id} does not exist, or belongs to another account than the API key: nothing was undeployed."


def out_of_service(model_id: str, seen: DeployedRecord, action: Action) -> str:
    """Report what a refresh has *seen* of a model that should be in service, and what the next ``pulumi up`` does."""
    now = model_status(seen.get("error"))
    if now == "UNDEPLOYING":
        what = "is being undeployed by somebody"
    elif seen["status"] == Phase.FAILED:
        what = f"is not in service: {(seen.get('error') or '').rstrip('.')}"
    else:
        what = f"is not in service yet: {seen['status']}"
    does = {Action.REQUEST: "deploys it", Action.POLL: "waits for it", Action.NOTHING: "changes nothing"}[action]
    return f"Model {model_id} {what}. The next `pulumi up` {does}."


def still_in_service(model_id: str, error: str | None) -> str:
    """Report that a destroy did not take a model out of service."""
    return (
        f"Model {model_id} was not undeployed: {(error or '').rstrip('.')}. {NEXT_DESTROY} requests the undeployment"
        " again."
    )


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
