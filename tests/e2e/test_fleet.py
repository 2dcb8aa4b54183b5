"""Fleets with the real engine."""

import os
import re
import signal

from harness import until
from harness.host import EVER

from nugen_pulumi.emulator import catalogue

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModels

fleet = UndeployedModels("fleet", model_ids=[f"m-{{n}}" for n in range({count})], **{arguments})
pulumi.export("fleet", {{"undeployed": fleet.undeployed, "pending": fleet.pending, "failed": fleet.failed}})
"""


def program(count, **arguments):
    return PROGRAM.format(count=count, arguments=arguments)


def poll(n):
    return ("GET", f"/api/v3/models/undeploy-model/m-{n}/status")


def kept(stack):
    return stack.models["fleet"]["outputs"]["models"]


def test_a_thousand_models_in_one_up(stack, emulator):
    """One row, all of them in state, less than a mebibyte; and the next `up` asks nothing."""
    for n in range(1000):
        emulator.add(f"m-{n}", undeploy_seconds=2.0)
    stack = stack(program(1000, undeploy=True))
    output = stack.up("--color", "never").ok().output

    assert "of 1000 undeployed · " in output
    assert "Diagnostics" not in output
    assert {"undeployed": True, "pending": [], "failed": []} == stack.outputs["fleet"]
    assert {"COMPLETED"} == {kept["status"] for kept in kept(stack).values()}
    assert 1000 == sum(method == "DELETE" for method, _ in emulator.requests)
    [state] = [path for path in stack.backend.rglob("dev.json") if "stacks" in path.parts]
    assert state.stat().st_size < 2**20

    asked = len(emulator.requests)
    stack.up("--expect-no-changes").ok()
    assert asked == len(emulator.requests)


def test_a_mixed_fleet_names_what_is_wrong_and_the_next_up_asks_only_for_that(stack, emulator):
    emulator.script("m-0", "COMPLETED")
    emulator.script("m-1", catalogue.failed("GPU on fire."), "COMPLETED")
    emulator.script("m-2", catalogue.model_not_found(), "COMPLETED")
    emulator.add("m-3", **EVER)
    stack = stack(program(4, timeout_seconds=1))
    output = stack.up().output

    assert "3 of 4 models are not undeployed:" in output
    assert "Model m-1 was not undeployed: GPU on fire." in output
    assert "Model m-2: the Nugen API knows no such model" in output
    assert "Model m-3 is not undeployed after " in output
    assert "Traceback" not in output
    assert {"m-0": "COMPLETED", "m-1": "FAILED", "m-3": "PENDING"} == {i: k["status"] for i, k in kept(stack).items()}

    asked = len(emulator.requests)
    emulator.script("m-3", "COMPLETED")
    stack.up().ok()
    assert {poll(1), poll(2), poll(3)} == set(emulator.requests[asked:])
    assert 3 == len(emulator.requests[asked:])


def test_drift_in_three_of_a_hundred_is_repaired_by_asking_for_those_three(stack, emulator):
    for n in range(100):
        emulator.add(f"m-{n}", undeploy_seconds=0)
    stack = stack(program(100, undeploy=True))
    stack.up().ok()
    for n in (7, 42, 99):
        emulator.redeploy(f"m-{n}")
    asked = len(emulator.requests)
    refreshed = stack.refresh().ok()

    assert "warning: 3 of 100 models are not undeployed:" in refreshed.output
    assert {poll(n) for n in range(100)} == set(emulator.requests[asked:])
    assert 100 == len(emulator.requests[asked:])

    asked = len(emulator.requests)
    stack.up().ok()
    assert {f"/api/v3/models/undeploy-model/m-{n}" for n in (7, 42, 99)} == {
        path.removesuffix("/status") for _, path in emulator.requests[asked:]
    }
    assert all(kept["undeployed"] for kept in kept(stack).values())


def test_an_interrupted_fleet_keeps_what_was_learnt_and_goes_on(stack, emulator):
    """Ctrl-C in the middle of 200, half of them over."""
    for n in range(200):
        if n % 2:
            emulator.add(f"m-{n}", **EVER)
        else:
            emulator.script(f"m-{n}", "COMPLETED")
    stack = stack(program(200))
    up = stack.start("up", "--yes", "--skip-preview")
    # Who polls again has read all that was answered before: the API sees a request earlier than we see its answer.
    until(lambda: all(emulator.requests.count(poll(n)) > 1 for n in range(1, 200, 2)))
    os.kill(up.pid, signal.SIGINT)
    output, _ = up.communicate(timeout=60)

    assert "100 of 200 models are not undeployed:" in output
    assert re.search(r"was PENDING\. The same error: (m-\d+, ){2}m-\d+ and 96 more\.", output)
    assert "Traceback" not in output
    assert 100 == sum(kept["undeployed"] for kept in kept(stack).values())

    asked = len(emulator.requests)
    for n in range(1, 200, 2):
        emulator.script(f"m-{n}", "COMPLETED")
    stack.up().ok()
    assert 100 == len(emulator.requests[asked:])
    assert stack.outputs["fleet"]["undeployed"]
