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


def known(status="COMPLETED", undeployed=True, **fields):
    return {"status": status, "undeployed": undeployed, **fields}


def state(models, **given):
    """Return the state of a fleet of which this is known."""
    over = all(kept["undeployed"] for kept in models.values())
    return {**inputs(*models, **given), "models": models, "undeployed": over, "pending": [], "failed": []}


def test_a_fleet_from_create_to_delete(fleet, emulator):
    """Of an update only what is new is asked about."""
    emulator.script("a", "PENDING", "COMPLETED")
    emulator.script("b", "COMPLETED")
    given = inputs("a", "b", triggers=["t"], undeploy=False)
    id_, outputs = fleet.create(given)

    assert id_.startswith("fleet-")
    assert {"models", "undeployed", "pending", "failed", *given} == set(outputs)
    assert ({"a", "b"}, True, [], []) == (
        set(outputs["models"]),
        outputs["undeployed"],
        outputs["pending"],
        outputs["failed"],
    )
    assert ("COMPLETED", True, "2024-02-24T10:00:00Z") == tuple(
        outputs["models"]["a"][name] for name in ("status", "undeployed", "start_time")
    )
    assert (False, []) == fleet.diff(outputs, {**given, "model_ids": ["b", "a"]})
    assert (True, ["triggers"]) == fleet.diff(outputs, {**given, "model_ids": ["a", UNKNOWN], "triggers": []})
    assert [] == fleet.check({**given, "model_ids": ["a", UNKNOWN]})[1]

    asked = len(emulator.requests)
    emulator.script("c", "COMPLETED")
    assert {"b", "c"} == set(fleet.update(outputs, {**given, "model_ids": ["b", "c"]})["models"])
    fleet.delete(outputs)
    assert [("GET", "/api/v3/models/undeploy-model/c/status")] == emulator.requests[asked:]


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


def test_large_results_cost_neither_the_message_nor_the_statuses(fleet, emulator):
    """200 results of 20 MB in all would break the trailer in which kept state travels: only one fits its share."""
    ids = [f"m-{n}" for n in range(200)]
    for name in ids:
        status = "FAILED" if name == "m-7" else "COMPLETED"
        log = "x" * (10_000 if name == "m-8" else 100_000)
        emulator.script(name, {"model_id": name, "status": status, "result": {"log": log}})
    error = refused(lambda: fleet.create(inputs(*ids)))
    _, outputs, _, _ = fleet.kept(error)

    assert status_of(error).message.startswith("1 of 200 models is not undeployed:\n  Model m-7 was not undeployed: ")
    assert 200 == len(outputs["models"])
    assert (["m-7"], []) == (outputs["failed"], outputs["pending"])
    assert ["m-8"] == [name for name, model in outputs["models"].items() if isinstance(model["result"], dict)]
