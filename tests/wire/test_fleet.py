"""A fleet through the real host process."""

import pytest
from harness.host import DEFAULTS, EVER, FLEET, refused, status_of
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi.emulator import catalogue


@pytest.fixture
def fleet(start):
    """A provider process for fleets."""
    with start(provider=FLEET) as host:
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


def test_update_asks_only_for_the_unsettled_and_the_new_and_forgets_the_removed(fleet, emulator):
    olds = state({"done": known(), "open": known("PENDING", undeployed=False), "gone": known()}, undeploy=True)
    emulator.add("new", undeploy_seconds=0)
    emulator.script("open", "COMPLETED")
    outputs = fleet.update(olds, inputs("new", "open", "done", undeploy=True))

    assert {"new", "open", "done"} == set(outputs["models"])
    assert outputs["undeployed"]
    assert {poll("open"), ask("new"), poll("new")} == set(emulator.requests)
    assert 3 == len(emulator.requests)


@pytest.mark.parametrize(
    ("olds", "news", "changes", "replaces"),
    [
        (state({"a": known(), "b": known()}), inputs("b", "a"), False, []),
        (state({"a": known()}), inputs("a", triggers=[1]), True, ["triggers"]),
        (state({"a": known()}), inputs(UNKNOWN), True, []),
        (state({"a": known()}), {**inputs(), "model_ids": UNKNOWN}, True, []),
    ],
)
def test_diff_compares_the_ids_as_a_set_and_only_triggers_replace(fleet, olds, news, changes, replaces):
    assert (changes, replaces) == fleet.diff(olds, news)


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


def test_large_results_cost_neither_the_message_nor_the_statuses(fleet, emulator):
    """200 results of 100 KB and one FAILED: 20 MB would break the trailer in which kept state travels."""
    ids = [f"m-{n}" for n in range(200)]
    for name in ids:
        status = "FAILED" if name == "m-7" else "COMPLETED"
        emulator.script(name, {"model_id": name, "status": status, "result": {"log": "x" * 100_000}})
    error = refused(lambda: fleet.create(inputs(*ids)))
    _, outputs, _, _ = fleet.kept(error)

    assert status_of(error).message.startswith("1 of 200 models is not undeployed:\n  Model m-7 was not undeployed: ")
    assert 200 == len(outputs["models"])
    assert (["m-7"], []) == (outputs["failed"], outputs["pending"])
    assert 41 == sum(isinstance(model["result"], dict) for model in outputs["models"].values())


def test_check_lets_unknown_ids_pass(fleet):
    assert [] == fleet.check(inputs("a", UNKNOWN))[1]
    assert [] == fleet.check({**DEFAULTS, "model_ids": UNKNOWN})[1]


def test_delete_sends_nothing(fleet, emulator):
    fleet.delete(state({"a": known()}))

    assert [] == emulator.requests
