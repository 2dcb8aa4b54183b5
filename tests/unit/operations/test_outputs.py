"""What is recorded of a model, and of a fleet."""

from dataclasses import replace

import pytest
from harness.operations import COMPLETED, PENDING, RETIRING, TIMES, failed, no_task

from nugen_pulumi.api.statuses import Record
from nugen_pulumi.operations.outputs import of_fleet, seen_again

MIB = 1024 * 1024
FAILED = failed()
AT_REST = no_task("EVALUATED", reached=True)
KNOWN = Record("FAILED", reached=True, result={"error": "why"}, error="why", **TIMES)


@pytest.mark.parametrize("flag", ["undeployed", "deployed"])
def test_what_is_recorded_of_a_model_is_read_again(flag):
    state = KNOWN.outputs(flag)

    assert {"status": "FAILED", flag: True, "result": {"error": "why"}, "error": "why", **TIMES} == state
    assert KNOWN == Record.from_state({**state, "model_id": "m"}, flag)


def test_what_is_none_or_false_may_be_absent_in_state():
    assert PENDING == Record.from_state({"status": "PENDING"}, "deployed")
    assert Record.from_state({"model_id": "m"}, "deployed") is None


def test_what_is_seen_again_keeps_its_times():
    seen = replace(KNOWN, start_time="now", end_time="now")

    assert KNOWN == seen_again(KNOWN, seen)
    assert seen_again(None, seen) is seen


@pytest.mark.parametrize(
    "differs", [{"status": "COMPLETED"}, {"reached": False}, {"result": {"message": "gone"}}, {"error": "other"}]
)
def test_what_is_seen_for_the_first_time_has_its_own_times(differs):
    seen = replace(KNOWN, start_time="now", end_time="now", **differs)

    assert seen_again(KNOWN, seen) is seen


def test_a_fleet_tells_who_is_undeployed_who_failed_and_who_is_left():
    models = {"d": PENDING, "c": FAILED, "b": AT_REST, "a": COMPLETED, "e": RETIRING, "of old": FAILED}
    ids = ["a", "b", "c", "d", "e", "new"]

    assert {
        "model_ids": ids,
        "wait": False,
        "models": {model_id: models[model_id].outputs("undeployed") for model_id in ids[:-1]},
        "undeployed": False,
        "pending": ["d", "e", "new"],
        "failed": ["c"],
    } == of_fleet({"model_ids": ids, "wait": False, "__provider": "pickled", "pending": ["b"]}, models)


@pytest.mark.parametrize(
    ("models", "undeployed"),
    [
        ({"a": COMPLETED, "b": AT_REST}, True),
        ({"a": COMPLETED}, False),
        ({"a": COMPLETED, "b": PENDING}, False),
        ({"a": FAILED, "b": COMPLETED}, False),
        ({}, False),
    ],
)
def test_a_fleet_is_undeployed_when_all_of_its_models_are_known_to_be(models, undeployed):
    assert undeployed is of_fleet({"model_ids": ["a", "b"]}, models)["undeployed"]


def test_a_value_of_more_than_its_share_of_4_mib_is_left_out_of_what_is_recorded():
    """The share of one of two models."""
    fits = "x" * (2 * MIB - 5)  # protobuf takes five bytes more
    models = {"a": replace(COMPLETED, result=fits + "x"), "b": replace(COMPLETED, result=fits)}
    recorded = of_fleet({"model_ids": ["a", "b"]}, models)["models"]

    assert {"a": "(left out: 2.0 MiB)", "b": fits} == {name: model["result"] for name, model in recorded.items()}
