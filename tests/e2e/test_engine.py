"""At home in the engine: what users meet when waits are many, end badly, or are ended."""

import os
import signal

import pytest
from harness import until
from harness.host import EVER

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModel

for name in {names}:
    UndeployedModel(name, model_id=name, **{arguments})
"""


def program(*names, **arguments):
    return PROGRAM.format(names=list(names or ("m-1",)), arguments=arguments)


def poll(name="m-1"):
    return ("GET", f"/api/v3/models/undeploy-model/{name}/status")


def ask(name="m-1"):
    return ("DELETE", f"/api/v3/models/undeploy-model/{name}")


def init_errors(stack):
    """Return the init errors of our resources in state by name."""
    return {name: resource.get("initErrors", []) for name, resource in stack.models.items()}


def statuses(stack):
    """Return the statuses in state, a fleet's models among them, by name."""
    kept = {name: resource["outputs"] for name, resource in stack.models.items()}
    fleets = [outputs.pop("models") for outputs in kept.values() if "models" in outputs]
    return {name: model["status"] for models in (kept, *fleets) for name, model in models.items() if "status" in model}


def test_64_models_are_waited_for_at_once(stack, emulator):
    """None is over before all have been polled, which sixteen at a time would never come to."""
    names = [f"m-{i}" for i in range(64)]
    for name in names:
        emulator.add(name, **EVER)
    stack = stack(program(*names))
    up = stack.start("up", "--yes", "--skip-preview", "-p", "64")
    until(lambda: len({path for _, path in emulator.requests}) == 64)
    for name in names:
        emulator.script(name, "COMPLETED")
    output, _ = up.communicate(timeout=120)

    assert 0 == up.returncode, output
    assert "Diagnostics" not in output
    assert {"COMPLETED"} == set(statuses(stack).values())


@pytest.mark.parametrize("tree", [False, True], ids=["Ctrl-C", "SIGTERM to the whole tree"])
def test_an_interrupted_up_keeps_what_was_learnt_and_the_next_one_goes_on(stack, emulator, tree):
    """Three waits and a fleet, one signal, all in state; the DELETE is not sent again."""
    fleet, alone = ["f-0", "f-1", "f-2"], ["m-0", "m-1", "m-2"]
    names = fleet + alone
    for name in names:
        emulator.add(name, undeploy_seconds=float("inf"))
    stack = stack(
        f"from nugen_pulumi import UndeployedModels\nUndeployedModels('fleet', model_ids={fleet}, undeploy=True)\n"
        + program(*alone, undeploy=True)
    )
    up = stack.start("up", "--yes", "--skip-preview")
    # One poll is before the DELETE; who polls again after it has read what was answered before.
    until(lambda: all(emulator.requests.count(poll(name)) > 2 for name in names))
    if tree:
        stack.terminate(up)
    else:
        os.kill(up.pid, signal.SIGINT)
    output, _ = up.communicate(timeout=60)

    assert 0 != up.returncode
    assert "Traceback" not in output
    assert "The next `pulumi up` continues to wait." in output
    assert dict.fromkeys(names, "PENDING") == statuses(stack)
    assert all(": interrupted after " in error for [error] in init_errors(stack).values())
    assert [] == stack.state.get("pending_operations", [])
    until(lambda: not stack.providers())

    for name in names:
        emulator.script(name, "COMPLETED")
    stack.up().ok()
    assert dict.fromkeys(names, "COMPLETED") == statuses(stack)
    assert {name: [] for name in ("fleet", *alone)} == init_errors(stack)
    assert [1] * 6 == [emulator.requests.count(ask(name)) for name in names]


def test_an_engine_that_was_killed_leaves_no_provider_behind(stack, emulator):
    """After `pulumi cancel` the next `up` works."""
    emulator.add("m-1", **EVER)
    stack = stack(program())
    up = stack.start("up", "--yes", "--skip-preview")
    until(lambda: len(emulator.requests) > 2)
    providers = stack.providers()
    up.kill()
    up.communicate(timeout=60)

    assert 1 == len(providers)
    until(lambda: not stack.providers())
    asked = len(emulator.requests)

    stack("cancel", "--yes").ok()
    emulator.script("m-1", "COMPLETED")
    stack.up().ok()
    assert asked + 1 == len(emulator.requests)
    assert {"m-1": "COMPLETED"} == statuses(stack)
