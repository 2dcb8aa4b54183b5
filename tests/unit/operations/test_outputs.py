"""What is recorded of a model."""

import pytest

from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.operations.outputs import (
    from_state,
    given,
    of_fleet,
    of_model,
    seen_again,
)

MIB = 1024 * 1024

UNDEPLOYED = {"status": "COMPLETED", "undeployed": True}
AT_REST = {"status": "FAILED", "undeployed": True, "error": "Model status is EVALUATED."}
PENDING = {"status": "PENDING", "undeployed": False}
RETIRING = {"status": "RETIRING", "undeployed": False}
FAILED = {"status": "FAILED", "undeployed": False, "error": "GPU on fire"}

KNOWN = {
    "status": "COMPLETED",
    "undeployed": True,
    "result": {"message": "done"},
    "start_time": "then",
    "end_time": "later",
    "error": None,
}


def test_what_is_recorded_is_the_whole_answer():
    status = TaskStatus(
        model_id="m", status="failed", result={"error": "GPU on fire"}, start_time="then", end_time="later"
    )

    assert {
        "status": "FAILED",
        "undeployed": False,
        "result": {"error": "GPU on fire"},
        "start_time": "then",
        "end_time": "later",
        "error": "GPU on fire",
    } == status.recorded()


def test_what_is_recorded_of_a_model_is_read_again():
    props = {"model_id": "m", **DEFAULTS}

    assert from_state(props) is None
    assert from_state(of_model(props, KNOWN)) == KNOWN
    # What is None, or False, may be absent in state.
    assert {**dict.fromkeys(KNOWN), "status": "PENDING", "undeployed": False} == from_state({"status": "PENDING"})


def test_the_outputs_are_the_inputs_and_what_is_known():
    props = {"model_id": "m", "wait": False, "__provider": "pickled", "status": "PENDING", "of_old": 1}

    assert {"model_id": "m", "wait": False} == given(props)
    assert {"model_id": "m", "wait": False, **KNOWN} == of_model(props, KNOWN)


def test_what_is_seen_again_keeps_its_times():
    seen = {**KNOWN, "start_time": "now", "end_time": "now"}

    assert seen_again(KNOWN, seen) == KNOWN
    assert {**KNOWN, "start_time": None, "end_time": None} == seen_again(
        {**UNDEPLOYED, "result": KNOWN["result"]}, seen
    )


@pytest.mark.parametrize(
    "differs", [{"status": "FAILED"}, {"undeployed": False}, {"result": {"message": "gone"}}, {"error": "why"}]
)
def test_what_is_seen_for_the_first_time_has_its_own_times(differs):
    seen = {**KNOWN, "start_time": "now", "end_time": "now", **differs}

    assert seen_again(KNOWN, seen) is seen
    assert seen_again(None, seen) is seen


def test_a_fleet_tells_who_is_undeployed_who_failed_and_who_is_left():
    models = {"d": PENDING, "c": FAILED, "b": AT_REST, "a": UNDEPLOYED, "e": RETIRING, "of old": FAILED}
    ids = ["a", "b", "c", "d", "e", "new"]

    assert {
        "model_ids": ids,
        "wait": False,
        "models": {model_id: models[model_id] for model_id in ids[:-1]},
        "undeployed": False,
        "pending": ["d", "e", "new"],
        "failed": ["c"],
    } == of_fleet({"model_ids": ids, "wait": False, "__provider": "pickled", "pending": ["b"]}, models)


@pytest.mark.parametrize(
    ("models", "undeployed"),
    [
        ({"a": UNDEPLOYED, "b": AT_REST}, True),
        ({"a": UNDEPLOYED}, False),
        ({"a": UNDEPLOYED, "b": PENDING}, False),
        ({"a": FAILED, "b": UNDEPLOYED}, False),
        ({}, False),
    ],
)
def test_a_fleet_is_undeployed_when_all_of_its_models_are_known_to_be(models, undeployed):
    assert undeployed is of_fleet({"model_ids": ["a", "b"]}, models)["undeployed"]


def test_a_fleets_largest_values_are_left_out_of_what_is_recorded_only():
    models = {"a": {**UNDEPLOYED, "result": "x" * 3 * MIB}, "b": {**UNDEPLOYED, "result": "x" * 2 * MIB}}
    recorded_ = of_fleet({"model_ids": ["a", "b"]}, models)["models"]

    assert {"a": "(left out: 3.0 MiB)", "b": "x" * 2 * MIB} == {name: m["result"] for name, m in recorded_.items()}
    assert 3 * MIB == len(models["a"]["result"])
