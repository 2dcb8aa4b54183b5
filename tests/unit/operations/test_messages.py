"""What an operator reads, word for word."""

import pytest

from nugen_pulumi.errors import Reason
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.messages import (
    drift,
    failed,
    fleet_drift,
    fleet_update_reason,
    missing_models,
    unfinished_fleet,
    update_reason,
)
from nugen_pulumi.operations.next_action import Action

UNDEPLOYED = {"status": "COMPLETED", "undeployed": True, "error": None}
PENDING = {"status": "PENDING", "undeployed": False, "error": None}

NOTHING, POLL, UNDEPLOY = Action


def lost(model_status):
    return {
        "status": "FAILED",
        "undeployed": False,
        "error": f"No active undeployment. Model status is {model_status}.",
    }


def wanted(**props):
    return Inputs.read(props)


GO_ON = "The next `pulumi up` continues with the models that are not finished."


@pytest.mark.parametrize(
    ("reasons", "named", "more"), [(10, 10, []), (11, 10, ["  … and 1 more."]), (20, 10, ["  … and 10 more."])]
)
def test_ten_reasons_of_a_fleet_are_named_and_the_others_counted(reasons, named, more):
    said = {f"m-{n}": Reason(f"Model m-{n}: {'no' * n} answer.") for n in range(reasons)}

    assert [
        f"{reasons} of 300 models are not undeployed:",
        *[f"  {reason}" for reason in list(said.values())[:named]],
        *more,
        GO_ON,
    ] == unfinished_fleet(300, said, missing=False).split("\n")


@pytest.mark.parametrize(
    ("alike", "others"),
    [
        (2, "m-1"),
        (4, "m-1, m-2, m-3"),
        (5, "m-1, m-2, m-3 and 1 more"),
        (100, "m-1, m-2, m-3 and 96 more"),
    ],
)
def test_a_reason_that_many_have_is_named_once(alike, others):
    """However long each took."""
    said = {f"m-{n}": Reason(f"Model m-{n}: no usable response in {n + 1}s.") for n in range(alike)}

    reason = "Model m-0: no usable response in 1s."

    assert (
        f"{alike} of 100 models are not undeployed:\n  {reason} The same error: {others}.\n{GO_ON}"
        == unfinished_fleet(100, said, missing=False)
    )


def test_those_who_share_a_reason_that_is_not_named_are_counted_each():
    said = {f"m-{n}": Reason(f"Model m-{n}: {'no' * n} answer.") for n in range(10)}
    said |= {f"o-{n}": Reason(f"Model o-{n}: GPU on fire.") for n in range(5)}

    assert unfinished_fleet(15, said, missing=False).endswith(f"\n  … and 5 more.\n{GO_ON}")


MORE_TIME = "To wait longer, raise timeout_seconds."


@pytest.mark.parametrize(
    ("advice", "tail"),
    [
        (["The next `pulumi up` continues to wait."], GO_ON),
        (["The next `pulumi up` continues to wait.", MORE_TIME], f"{GO_ON} {MORE_TIME}"),
        (["The next `pulumi up` starts again."], GO_ON),
        (
            ["The next `pulumi up` requests the undeployment again."],
            f"{GO_ON[:-1]}, and requests the undeployments that FAILED again.",
        ),
    ],
)
def test_what_comes_next_is_reported_once_for_all_of_a_fleet(advice, tail):
    assert f"1 of 2 models is not undeployed:\n  Why.\n{tail}" == (
        unfinished_fleet(2, {"a": Reason("Why.", (*advice,))}, missing=False)
    )


def test_advice_that_is_not_for_all_stays_with_its_model():
    assert f"1 of 2 models is not undeployed:\n  Why. Call them.\n{GO_ON}" == (
        unfinished_fleet(2, {"a": Reason("Why.", ("Call them.",))}, missing=False)
    )


def test_errors_of_a_fleet_whose_models_need_not_be_undeployed_say_no_more_than_that():
    assert f"1 of 2 models is without a status:\n  why\n{GO_ON}" == (
        unfinished_fleet(2, {"a": Reason("why")}, missing=False, wanted=False)
    )


@pytest.mark.parametrize(
    ("missing", "of_fleet", "says"),
    [
        (
            ["a"],
            False,
            (
                "Model a does not exist any more, or belongs to another account than the API key,"
                " and is removed from state. Remove it from the program, too."
            ),
        ),
        (
            ["a", "b"],
            True,
            ("Models a, b do not exist. Remove from model_ids what does not exist, or the next `pulumi up` fails."),
        ),
        (
            [str(n) for n in range(12)],
            True,
            (
                "Models 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more do not exist. Remove from model_ids what does not"
                " exist, or the next `pulumi up` fails."
            ),
        ),
    ],
)
def test_models_that_do_not_exist_are_named(missing, of_fleet, says):
    assert says == missing_models(missing, of_fleet=of_fleet)


@pytest.mark.parametrize(
    ("actions", "next_"),
    [
        ([NOTHING], "The next `pulumi up` changes nothing: the program does not require them to be undeployed."),
        ([POLL, NOTHING], "The next `pulumi up` waits for them."),
        ([NOTHING, POLL, UNDEPLOY], "The next `pulumi up` undeploys them."),
    ],
)
def test_what_is_done_about_the_drift_of_a_fleet_is_the_most_that_is_done_about_one(actions, next_):
    drifted = {"a": "why", "b": "what"}

    assert f"2 of 3 models are not undeployed:\n  why\n  what\n{next_}" == (
        fleet_drift(3, drifted, actions, running=True)
    )
    assert fleet_drift(3, {"a": "why"}, actions, running=True).endswith(next_.replace("them", "it"))


@pytest.mark.parametrize(
    ("known", "action", "reason"),
    [
        (None, UNDEPLOY, "status unknown: will undeploy"),
        (None, POLL, "status unknown: will wait"),
        (lost("DEPLOYED"), UNDEPLOY, "in service: will undeploy"),
        (lost("DEPLOYED"), POLL, "in service: will poll again"),
        (lost("READY"), UNDEPLOY, "FAILED: will undeploy"),
        (PENDING, UNDEPLOY, "was PENDING: will undeploy"),
        (PENDING, POLL, "was PENDING: will keep waiting"),
    ],
)
def test_an_update_that_is_due_says_why_and_what_it_will_do(known, action, reason):
    assert reason == update_reason(known, action)


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ([UNDEPLOY, UNDEPLOY], "2 of 5 not undeployed: will undeploy 2"),
        ([POLL], "1 of 5 not undeployed: will poll 1"),
        ([POLL, UNDEPLOY, POLL], "3 of 5 not undeployed: will undeploy 1 and poll 2"),
    ],
)
def test_an_update_of_a_fleet_that_is_due_says_the_same_of_all(actions, reason):
    assert reason == fleet_update_reason(5, actions)


AMBIGUOUS = "The status READY does not tell whether the model is in service: check it where you manage your models."


@pytest.mark.parametrize(
    ("model_status", "undeploy", "advice"),
    [
        ("READY", True, AMBIGUOUS),
        ("READY", False, AMBIGUOUS),
        ("DEPLOYED", True, "The next `pulumi up` requests the undeployment again."),
        ("DEPLOYED", False, "Nobody has requested the undeployment: set undeploy to true."),
        ("TRAINING", True, "The next `pulumi up` requests the undeployment again."),
        (
            "TRAINING",
            False,
            "The next `pulumi up` only polls again. To request the undeployment, set undeploy to true.",
        ),
    ],
)
def test_a_failure_says_why_and_what_helps(model_status, undeploy, advice):
    assert (f"Model m was not undeployed: No active undeployment. Model status is {model_status}. {advice}") == str(
        failed("m", lost(model_status), wanted(undeploy=undeploy))
    )


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (lost("DEPLOYED"), "No active undeployment. Model status is DEPLOYED."),
        ({"status": "PENDING", "undeployed": False, "error": None}, "PENDING."),
        ({"status": "FAILED", "undeployed": False, "error": "what"}, "what."),
    ],
)
def test_a_model_that_is_no_longer_undeployed_has_drifted(seen, said):
    assert f"Model m is no longer undeployed: {said}" == drift("m", UNDEPLOYED, seen)


@pytest.mark.parametrize("known", [None, PENDING, lost("READY")])
def test_a_model_in_service_has_drifted_whatever_was_known(known):
    assert "Model m is in service: No active undeployment. Model status is DEPLOYED." == drift(
        "m", known, lost("DEPLOYED")
    )
    assert drift("m", known, PENDING) is None
    assert drift("m", known, lost("READY")) is None


@pytest.mark.parametrize("known", [None, PENDING, UNDEPLOYED])
def test_a_model_that_is_undeployed_has_not_drifted(known):
    assert drift("m", known, UNDEPLOYED) is None


def test_only_how_long_it_took_makes_no_difference():
    """Other numbers do: a status code, an error of the API's own. Ids are ids, be they letters of other words."""
    reasons = {
        "a": Reason("Model a: no usable response in 1m 30s. CUDA error 11."),
        "e": Reason("Model e: no usable response in 31s. CUDA error 11."),
        "m": Reason("Model m: no usable response in 0.5s. CUDA error 98."),
    }

    assert [
        "  Model a: no usable response in 1m 30s. CUDA error 11. The same error: e.",
        "  Model m: no usable response in 0.5s. CUDA error 98.",
    ] == unfinished_fleet(3, reasons, missing=False).splitlines()[1:-1]
