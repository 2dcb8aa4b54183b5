"""The API key: in no file of the backend, no log at the highest level, no message."""

import pytest
from harness import KEY

from nugen_pulumi.emulator import Answer

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModel

model = UndeployedModel("model", model_id="m-1")
pulumi.export("result", model.result)
"""


@pytest.mark.parametrize("source", ["stack config", "environment"])
def test_the_key_is_nowhere_even_if_the_api_quotes_it_back(stack, emulator, source):
    """One `up` that fails, one that succeeds, one refresh, each with the engine's logs at their loudest."""
    quoting = Answer(403, {"detail": f"Could not validate {KEY}"})
    result = Answer(200, {"model_id": "m-1", "status": "COMPLETED", "result": {"used": KEY}})
    emulator.script("m-1", "PENDING", quoting, result, result)
    stack = stack(PROGRAM, **({"NUGEN_API_KEY": ""} if source == "stack config" else {}))
    if source == "stack config":
        stack("config", "set", "--secret", "nugen:apiKey", KEY).ok()
    loud = ("-v=9", "--logtostderr", "--logflow")
    runs = [stack.up(*loud), stack.up(*loud), stack.refresh(*loud)]

    assert [True, False, False] == [run.code != 0 for run in runs]
    assert "Could not validate [API key]" in runs[0].output
    assert {"used": "[API key]"} == stack.outputs["result"]
    shown = [line for run in runs for line in run.output.splitlines() if KEY in line]
    # At this level an engine of 3.259 prints what it hands to a provider; one of 3.274 does not. Nothing of ours can
    # prevent that; docs and README say so. With the environment variable there is nothing to print.
    assert source == "stack config" or not shown
    assert all("Marshaling property for RPC[Provider[" in line and "].Configure().inputs]" in line for line in shown)
    assert [] == stack.files_with(KEY)
