"""The API key, in no file, log or message; and ids that are secrets, in programs of both kinds."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from harness import KEY

from nugen_pulumi.emulator import Answer

IDS = ["very-private", "fail-private"]

ONE = """
import pulumi
from nugen_pulumi import UndeployedModel

model = UndeployedModel("model", model_id="m-1")
pulumi.export("result", model.result)
"""

PYTHON = """
import pulumi
from nugen_pulumi import UndeployedModels

ids = {ids}
fleet = UndeployedModels("fleet", model_ids=ids, undeploy=True, on_failure="record")
fleet.models.apply(lambda models: print("known:", len(models)))
pulumi.export("failed", fleet.failed)
"""

PLUGIN = {"name": "nugen", "path": str(Path(sys.executable).parent)}


def yaml_program(ids):
    fleet = {"modelIds": ids, "undeploy": True, "onFailure": "record"}
    return yaml.safe_dump(
        {
            "name": "test",
            "runtime": "yaml",
            "plugins": {"providers": [PLUGIN]},
            "resources": {"fleet": {"type": "nugen:UndeployedModels", "properties": fleet}},
            "outputs": {"failed": "${fleet.failed}"},
        }
    )


PROGRAMS = {
    "a secret list": PYTHON.format(ids=f"pulumi.Output.secret({IDS!r})"),
    "a list that holds a secret": PYTHON.format(ids=f"[{IDS[0]!r}, pulumi.Output.secret({IDS[1]!r})]"),
    "in YAML": yaml_program({"fn::secret": IDS}),
}


@pytest.mark.parametrize("source", ["stack config", "environment"])
def test_the_key_is_nowhere_even_if_the_api_quotes_it_back(stack, emulator, source):
    """One `up` that fails, one that succeeds, one refresh, each with the engine's logs at their loudest."""
    quoting = Answer(403, {"detail": f"Could not validate {KEY}"})
    result = Answer(200, {"model_id": "m-1", "status": "COMPLETED", "result": {"used": KEY}})
    emulator.script("m-1", "PENDING", quoting, result, result)
    stack = stack(ONE, **({"NUGEN_API_KEY": ""} if source == "stack config" else {}))
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


@pytest.fixture
def models(emulator):
    emulator.add(IDS[0], undeploy_seconds=0)
    emulator.add(IDS[1], undeploy_seconds=0, fails="GPU on fire.")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_ids_of_a_fleet_are_in_no_output_and_no_state(stack, program):
    """Through create, a preview of an update, the update, and refresh; and a preview does not invent an empty fleet."""
    stack = stack(PROGRAMS[program])
    seen = [stack.preview().ok().output]
    assert "known:" not in seen[0]

    seen += [stack.up().ok().output, stack.refresh().ok().output, stack.up("--expect-no-changes").ok().output]
    more = "timeoutSeconds: 60\n      undeploy" if program == "in YAML" else "timeout_seconds=60, undeploy"
    stack.program(PROGRAMS[program].replace("undeploy", more, 1))
    seen += [stack.preview("--diff").ok().output, stack.up("--diff").ok().output]
    seen.append(stack("stack", "export").ok().output)

    assert "private" not in "".join(seen)
    assert [IDS[1]] == stack.outputs["failed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(PYTHON.format(ids=repr(IDS)), PROGRAMS["a secret list"]), (yaml_program(IDS), PROGRAMS["in YAML"])],
    ids=["Python", "YAML"],
)
def test_ids_that_become_secrets_are_hidden_by_the_next_up(stack, emulator, models, before, after):
    """Without a request. The diff of the stack's own outputs shows what they were: that is Pulumi's."""
    stack = stack(before)
    stack.up().ok()
    sent = len(emulator.requests)
    stack.program(after)
    stack.up().ok()

    assert "private" not in stack("stack", "export").ok().output
    assert sent == len(emulator.requests)


@pytest.mark.usefixtures("models")
def test_a_secret_id_can_be_read_without_managing_it(stack):
    """The id of a resource is clear text by nature; the outputs made of it are not."""
    stack = stack(
        """
import pulumi
from nugen_pulumi import UndeployedModel

model = UndeployedModel.get("model", pulumi.Output.secret("very-private"), wait=False)
pulumi.export("seen", [model.model_id, model.status])
"""
    )
    output = stack.preview().ok().output + stack.up().ok().output

    assert "Traceback" not in output
    assert ["very-private", "FAILED"] == stack.outputs["seen"]
    assert "very-private" not in json.dumps(stack.models["model"]["outputs"])
