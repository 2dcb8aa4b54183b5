"""One model through the whole life of a stack, with the real engine."""

import re
from pathlib import Path

from harness import KEY

ROOT = Path(__file__).parents[2]
QUICKSTART = (ROOT / "__main__.py").read_text()
MODEL = "aligned-model-01kmqm4nrn9fw6r"
POLL = ("GET", f"/api/v3/models/undeploy-model/{MODEL}/status")
ASK = ("DELETE", f"/api/v3/models/undeploy-model/{MODEL}")

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModel

model = UndeployedModel("model", {arguments})
pulumi.export("model", {{"status": model.status, "error": model.error}})
"""


def program(**arguments):
    arguments = {"model_id": "m-1", **arguments}
    return PROGRAM.format(arguments=", ".join(f"{k}={v!r}" for k, v in arguments.items()))


def test_the_quick_start_from_up_to_destroy(stack, emulator):
    """A live line and outputs in the first `up`; no request in a preview, the second `up` and `destroy`."""
    emulator.add(MODEL, undeploy_seconds=1.5)
    stack = stack(QUICKSTART)
    stack("config", "set", "undeploy", "true").ok()

    stack.preview().ok()
    assert [] == emulator.requests

    output = stack.up("--color", "never").ok().output
    assert re.search(r"creating \(\d+s\) PENDING", output)
    assert "Diagnostics" not in output
    outputs = stack.outputs
    assert ("COMPLETED", True) == (outputs["status"], outputs["undeployed"])
    assert {"message": "Model successfully undeployed"} == outputs["result"]
    assert outputs["start_time"].endswith("Z")
    assert outputs["end_time"].endswith("Z")
    assert [POLL, ASK, POLL] == emulator.requests[:3]

    asked = len(emulator.requests)
    assert "2 unchanged" in stack.up("--expect-no-changes").ok().output
    assert [] == emulator.requests[asked:]

    stack("refresh", "--yes", "--skip-preview", "--expect-no-changes").ok()
    assert [POLL] == emulator.requests[asked:]

    stack.destroy().ok()
    assert [POLL] == emulator.requests[asked:]
    assert {} == stack.models
    assert [] == stack.files_with(KEY)


def test_bad_inputs_and_a_missing_key_are_refused_in_preview_each_with_a_sentence(stack):
    output = stack(program(model_id="a/b", timeout_seconds=-1), NUGEN_API_KEY="").preview().output

    assert "must not contain / \\ ? or #, because they would change the URL" in output
    assert "must be a finite number of seconds, at least 1" in output
    assert "There is no Nugen API key: run `pulumi config set --secret nugen:apiKey`, or set NUGEN_API_KEY." in output
    assert "Traceback" not in output


def test_unknown_inputs_pass_preview_and_arrive_in_up(stack, emulator):
    """The id of one model as the output of another resource."""
    emulator.script("m-1", "COMPLETED")
    emulator.script("m-2", "COMPLETED")
    stack = stack(
        program()
        + """
UndeployedModel("second", model_id=model.status.apply(lambda status: "m-2" if status == "COMPLETED" else "a/b"))
"""
    )
    stack.preview().ok()
    stack.up().ok()

    assert "m-2" == stack.models["second"]["id"]


def test_get_reads_without_managing(stack, emulator):
    """One poll in the preview, a wait in `up`, and nothing of ours to delete."""
    emulator.script("m-1", "PENDING", "PENDING", "COMPLETED")
    stack = stack(
        """
import pulumi
from nugen_pulumi import UndeployedModel

model = UndeployedModel.get("model", "m-1")
pulumi.export("seen", [model.model_id, model.status])
"""
    )
    stack.preview().ok()
    assert 1 == len(emulator.requests)

    stack.up().ok()
    assert ["m-1", "COMPLETED"] == stack.outputs["seen"]
    assert stack.models["model"]["external"]

    emulator.script("m-1", "COMPLETED")
    assert "=>" not in stack.preview("--diff").ok().output, "nothing has changed"


def test_replace_on_changes_is_heard_by_both_resources(stack, emulator):
    """The engine knows which inputs the option names, and the provider does not."""
    emulator.script("m-1", "COMPLETED", "COMPLETED")
    emulator.script("m-2", "COMPLETED", "COMPLETED")
    both = """
import pulumi
from nugen_pulumi import UndeployedModel, UndeployedModels

options = pulumi.ResourceOptions(replace_on_changes=["{name}"])
UndeployedModel("model", options, model_id="m-1", timeout_seconds={seconds})
UndeployedModels("fleet", options, model_ids=["m-2"], timeout_seconds={seconds})
"""
    stack = stack(both.format(name="timeout_seconds", seconds=60))
    stack.up().ok()
    stack.program(both.format(name="timeout_seconds", seconds=61))
    assert "2 replaced" in stack.up().ok().output
    assert 4 == len(emulator.requests)

    stack.program(both.format(name="on_failure", seconds=62))
    assert "2 updated" in stack.up().ok().output
    assert 4 == len(emulator.requests), "another input: updated in place, without a request"
