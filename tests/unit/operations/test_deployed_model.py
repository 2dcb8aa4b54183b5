"""What only a deployed model has: a delete, owners, claims, and a POST that nothing has confirmed."""

import pytest
from harness.operations import COMPLETED, PENDING, UNCONFIRMED, Call, failed, no_task

from nugen_pulumi.api.directions import UNDEPLOY
from nugen_pulumi.errors import (
    BadKeyError,
    DeployFailedError,
    ModelNotFoundError,
    UndeployFailedError,
    WaitTimeoutError,
)
from nugen_pulumi.operations import claims
from nugen_pulumi.operations.check import announce
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.inputs import DEPLOYED_DEFAULTS
from nugen_pulumi.operations.model import ModelOperations
from nugen_pulumi.waiting.model_wait import Outcome
from nugen_pulumi.waiting.task_state import Goal

DEPLOYED = DeployedOperations()
NEWS = {"model_id": "m", **DEPLOYED_DEFAULTS}
IN_SERVICE = COMPLETED.outputs("deployed")
STATE = {**NEWS, **IN_SERVICE, "adopted": False}
OF_OLD = {**NEWS, **IN_SERVICE}
OTHER = "urn:pulumi:dev::test::nugen:index:DeployedModel::other"
UNDEPLOYED = [("wait", "m", Goal(UNDEPLOY, request=True))]


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """Each test is a process of its own."""
    monkeypatch.setattr(claims, "CLAIMS", claims.Claims())


def deletes(props=STATE, *, answer=COMPLETED, timeout=None):
    """Delete, and return the call."""
    call = Call(answer, timeout=timeout)
    DEPLOYED.delete(call, props["model_id"], props)
    return call


def test_a_post_that_nothing_has_confirmed_is_recorded_until_something_has():
    """Its times say nothing about it: the newer paths never send any."""
    _, state = DEPLOYED.create(Call(UNCONFIRMED), {**NEWS, "wait": False})
    seen = DEPLOYED.refresh(Call(PENDING), "m", state)

    assert {**UNCONFIRMED.outputs("deployed"), **NEWS, "wait": False, "adopted": False} == state
    assert "will wait, or deploy again" in DEPLOYED.diff(Call(), state, {**NEWS, "wait": False}).update_reason
    assert "unconfirmed" not in seen
    assert DEPLOYED.diff(Call(), seen, {**NEWS, "wait": False}).update_reason is None


def test_a_model_that_was_in_service_is_adopted_with_a_warning():
    call = Call(Outcome(COMPLETED, found=True))

    assert DEPLOYED.create(call, NEWS)[1]["adopted"]
    assert "Model m was in service, or on its way, before this resource" in call.said[0]


@pytest.mark.parametrize("was", [True, False])
@pytest.mark.parametrize(
    ("known", "answer", "owns"),
    [
        (COMPLETED, None, False),
        (PENDING, COMPLETED, False),
        (no_task("UNDEPLOYED"), COMPLETED, True),
        (no_task("UNDEPLOYED"), Outcome(COMPLETED, found=True), False),
        (UNCONFIRMED, COMPLETED, True),
        (UNCONFIRMED, Outcome(COMPLETED, found=True), False),
    ],
)
def test_what_a_resource_owns_it_goes_on_owning_and_a_request_may_make_it_the_owner(was, known, answer, owns):
    """A POST that finds the model there may have met an earlier one, whose status lagged."""
    olds = {**NEWS, **known.outputs("deployed"), "adopted": was}

    assert (was and not owns) is DEPLOYED.update(Call(answer), "m", olds, NEWS)["adopted"]


def test_what_does_not_say_that_it_is_adopted_was_deployed_by_its_resource():
    assert DEPLOYED.refresh(Call(COMPLETED), "m", OF_OLD)["adopted"] is False


@pytest.mark.parametrize("props", [STATE, {**STATE, "wait": False}, OF_OLD])
def test_a_delete_requests_the_undeployment_and_waits_whatever_wait_says(props):
    call = deletes(props)

    assert UNDEPLOYED == call.asked
    assert "`pulumi destroy`" in call.again
    assert [] == call.said


@pytest.mark.parametrize(
    ("custom", "given", "timeout"), [(60.0, 7.0, 7.0), (None, 7.0, 7.0), (60.0, None, 60.0), (None, None, 1800.0)]
)
def test_the_timeout_of_a_delete_is_the_resources_or_that_of_its_options(custom, given, timeout):
    assert [timeout] == deletes({**STATE, "timeout_seconds": given}, timeout=custom).timeouts


def test_what_was_adopted_is_left_in_service():
    call = deletes({**STATE, "adopted": True})

    assert [] == call.asked
    assert call.said[0].startswith("Model m stays in service, because this resource found it there.")


@pytest.mark.parametrize(
    "answer", [COMPLETED, no_task("UNDEPLOYED", reached=True), Outcome(no_task("READY"), at_rest=True)]
)
def test_a_delete_ends_well_if_the_model_is_known_to_be_out_of_service(answer):
    assert [] == deletes(answer=answer).said


def test_a_delete_that_did_not_take_the_model_out_of_service_keeps_the_resource():
    with pytest.raises(UndeployFailedError) as caught:
        deletes(answer=no_task("READY"))

    assert str(caught.value) == (
        "Model m was not undeployed: No active task. Model status is READY. The resource stays in state, and the next"
        " `pulumi destroy` (`pulumi up` after a replacement) requests the undeployment again."
    )


def test_an_error_of_a_delete_keeps_nothing_of_the_undeployment():
    """The engine keeps the resource as it is."""
    with pytest.raises(WaitTimeoutError) as caught:
        deletes(answer=Outcome(PENDING, WaitTimeoutError("late")))

    assert caught.value.kept is None


def test_an_error_of_a_delete_says_which_key_it_used():
    with pytest.raises(BadKeyError, match=r"^bad\. `pulumi destroy` uses the key .* `pulumi destroy --run-program`\.$"):
        deletes(answer=BadKeyError("bad."))


def test_a_delete_that_finds_no_model_says_so():
    """With the key of another account, the model may be in service."""
    assert ["Model m does not exist, or belongs to another account than the API key: nothing was undeployed."] == (
        deletes(answer=ModelNotFoundError("none")).said
    )


@pytest.mark.parametrize(
    ("holder", "how", "left"),
    [
        (None, "created", True),  # as a replacement, with the URN of what is deleted
        (OTHER, "created", True),
        (OTHER, "updated", True),
        (OTHER, "found otherwise", True),
        (None, "found", False),  # the very one that is deleted
        (OTHER, "found", False),  # the same, under the name of an alias
        (None, "found otherwise", True),  # an old one of the same URN, whose delete was interrupted
        (None, "replaced", False),
        (OTHER, "registered", False),  # it will deploy the model again
        (OTHER, "refreshed", False),  # the engine calls Diff in a refresh, too: that is not what the program wants
        (OTHER, "wants another one", False),
    ],
)
def test_a_delete_leaves_in_service_what_another_resource_of_the_program_holds_there(holder, how, left):
    """The engine creates what replaces a resource first, and deletes the old one at the end."""
    call = Call(COMPLETED, urn=holder) if holder else Call(COMPLETED)
    if how != "refreshed":  # the engine first calls Check, for each resource of the program
        announce(call, DEPLOYED, {**NEWS, "model_id": "n"} if how == "wants another one" else NEWS, creating=False)
    if how == "created":
        DEPLOYED.create(call, NEWS)
    elif how == "updated":
        DEPLOYED.update(call, "m", STATE, NEWS)
    elif how != "registered":
        found = {} if how == "found" else {"start_time": "earlier"}
        DEPLOYED.diff(call, {**STATE, **found}, {**NEWS, **({"triggers": ["x"]} if how == "replaced" else {})})
    deleted = deletes()

    assert ([] if left else UNDEPLOYED) == deleted.asked
    held = f"Model m stays in service, because {'other' if holder else 'm'} of this program wants it there."
    assert ([held] if left else []) == deleted.said


def test_a_delete_says_if_what_holds_the_model_will_not_undeploy_it_either():
    DEPLOYED.create(Call(Outcome(COMPLETED, found=True), urn=OTHER), NEWS)

    [said] = deletes().said
    assert said.endswith("other found it there, so `pulumi destroy` will leave it in service: see the output adopted.")


@pytest.mark.parametrize("olds", [None, {**NEWS, **failed().outputs("deployed")}])
@pytest.mark.parametrize(
    ("answer", "held"),
    [(failed(), True), (Outcome(PENDING, WaitTimeoutError("late")), True), (BadKeyError("k"), False)],
)
def test_what_came_to_be_in_spite_of_an_error_is_held_in_service(olds, answer, held):
    call = Call(answer, urn=OTHER)
    with pytest.raises((DeployFailedError, WaitTimeoutError, BadKeyError)):
        DEPLOYED.create(call, NEWS) if olds is None else DEPLOYED.update(call, "m", olds, NEWS)

    assert held is (claims.CLAIMS.other_holder("m", STATE) is not None)


@pytest.mark.parametrize(
    ("urn", "old"),
    [(Call().urn, "old"), (OTHER, "m")],
    ids=["what it was to replace", "whose model it was to take over"],
)
def test_a_delete_keeps_in_service_what_a_failed_create_was_to_follow(urn, old):
    """With --continue-on-error the engine deletes it all the same."""
    with pytest.raises(BadKeyError):
        DEPLOYED.create(Call(BadKeyError("bad"), urn=urn), NEWS)
    with pytest.raises(
        UndeployFailedError, match=rf"^Model {old} stays in service, because .* was to follow it, failed"
    ):
        deletes({**STATE, "model_id": old})

    DEPLOYED.create(Call(COMPLETED, urn=urn), NEWS)
    deletes({**STATE, "model_id": old})


def test_what_a_delete_took_out_of_service_another_resource_deploys_again():
    """A replacement that deletes first, of one of two that share a model."""
    deletes()
    call = Call(COMPLETED)

    assert "will deploy" in DEPLOYED.diff(Call(), STATE, NEWS).update_reason
    DEPLOYED.update(call, "m", STATE, NEWS)
    assert [True] == [goal.request for *_, goal in call.asked]
    assert DEPLOYED.diff(Call(), STATE, NEWS).update_reason is None


BOTH = "Model m has both a DeployedModel and an UndeployedModel"
TWO = "Model m has two DeployedModel resources"


@pytest.mark.parametrize(
    ("first", "second", "warning"),
    [
        (DEPLOYED, ModelOperations(), BOTH),
        (ModelOperations(), DEPLOYED, BOTH),
        (FleetOperations(), DEPLOYED, BOTH),
        (DEPLOYED, FleetOperations(), BOTH),
        (DEPLOYED, DEPLOYED, TWO),
        (ModelOperations(), FleetOperations(), None),
    ],
)
def test_two_resources_at_odds_about_one_model_are_told_once(first, second, warning):
    one, other = Call(), Call(urn=OTHER)
    for _ in range(2):
        announce(one, first, {"model_id": "m", "model_ids": ["k", "m", object()]}, creating=False)
        announce(other, second, {"model_id": "m", "model_ids": ["l", object(), "m"]}, creating=False)

    assert [] == one.said
    assert ([] if warning is None else [warning]) == [line[: len(warning)] for line in other.said]


def test_a_fleet_at_odds_about_many_models_is_told_of_one():
    call = Call(urn=OTHER)
    for model_id in ("k", "m"):
        announce(Call(urn=model_id), DEPLOYED, {"model_id": model_id}, creating=False)
    announce(call, FleetOperations(), {"model_ids": ["k", "m"]}, creating=False)

    assert ["Model k has both"] == [line[:16] for line in call.said]


def test_a_resource_that_will_deploy_says_so_in_a_preview():
    call = Call()
    announce(call, DEPLOYED, {"model_id": object()}, creating=True)
    announce(call, DEPLOYED, {"model_id": "m"}, creating=True)

    assert ["will deploy, which uses credits", "will deploy m, which uses credits"] == call.said
