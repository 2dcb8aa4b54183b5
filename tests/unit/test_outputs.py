"""What is recorded of a model, and what an update still has to find out of it."""

import pytest

from nugen_pulumi.inputs import DEFAULTS, Inputs
from nugen_pulumi.models import UndeployStatus
from nugen_pulumi.outputs import (
    entry,
    fleet_settled,
    given,
    next_request,
    of_fleet,
    of_model,
    recorded,
    seen_again,
    settled,
)

MIB = 1024 * 1024

UNDEPLOYED = {"status": "COMPLETED", "undeployed": True}
AT_REST = {"status": "FAILED", "undeployed": True, "error": "Model status is EVALUATED."}
PENDING = {"status": "PENDING", "undeployed": False}
RETIRING = {"status": "RETIRING", "undeployed": False}
FAILED = {"status": "FAILED", "undeployed": False, "error": "GPU on fire"}
DEPLOYED = {"status": "FAILED", "undeployed": False, "error": "No active undeployment. Model status is DEPLOYED."}

KNOWN = {
    "status": "COMPLETED",
    "undeployed": True,
    "result": {"message": "done"},
    "start_time": "then",
    "end_time": "later",
    "error": None,
}


def wanted(**props):
    return Inputs.read(props)


@pytest.mark.parametrize("known", [UNDEPLOYED, AT_REST])
@pytest.mark.parametrize("undeploy", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_a_model_that_is_known_to_be_undeployed_is_settled_whatever_is_wanted(known, undeploy, wait):
    assert settled(known, wanted(undeploy=undeploy, wait=wait))


@pytest.mark.parametrize("props", [{}, {"wait": False}, {"on_failure": "record"}, {"wait": False, "undeploy": True}])
def test_a_model_of_which_nothing_is_known_is_never_settled(props):
    assert not settled(None, wanted(**props))


@pytest.mark.parametrize(
    ("known", "props", "is_settled"),
    [
        (PENDING, {}, False),
        (PENDING, {"on_failure": "record"}, False),
        (PENDING, {"wait": False}, True),
        (PENDING, {"wait": False, "undeploy": True}, True),
        (RETIRING, {"on_failure": "record"}, False),
        (RETIRING, {"wait": False}, True),
        (FAILED, {}, False),
        (FAILED, {"undeploy": True}, False),
        (FAILED, {"wait": False}, True),
        (FAILED, {"on_failure": "record"}, True),
        (FAILED, {"on_failure": "record", "undeploy": True}, True),
        (DEPLOYED, {}, False),
        (DEPLOYED, {"wait": False}, True),
        (DEPLOYED, {"on_failure": "record"}, True),
    ],
)
def test_what_is_not_undeployed_is_settled_if_recorded_as_a_failure_or_not_waited_for(known, props, is_settled):
    assert is_settled is settled(known, wanted(**props))


@pytest.mark.parametrize("props", [{}, {"wait": False}, {"on_failure": "record"}])
def test_a_model_that_somebody_has_deployed_again_is_not_settled_for_who_wants_it_undeployed(props):
    assert not settled(DEPLOYED, wanted(undeploy=True, **props))


@pytest.mark.parametrize(
    ("known", "props", "requested", "request_"),
    [
        # undeployed
        (UNDEPLOYED, {}, False, None),
        (UNDEPLOYED, {"undeploy": True}, False, None),
        (UNDEPLOYED, {"undeploy": True}, True, None),
        (AT_REST, {"undeploy": True}, False, None),
        # settled, and the DELETE was asked for before, or is not wanted
        (PENDING, {"wait": False}, False, None),
        (PENDING, {"wait": False}, True, None),
        (PENDING, {"wait": False, "undeploy": True}, True, None),
        (FAILED, {"on_failure": "record"}, False, None),
        (FAILED, {"on_failure": "record", "undeploy": True}, True, None),
        (DEPLOYED, {"on_failure": "record"}, True, None),
        # not settled, PENDING or another word
        (PENDING, {}, False, False),
        (PENDING, {}, True, False),
        (PENDING, {"undeploy": True}, True, False),
        (RETIRING, {"undeploy": True}, True, False),
        # FAILED, True
        (FAILED, {"undeploy": True}, True, True),
        (DEPLOYED, {"undeploy": True, "on_failure": "record"}, True, True),
        (DEPLOYED, {"undeploy": True, "wait": False}, True, True),
        # FAILED, False
        (FAILED, {}, False, False),
        (FAILED, {}, True, False),
        (DEPLOYED, {}, True, False),
        # anything but undeployed, True, and False before
        (PENDING, {"undeploy": True}, False, True),
        (RETIRING, {"undeploy": True}, False, True),
        (FAILED, {"undeploy": True}, False, True),
        (PENDING, {"undeploy": True, "wait": False}, False, True),
        (FAILED, {"undeploy": True, "on_failure": "record"}, False, True),
        # nothing is known: what was requested may be lost with it
        (None, {}, False, False),
        (None, {"wait": False}, True, False),
        (None, {"undeploy": True}, False, True),
        (None, {"undeploy": True}, True, True),
    ],
)
def test_an_update_requests_what_the_table_says(known, props, requested, request_):
    """The rows of "How an update decides" in docs/how-it-works.md, in their order."""
    assert request_ is next_request(known, wanted(**props), requested=requested)


def test_a_fleet_is_settled_when_each_of_its_models_is():
    models = {"a": UNDEPLOYED, "b": AT_REST, "of old": PENDING}

    assert fleet_settled(models, ["a", "b"], wanted())
    assert not fleet_settled(models, ["a", "of old"], wanted())
    assert not fleet_settled(models, ["a", "new"], wanted(wait=False))


def test_what_is_recorded_is_the_whole_answer():
    status = UndeployStatus(
        model_id="m", status="failed", result={"error": "GPU on fire"}, start_time="then", end_time="later"
    )

    assert {
        "status": "FAILED",
        "undeployed": False,
        "result": {"error": "GPU on fire"},
        "start_time": "then",
        "end_time": "later",
        "error": "GPU on fire",
    } == entry(status)


def test_what_is_recorded_of_a_model_is_read_again():
    props = {"model_id": "m", **DEFAULTS}

    assert recorded(props) is None
    assert recorded(of_model(props, KNOWN)) == KNOWN
    # What is None, or False, may be absent in state.
    assert {**dict.fromkeys(KNOWN), "status": "PENDING", "undeployed": False} == recorded({"status": "PENDING"})


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
