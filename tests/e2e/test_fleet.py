"""A fleet with the real engine. How an interruption leaves one is in test_engine.py."""

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModels

fleet = UndeployedModels("fleet", model_ids=[f"m-{n}" for n in range(1000)], undeploy=True)
pulumi.export("fleet", {"undeployed": fleet.undeployed, "pending": fleet.pending, "failed": fleet.failed})
"""


def test_a_thousand_models_in_one_up(stack, emulator):
    """One row, all of them in state, less than a mebibyte; and the next `up` asks nothing."""
    for n in range(1000):
        emulator.add(f"m-{n}", undeploy_seconds=2.0)
    stack = stack(PROGRAM)
    output = stack.up("--color", "never").ok().output

    assert "of 1000 undeployed · " in output
    assert "Diagnostics" not in output
    assert {"undeployed": True, "pending": [], "failed": []} == stack.outputs["fleet"]
    assert {"COMPLETED"} == {kept["status"] for kept in stack.models["fleet"]["outputs"]["models"].values()}
    assert 1000 == sum(method == "DELETE" for method, _ in emulator.requests)
    [state] = [path for path in stack.backend.rglob("dev.json") if "stacks" in path.parts]
    assert state.stat().st_size < 2**20

    asked = len(emulator.requests)
    stack.up("--expect-no-changes").ok()
    assert asked == len(emulator.requests)
