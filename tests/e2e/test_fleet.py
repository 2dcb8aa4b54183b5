"""Fleets with the real engine."""

import os
import re
import signal

from harness import until
from harness.host import EVER

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
