import math

import pulumi
import pytest
from pulumi import StringAsset
from pulumi.output import Unknown

from nugen_pulumi.operations.inputs import Inputs, changed, problems, same_ids
from nugen_pulumi.waiting.polling import WaitPolicy


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
        ("", "non-empty"),
        (None, "non-empty"),
        (7.0, "non-empty"),
        (["m"], "non-empty"),
        (".", "must not be . or .."),
        ("..", "must not be . or .."),
        ("a/b", "change the URL"),
        ("a\\b", "change the URL"),
        ("a?b", "change the URL"),
        ("a#b", "change the URL"),
        ("a b", "white space"),
        ("a\n", "white space"),
        ("a\u00a0b", "white space"),
        ("a\x00", "control"),
        ("a\x7f", "control"),
        ("a\u200b", "control"),
        ("4dabf18193072939515e22adb298388d", "Pulumi uses for special values"),
        ("a" * 513, "must not be longer than 512 characters"),
    ],
)
def test_ids_that_cannot_be_one_are_refused(model_id, says):
    assert says in reason("model_id", model_id)


TIMES = pytest.mark.parametrize(("name", "least"), [("timeout_seconds", 1.0), ("poll_interval_seconds", 0.5)])


@TIMES
@pytest.mark.parametrize("less", [0.01, 1, 2, -math.inf, math.nan])
def test_less_than_the_least_time_is_refused_and_so_is_what_never_ends(name, least, less):
    assert f"must be a finite number of seconds, at least {least:g}" == reason(name, least - less)


@TIMES
@pytest.mark.parametrize("value", [True, "5"])
def test_what_is_no_number_is_no_time(name, least, value):
    assert "must be a number of seconds, not a string or something else" == reason(name, value)


@TIMES
@pytest.mark.parametrize("more", [0, 1, 1e9])
def test_the_least_time_passes_and_so_does_more(name, least, more):
    assert reason(name, least + more) is None
    assert reason(name, None) is None


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
    assert "must not contain assets or archives: use a hash of their contents" == reason("triggers", value)


@pytest.mark.parametrize("name", ["model_id", "undeploy", "timeout_seconds", "on_failure", "triggers"])
def test_what_is_not_known_yet_passes(name):
    assert reason(name, Unknown()) is None


def test_absent_inputs_have_their_defaults():
    assert Inputs(undeploy=False, wait=True, timeout_seconds=None, poll_interval_seconds=5.0, on_failure="error") == (
        Inputs.read({"model_id": "m"})
    )


def wrong_ids(model_ids):
    """Return what is wrong with the ids of a fleet, or None."""
    return dict(problems({"model_ids": model_ids}, "model_ids")).get("model_ids")


@pytest.mark.parametrize("model_ids", [["m"], ["m", Unknown()], [Unknown(), Unknown()], Unknown()])
def test_a_fleet_of_ids_that_can_be_one_passes(model_ids):
    assert wrong_ids(model_ids) is None


@pytest.mark.parametrize(("size", "passes"), [(0, False), (1, True), (10_000, True), (10_001, False)])
def test_a_fleet_has_up_to_ten_thousand_models(size, passes):
    assert (None if passes else "must be a list of 1 to 10,000 model ids") == wrong_ids([f"m-{n}" for n in range(size)])


@pytest.mark.parametrize("value", [None, "m", {"m": 1}])
def test_what_is_no_list_is_no_fleet(value):
    assert "must be a list of 1 to 10,000 model ids" == wrong_ids(value)


@pytest.mark.parametrize(
    ("model_ids", "says"),
    [
        (["a", "b", "a"], "'a' occurs more than once"),
        (["a", "a", "a"], "'a' occurs more than once"),
        (["a", "a", Unknown()], "'a' occurs more than once"),
        ([*"abc", *"abc"], "; ".join(f"'{c}' occurs more than once" for c in "abc")),
        ([*"abcd", *"abcd"], "; ".join(f"'{c}' occurs more than once" for c in "abc") + "; and 1 more"),
        ([*"abcdef", *"abcdef"], "; ".join(f"'{c}' occurs more than once" for c in "abc") + "; and 3 more"),
        (["a", ".", "a"], "'.' must not be . or .."),
        (
            [1.0, "..", "a b", "?"],
            (
                "1.0 must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r;"
                " '..' must not be . or ..;"
                " 'a b' must not contain white space or control characters; and 1 more"
            ),
        ),
    ],
)
def test_the_first_three_wrong_ids_of_a_fleet_are_named_and_the_others_counted(model_ids, says):
    assert says == wrong_ids(model_ids)


@pytest.mark.parametrize(
    ("more", "says"), [("", None), ("a", "must not be larger than 1 MiB together: use two fleets")]
)
def test_the_ids_of_a_fleet_take_a_mebibyte_at_most(more, says):
    """Counted in bytes: 4096 ids of 256, half of them of two bytes a letter."""
    ids = [f"{n:04}" + "a" * 252 for n in range(2048)] + [f"{n:04}" + "\u00e4" * 126 for n in range(2048, 4096)]

    assert says == wrong_ids([ids[0] + more, *ids[1:]])


@pytest.mark.parametrize(
    ("olds", "news", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["a", "c"], False),
        (["a", "b"], ["a"], False),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a", "a"], False),
        (["a", "b"], ["a", Unknown()], False),
        (None, ["a"], False),
        ("a", ["a"], False),
    ],
)
def test_two_lists_hold_the_same_ids_in_whatever_order(olds, news, same):
    assert same is same_ids(olds, news)


def test_what_differs_is_named():
    """And only inputs are."""
    olds = {"model_id": "m", "wait": True, "triggers": [1], "status": "PENDING"}

    assert set() == changed(olds, {**olds, "status": "COMPLETED", "__provider": "x"})
    assert {"model_id", "triggers", "undeploy"} == changed(olds, {"model_id": "n", "wait": True, "undeploy": False})


@pytest.mark.parametrize(
    ("props", "custom", "timeout"),
    [
        ({}, None, 1800.0),
        ({}, 60.0, 60.0),
        ({"timeout_seconds": 7.0}, None, 7.0),
        ({"timeout_seconds": 7.0}, 60.0, 7.0),
        ({"timeout_seconds": None}, 0.0, 1800.0),
    ],
)
def test_the_timeout_is_the_inputs_or_that_of_the_options_or_half_an_hour(props, custom, timeout):
    assert WaitPolicy(timeout=timeout, longest_pause=5.0) == Inputs.read(props).policy(custom)


def test_a_wait_of_which_the_program_says_nothing_has_the_policy_that_all_requests_have():
    """Also those that are not a resource's: a refresh, a look-up."""
    assert WaitPolicy() == Inputs.read({}).policy(None)


def test_the_longest_pause_is_the_poll_interval():
    assert WaitPolicy(timeout=1800.0, longest_pause=2.5) == Inputs.read({"poll_interval_seconds": 2.5}).policy(None)
