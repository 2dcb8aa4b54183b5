"""Which inputs pass, and what is said of the others."""

import math

import pulumi
import pytest
from pulumi import StringAsset
from pulumi.output import Unknown

from nugen_pulumi.operations.inputs import Inputs, changed, problems, same_ids
from nugen_pulumi.waiting.polling import WaitPolicy

NO_FLAG = "must be true or false"
NO_WORD = 'must be "error" or "record"'
NO_NUMBER = "must be a number of seconds, not a string or something else"
AN_ASSET = "must not contain assets or archives: use a hash of their contents"
NO_FLEET = "must be a list of 1 to 10,000 model ids"


def reason(name, value):
    """Return what is wrong with one input, or None."""
    id_name = name if name == "model_ids" else "model_id"
    found = dict(problems({id_name: ["m"] if name == "model_ids" else "m", name: value}, id_name))
    assert set(found) <= {name}
    return found.get(name)


@pytest.mark.parametrize(
    "model_id", ["m", "-ak-14-july-my-alignment-project-alignment-01kxg82fjj98nq0", "_", "...", "ü%+", "a" * 512]
)
def test_ids_as_found_in_the_wild_pass(model_id):
    assert reason("model_id", model_id) is None


@pytest.mark.parametrize(
    ("model_ids", "says"),
    [
        (["", None, 7.0, ["m"]], "non-empty"),
        ([".", ".."], "must not be . or .."),
        (["a/b", "a\\b", "a?b", "a#b"], "change the URL"),
        (["a b", "a\n", "a\u00a0b", "a\x00", "a\x7f", "a\u200b"], "white space or control"),
        (["4dabf18193072939515e22adb298388d"], "Pulumi uses for special values"),
        (["a" * 513], "must not be longer than 512 characters"),
    ],
)
def test_ids_that_cannot_be_one_are_refused(model_ids, says):
    assert [] == [model_id for model_id in model_ids if says not in reason("model_id", model_id)]


@pytest.mark.parametrize(("name", "least"), [("timeout_seconds", 1.0), ("poll_interval_seconds", 0.5)])
def test_a_time_is_a_finite_number_that_is_not_too_small(name, least):
    too_small = f"must be a finite number of seconds, at least {least:g}"

    assert [None] * 4 == [reason(name, value) for value in (None, least, least + 1, 1e9)]
    assert [too_small] * 4 == [reason(name, least - less) for less in (0.01, 2, -math.inf, math.nan)]
    assert [NO_NUMBER] * 2 == [reason(name, value) for value in (True, "5")]


@pytest.mark.parametrize(
    ("name", "good", "bad", "says"),
    [
        ("undeploy", [True, False, None], ["yes", 1.0], NO_FLAG),
        ("wait", [True, False, None], ["yes", 1.0], NO_FLAG),
        ("on_failure", ["error", "record", None], ["Error", []], NO_WORD),
        ("triggers", [[], [1.0, {"a": None}], None], ["x"], "must be a list"),
        # The SDK could not read them back from state.
        ("triggers", [], [[StringAsset("x")], [{"a": [pulumi.AssetArchive({"a": StringAsset("x")})]}]], AN_ASSET),
        ("model_ids", [["m"], ["m", Unknown()], [Unknown()] * 2], [None, "m", {"m": 1}, []], NO_FLEET),
        ("model_ids", [[f"m-{n}" for n in range(10_000)]], [[f"m-{n}" for n in range(10_001)]], NO_FLEET),
    ],
)
def test_an_input_passes_or_is_refused_with_a_reason(name, good, bad, says):
    assert [None] * len(good) == [reason(name, value) for value in good]
    assert [says] * len(bad) == [reason(name, value) for value in bad]


@pytest.mark.parametrize("name", ["model_id", "model_ids", "undeploy", "timeout_seconds", "on_failure", "triggers"])
def test_what_is_not_known_yet_passes(name):
    assert reason(name, Unknown()) is None


def twice(names):
    return "; ".join(f"'{name}' occurs more than once" for name in names)


@pytest.mark.parametrize(
    ("model_ids", "says"),
    [
        (["a", "b", "a", Unknown()], twice("a")),
        ([*"abc", *"abc"], twice("abc")),
        ([*"abcd", *"abcd"], f"{twice('abc')}; and 1 more"),
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
    assert says == reason("model_ids", model_ids)


@pytest.mark.parametrize(
    ("more", "says"), [("", None), ("a", "must not be larger than 1 MiB together: use two fleets")]
)
def test_the_ids_of_a_fleet_take_a_mebibyte_at_most(more, says):
    """Counted in bytes: 4096 ids of 256, half of them of two bytes a letter."""
    ids = [f"{n:04}" + "a" * 252 for n in range(2048)] + [f"{n:04}" + "\u00e4" * 126 for n in range(2048, 4096)]

    assert says == reason("model_ids", [ids[0] + more, *ids[1:]])


@pytest.mark.parametrize(
    ("olds", "news", "same"),
    [
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["a", "c"], False),
        (["a", "b"], ["a"], False),
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
    ("props", "custom", "policy"),
    [
        # As for all that is not a resource's: a refresh, a look-up.
        ({}, None, WaitPolicy()),
        ({}, 60.0, WaitPolicy(timeout=60.0)),
        ({"timeout_seconds": 7.0}, None, WaitPolicy(timeout=7.0)),
        ({"timeout_seconds": 7.0}, 60.0, WaitPolicy(timeout=7.0)),
        ({"timeout_seconds": None}, 0.0, WaitPolicy(timeout=1800.0)),
        ({"poll_interval_seconds": 2.5}, None, WaitPolicy(longest_pause=2.5)),
    ],
)
def test_the_timeout_is_the_inputs_or_that_of_the_options_or_half_an_hour(props, custom, policy):
    assert policy == Inputs.read(props).policy(custom)


def test_absent_inputs_have_their_defaults():
    assert Inputs(undeploy=False, wait=True, timeout_seconds=None, poll_interval_seconds=5.0, on_failure="error") == (
        Inputs.read({"model_id": "m"})
    )
