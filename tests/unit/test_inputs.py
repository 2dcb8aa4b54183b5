import math

import pulumi
import pytest
from pulumi import StringAsset
from pulumi.output import Unknown

from nugen_pulumi.inputs import Inputs, problems


def reason(name, value):
    found = dict(problems({"model_id": "m", name: value}))
    assert set(found) <= {name}
    return found.get(name)


@pytest.mark.parametrize(
    "model_id",
    [
        "m",
        "aligned-model-01kmqm4nrn9fw6r",
        "-ak-14-july-my-alignment-project-alignment-01kxg82fjj98nq0",
        "_",
        "...",
        "ü%+",
        "a" * 512,
    ],
)
def test_ids_as_found_in_the_wild_pass(model_id):
    assert reason("model_id", model_id) is None


@pytest.mark.parametrize(
    ("model_id", "says"),
    [
        ("", "not empty"),
        (None, "not empty"),
        (7.0, "not empty"),
        (["m"], "not empty"),
        (".", "step in a path"),
        ("..", "step in a path"),
        ("a/b", "another address"),
        ("a\\b", "another address"),
        ("a?b", "another address"),
        ("a#b", "another address"),
        ("a b", "white space"),
        ("a\n", "white space"),
        ("a\u00a0b", "white space"),
        ("a\x00", "control"),
        ("a\x7f", "control"),
        ("a\u200b", "control"),
        ("a" * 513, "longer than 512"),
    ],
)
def test_ids_that_cannot_be_one_are_refused(model_id, says):
    assert says in reason("model_id", model_id)


@pytest.mark.parametrize("name", ["timeout_seconds", "poll_interval_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan, True, "5"])
def test_numbers_that_are_no_time_are_refused(name, value):
    least = {"timeout_seconds": "1", "poll_interval_seconds": "0.5"}[name]

    assert f"must be a finite number of seconds, at least {least}" == reason(name, value)


@pytest.mark.parametrize("name", ["timeout_seconds", "poll_interval_seconds"])
@pytest.mark.parametrize("value", [1, 5, 1e9, None])
def test_times_pass(name, value):
    assert reason(name, value) is None


@pytest.mark.parametrize("name", ["undeploy", "wait"])
@pytest.mark.parametrize(("value", "passes"), [(True, True), (False, True), (None, True), ("yes", False), (1.0, False)])
def test_flags_are_true_or_false(name, value, passes):
    assert (None if passes else "must be true or false") == reason(name, value)


@pytest.mark.parametrize(
    ("value", "passes"), [("error", True), ("record", True), (None, True), ("Error", False), ([], False)]
)
def test_on_failure_is_one_of_two_words(value, passes):
    assert (None if passes else 'must be "error" or "record"') == reason("on_failure", value)


@pytest.mark.parametrize(("value", "passes"), [([], True), ([1.0, {"a": None}], True), (None, True), ("x", False)])
def test_triggers_are_a_list_of_anything(value, passes):
    assert (None if passes else "must be a list") == reason("triggers", value)


@pytest.mark.parametrize(
    "value", [[StringAsset("x")], [{"a": [StringAsset("x")]}], [pulumi.AssetArchive({"a": StringAsset("x")})]]
)
def test_triggers_hold_no_assets(value):
    """The SDK could not read them back from state."""
    assert "must not hold assets or archives: give a hash of their contents" == reason("triggers", value)


@pytest.mark.parametrize("name", ["model_id", "undeploy", "timeout_seconds", "on_failure", "triggers"])
def test_what_is_not_known_yet_passes(name):
    assert reason(name, Unknown()) is None


def test_absent_inputs_have_their_defaults():
    assert Inputs(undeploy=False, wait=True, timeout_seconds=None, poll_interval_seconds=5.0, on_failure="error") == (
        Inputs.read({"model_id": "m"})
    )
