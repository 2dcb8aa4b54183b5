"""A fleet through the real host process."""

import re

import grpc
import pytest
from google.protobuf import empty_pb2
from harness import KEY, until
from harness.host import DEFAULTS, EVER, FLEET, Host, refused, status_of
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi.emulator import catalogue


@pytest.fixture
def fleet(emulator, face):
    """A provider process for fleets."""
    settings = {"nugen:apiKey": KEY, "nugen:baseUrl": emulator.url}
    with Host(settings, provider=FLEET, native=face == "native") as host:
        yield host


def inputs(*ids, **given):
    return {"model_ids": list(ids), **DEFAULTS, **given}


def poll(name):
    return ("GET", f"/api/v3/models/undeploy-model/{name}/status")


def ask(name):
    return ("DELETE", f"/api/v3/models/undeploy-model/{name}")


def known(status="COMPLETED", undeployed=True, **fields):
    return {"status": status, "undeployed": undeployed, **fields}


def state(models, **given):
    """Return the state of a fleet of which this is known."""
    over = all(kept["undeployed"] for kept in models.values())
    return {**inputs(*models, **given), "models": models, "undeployed": over, "pending": [], "failed": []}


def test_create_waits_for_all_and_returns_complete_outputs(fleet, emulator):
    emulator.script("a", "PENDING", "COMPLETED")
    emulator.script("b", "COMPLETED")
    id_, outputs = fleet.create(inputs("a", "b", triggers=["t"]))

    assert id_.startswith("fleet-")
    assert {"a", "b"} == set(outputs["models"])
    assert (True, [], []) == (outputs["undeployed"], outputs["pending"], outputs["failed"])
    assert ("COMPLETED", True, "2024-02-24T10:00:00Z") == tuple(
        outputs["models"]["a"][name] for name in ("status", "undeployed", "start_time")
    )
    assert {**inputs("a", "b", triggers=["t"])}.items() <= {**outputs}.items()


def test_a_mixed_fleet_keeps_all_and_names_what_is_wrong(fleet, emulator):
    emulator.script("fine", "COMPLETED")
    emulator.script("fails", catalogue.failed("GPU on fire."))
    emulator.script("missing", catalogue.model_not_found())
    emulator.add("never", **EVER)
    error = refused(lambda: fleet.create(inputs("fine", "fails", "missing", "never", timeout_seconds=0.4)))
    _, outputs, provider, _ = fleet.kept(error)
    lines = status_of(error).message.splitlines()

    assert "3 of 4 models are not undeployed:" == lines[0]
    assert lines[-1].startswith(
        "The next `pulumi up` continues with the models that are not finished. To wait longer, raise "
    )
    assert "Remove the ids that do not exist from " in lines[-1]
    assert [True, True, True] == [any(name in line for line in lines) for name in ("GPU on fire", "missing", "never")]
    assert ({"fine", "fails", "never"}, ["missing", "never"], ["fails"]) == (
        set(outputs["models"]),
        outputs["pending"],
        outputs["failed"],
    )
    assert fleet.provider == provider


def test_equal_reasons_are_reported_once(fleet, emulator):
    ids = [f"m-{n}" for n in range(13)]
    for name in ids:
        emulator.script(name, catalogue.model_not_found())
    error = refused(lambda: fleet.create(inputs(*ids)))
    lines = status_of(error).message.splitlines()

    assert (3, "13 of 13 models are not undeployed:") == (len(lines), lines[0])
    assert re.search(
        r"Model m-\d+: the Nugen API knows no such model.* The same error: (m-\d+, ){2}m-\d+ and 9 more\.$", lines[1]
    )
    assert [] == list(status_of(error).details), "nothing is known of any"


def test_update_asks_only_for_the_unsettled_and_the_new_and_forgets_the_removed(fleet, emulator):
    olds = state({"done": known(), "open": known("PENDING", undeployed=False), "gone": known()}, undeploy=True)
    emulator.add("new", undeploy_seconds=0)
    emulator.script("open", "COMPLETED")
    outputs = fleet.update(olds, inputs("new", "open", "done", undeploy=True))

    assert {"new", "open", "done"} == set(outputs["models"])
    assert outputs["undeployed"]
    assert {poll("open"), ask("new"), poll("new")} == set(emulator.requests)
    assert 3 == len(emulator.requests)


def test_update_asks_again_for_what_failed_and_only_for_that(fleet, emulator):
    emulator.add("bad", undeploy_seconds=0)
    olds = state({"bad": known("FAILED", undeployed=False, error="GPU"), "done": known()}, undeploy=True)
    fleet.update(olds, inputs("bad", "done", undeploy=True))

    assert [ask("bad"), poll("bad")] == emulator.requests


def test_update_asks_again_for_what_was_deployed_again_though_failures_are_recorded(fleet, emulator):
    emulator.add("back", undeploy_seconds=0)
    back = known("FAILED", undeployed=False, error="No active undeployment. Model status is DEPLOYED.")
    broken = known("FAILED", undeployed=False, error="Undeployment failed and was reverted to DEPLOYED status")
    given = {"undeploy": True, "on_failure": "record"}
    olds = state({"back": back, "broken": broken, "done": known()}, **given)

    assert (True, []) == fleet.diff(olds, inputs("back", "broken", "done", **given))
    assert ["broken"] == fleet.update(olds, inputs("back", "broken", "done", **given))["failed"]
    assert [ask("back"), poll("back")] == emulator.requests


@pytest.mark.parametrize("given", [{"timeout_seconds": 7}, {"undeploy": True}, {}])
def test_update_with_nothing_to_learn_sends_nothing(fleet, emulator, given):
    olds = state({"a": known(), "b": known()})

    assert {"a", "b"} == set(fleet.update(olds, inputs("b", "a", **given))["models"])
    assert [] == emulator.requests


@pytest.mark.parametrize(
    ("olds", "news", "changes", "replaces"),
    [
        (state({"a": known(), "b": known()}), inputs("b", "a"), False, []),
        (state({"a": known()}), inputs("a", "b"), True, []),
        (state({"a": known(), "b": known()}), inputs("a"), True, []),
        (state({"a": known()}), inputs("a", triggers=[1]), True, ["triggers"]),
        (state({"a": known()}), inputs(UNKNOWN), True, []),
        (state({"a": known()}), {**inputs(), "model_ids": UNKNOWN}, True, []),
        (state({"a": known("PENDING", undeployed=False)}), inputs("a"), True, []),
        (state({"a": known("PENDING", undeployed=False)}, wait=False), inputs("a", wait=False), False, []),
        (
            state({"a": known("FAILED", undeployed=False)}, on_failure="record"),
            inputs("a", on_failure="record"),
            False,
            [],
        ),
    ],
)
def test_diff_compares_the_ids_as_a_set_and_only_triggers_replace(fleet, olds, news, changes, replaces):
    assert (changes, replaces) == fleet.diff(olds, news)


def test_refresh_that_finds_nothing_new_changes_nothing(fleet, emulator):
    """The times differ: the API's are those of the request."""
    emulator.script("a", {"model_id": "a", "status": "COMPLETED", "end_time": "now"})
    olds = state({"a": known(end_time="then")})

    assert olds == fleet.refresh(olds)[1]


def test_refresh_polls_once_at_each_and_drops_only_what_is_not_found(fleet, emulator):
    emulator.script("a", "PENDING")
    emulator.script("b", catalogue.model_not_found())
    emulator.script("c", {"model_id": "c", "status": "COMPLETED", "start_time": "now"})
    olds = state({"a": known(), "b": known(), "c": known(start_time="then")})
    id_, outputs = fleet.refresh(olds)

    assert "m" == id_
    assert {"a", "c"} == set(outputs["models"])
    assert ("PENDING", "then") == (outputs["models"]["a"]["status"], outputs["models"]["c"]["start_time"])
    assert (["a", "b", "c"], ["a", "b"], False) == (outputs["model_ids"], outputs["pending"], outputs["undeployed"])
    assert 3 == len(emulator.requests)


def test_refresh_of_a_fleet_that_is_gone_keeps_the_resource_and_no_model(fleet, emulator):
    """The ids are the program's: it may create these models again."""
    _, outputs = fleet.refresh(state({"a": known(), "b": known()}))

    assert ({}, ["a", "b"], False) == (outputs["models"], outputs["pending"], outputs["undeployed"])
    assert 2 == len(emulator.requests)


def large(n, status="COMPLETED"):
    """Return an answer whose result is of 100 KB."""
    return {"model_id": f"m-{n}", "status": status, "result": {"log": "x" * 100_000}}


def test_large_results_cost_neither_the_message_nor_the_statuses(fleet, emulator):
    """200 results of 100 KB and one FAILED: 20 MB would break the trailer in which kept state travels."""
    ids = [f"m-{n}" for n in range(200)]
    for n in range(200):
        emulator.script(f"m-{n}", large(n, "FAILED" if n == 7 else "COMPLETED"))
    error = refused(lambda: fleet.create(inputs(*ids)))
    _, outputs, _, _ = fleet.kept(error)

    assert status_of(error).message.startswith("1 of 200 models is not undeployed:\n  Model m-7 was not undeployed: ")
    assert 200 == len(outputs["models"])
    assert (["m-7"], []) == (outputs["failed"], outputs["pending"])
    assert 41 == sum(isinstance(model["result"], dict) for model in outputs["models"].values())


def test_refresh_finds_no_change_in_what_was_left_out(fleet, emulator):
    """Large results are left out before they are compared; those of state count with them."""
    ids = [f"m-{n}" for n in range(60)]
    for n in range(60):
        emulator.script(f"m-{n}", large(n), large(n))
    _, olds = fleet.create(inputs(*ids))

    assert olds == fleet.refresh(olds)[1]
    assert 19 == sum(model["result"] == "(left out: 98 KiB)" for model in olds["models"].values())


def test_refresh_that_fails_says_for_whom(fleet, emulator):
    emulator.script("a", "COMPLETED")
    emulator.script("b", 500)
    error = refused(lambda: fleet.refresh(state({"a": known(), "b": known()})))

    assert status_of(error).message.startswith(
        "1 of 2 models is without a usable response:\n  Model b: no usable response to a single poll"
    )
    assert [] == list(status_of(error).details)


def test_cancel_keeps_what_was_learnt(fleet, emulator):
    emulator.script("done", "COMPLETED")
    emulator.add("open", **EVER)
    creating = fleet.creating(inputs("done", "open"))
    until(lambda: len(emulator.requests) >= 3)
    fleet.stub.Cancel(empty_pb2.Empty())
    _, outputs, _, _ = fleet.kept(refused(creating.result))

    assert ["COMPLETED", "PENDING"] == [outputs["models"][name]["status"] for name in ("done", "open")]


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([], "must be a list of 1 to 10,000 model ids"),
        ("m", "must be a list of 1 to 10,000 model ids"),
        ([f"{n:0500}" for n in range(2200)], "must not be larger than 1 MiB together: use two fleets"),
        (["x"] * 10_001, "must be a list of 1 to 10,000 model ids"),
        (["a", "b", "a"], "'a' occurs more than once"),
        (["a/b", "..", "", "c d"], "and 1 more"),
    ],
)
def test_check_names_the_first_offending_ids(fleet, ids, says):
    [(name, reason)] = fleet.check({**DEFAULTS, "model_ids": ids})[1]

    assert "" == name, "the engine would print all the ids"
    assert reason.startswith("model_ids ")
    assert says in reason


def test_check_lets_unknown_ids_pass(fleet):
    assert [] == fleet.check(inputs("a", UNKNOWN))[1]
    assert [] == fleet.check({**DEFAULTS, "model_ids": UNKNOWN})[1]


def test_delete_sends_nothing(fleet, emulator):
    fleet.delete(state({"a": known()}))

    assert [] == emulator.requests


def test_a_mistake_is_no_sentence(fleet):
    with pytest.raises(grpc.RpcError) as caught:
        fleet.create({})
    assert "Traceback" in caught.value.details()
