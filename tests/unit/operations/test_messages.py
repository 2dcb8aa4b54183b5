"""What an operator reads, word for word."""

import pytest
from harness.operations import COMPLETED, PENDING, failed, no_task

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.errors import Reason
from nugen_pulumi.operations import messages
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.messages import (
    drift,
    fleet_drift,
    fleet_update_reason,
    missing_models,
    unfinished_fleet,
)
from nugen_pulumi.operations.next_action import Action

NOTHING, POLL, REQUEST = Action

GO_ON = "The next `pulumi up` continues with the models that are not finished."


@pytest.mark.parametrize(
    ("reasons", "alike", "more"), [(10, 1, []), (11, 1, ["  … and 1 more."]), (15, 5, ["  … and 9 more."])]
)
def test_ten_reasons_of_a_fleet_are_named_and_the_models_of_the_others_counted(reasons, alike, more):
    said = {f"m-{n}": Reason(f"Model m-{n}: {'no' * n} answer.") for n in range(reasons)}
    said |= {f"o-{n}": Reason(f"Model o-{n}: {'no' * (reasons - 1)} answer.") for n in range(alike - 1)}

    assert [
        f"{len(said)} of 300 models are not undeployed:",
        *[f"  {reason}" for reason in list(said.values())[:10]],
        *more,
        GO_ON,
    ] == unfinished_fleet(300, said, missing=False).split("\n")


@pytest.mark.parametrize(("alike", "others"), [(2, "m-1"), (4, "m-1, m-2, m-3"), (5, "m-1, m-2, m-3 and 1 more")])
def test_a_reason_that_many_have_is_named_once(alike, others):
    """However long each took."""
    said = {f"m-{n}": Reason(f"Model m-{n}: no usable response in {n + 1}s.") for n in range(alike)}
    reason = "Model m-0: no usable response in 1s."

    assert [f"  {reason} The same error: {others}."] == unfinished_fleet(9, said, missing=False).splitlines()[1:-1]


MORE_TIME = "To wait longer, raise timeout_seconds."


@pytest.mark.parametrize(
    ("advice", "kept", "tail"),
    [
        (["The next `pulumi up` continues to wait."], "", GO_ON),
        (["The next `pulumi up` continues to wait.", MORE_TIME], "", f"{GO_ON} {MORE_TIME}"),
        (["The next `pulumi up` starts again."], "", GO_ON),
        (
            ["The next `pulumi up` requests the undeployment again."],
            "",
            f"{GO_ON[:-1]}, and requests the undeployments that FAILED again.",
        ),
        (["Call them."], " Call them.", GO_ON),  # is not for all
    ],
)
def test_what_comes_next_is_reported_once_for_all_of_a_fleet(advice, kept, tail):
    assert f"1 of 2 models is not undeployed:\n  Why.{kept}\n{tail}" == (
        unfinished_fleet(2, {"a": Reason("Why.", (*advice,))}, missing=False)
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
        ([NOTHING, POLL, REQUEST], "The next `pulumi up` undeploys them."),
    ],
)
def test_what_is_done_about_the_drift_of_a_fleet_is_the_most_that_is_done_about_one(actions, next_):
    drifted = {"a": "why", "b": "what"}

    assert f"2 of 3 models are not undeployed:\n  why\n  what\n{next_}" == (
        fleet_drift(3, drifted, actions, running=True)
    )
    assert fleet_drift(3, {"a": "why"}, actions, running=True).endswith(next_.replace("them", "it"))


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ([REQUEST, REQUEST], "2 of 5 not undeployed: will undeploy 2"),
        ([POLL], "1 of 5 not undeployed: will poll 1"),
        ([POLL, REQUEST, POLL], "3 of 5 not undeployed: will undeploy 1 and poll 2"),
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
    reason = messages.failed(UNDEPLOY, "m", no_task(model_status), Inputs.read({"undeploy": undeploy}))

    assert f"Model m was not undeployed: No active task. Model status is {model_status}. {advice}" == str(reason)


@pytest.mark.parametrize(
    ("direction", "known", "seen", "what"),
    [
        (UNDEPLOY, COMPLETED, no_task("DEPLOYED"), "is no longer undeployed: No active task. Model status is DEPLOYED"),
        (UNDEPLOY, COMPLETED, PENDING, "is no longer undeployed: PENDING"),
        (UNDEPLOY, COMPLETED, failed("what."), "is no longer undeployed: what"),
        *[
            (UNDEPLOY, known, seen, what)
            for known in (None, PENDING, no_task("READY"))
            for seen, what in [
                (no_task("DEPLOYED"), "is in service: No active task. Model status is DEPLOYED"),
                (PENDING, None),
                (no_task("READY"), None),
                (COMPLETED, None),
            ]
        ],
        (UNDEPLOY, COMPLETED, COMPLETED, None),
        (DEPLOY, COMPLETED, COMPLETED, None),
        (DEPLOY, PENDING, no_task("UNDEPLOYING"), "is being undeployed by somebody"),
        (DEPLOY, failed(), failed(), "is not in service: GPU on fire"),
        (DEPLOY, COMPLETED, PENDING, "is not in service yet: PENDING"),
        (DEPLOY, None, PENDING, "is not in service yet: PENDING"),
        (DEPLOY, PENDING, PENDING, None),
    ],
)
def test_a_model_that_is_not_as_its_resource_says_has_drifted(direction, known, seen, what):
    assert (what and f"Model m {what}.") == drift(direction, "m", known, seen)


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
