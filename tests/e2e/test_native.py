"""The native face, in a language without Python, through the real engine."""

import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import yaml
from harness import KEY, until
from harness.host import EVER

from nugen_pulumi._version import VERSION
from nugen_pulumi.emulator import Emulator

MODEL, FLEET = "nugen:UndeployedModel", "nugen:UndeployedModels"
POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")
DELETE = ("DELETE", "/api/v3/models/undeploy-model/m-1")


def program(resources, **more):
    """Return a project in YAML: resources are name: (type, properties, options)."""
    described = {
        name: {"type": kind, "properties": properties, "options": dict(*options)}
        for name, (kind, properties, *options) in resources.items()
    }
    plugin = {"name": "nugen", "path": str(Path(sys.executable).parent)}
    project = {"name": "test", "runtime": "yaml", "plugins": {"providers": [plugin]}, "resources": described, **more}
    return yaml.safe_dump(project)


def one(**properties):
    return program(
        {"m-1": (MODEL, {"modelId": "m-1", **properties})}, outputs={"status": "${m-1.status}", "end": "${m-1.endTime}"}
    )


def recorded(stack, name="m-1"):
    return stack.models[name]["outputs"]


def test_a_life(stack, emulator):
    """Preview, create, nothing to do, refresh, drift, replace, destroy."""
    emulator.add("m-1", undeploy_seconds=2)
    stack = stack(one(undeploy=True))
    assert "[unknown]" in stack.preview().ok().output
    assert [] == emulator.requests
    created = stack.up("--color", "never").ok().output

    assert re.search(r"creating \(\d+s\) PENDING", created)
    assert "COMPLETED" == stack.outputs["status"]
    assert DELETE == emulator.requests[1]
    assert KEY not in stack("stack", "export").ok().output

    asked = len(emulator.requests)
    stack.up("--expect-no-changes").ok()
    stack.program(one(undeploy=True, timeoutSeconds=60))
    stack.up().ok()
    assert asked == len(emulator.requests), "settled, and nothing but settings changed"

    stack.refresh().ok()
    emulator.redeploy("m-1")
    refreshed = stack.refresh().ok().output
    assert "Model m-1 is no longer undeployed: No active undeployment. Model status is DEPLOYED." in refreshed
    stack.up().ok()
    assert 2 == emulator.requests.count(DELETE)

    emulator.add("m-2", state="UNDEPLOYED")
    stack.program(one(undeploy=True).replace("modelId: m-1", "modelId: m-2"))
    assert "replaced" in stack.up().ok().output
    asked = len(emulator.requests)
    stack.destroy().ok()
    assert {} == stack.models
    assert asked == len(emulator.requests)


def test_what_is_known_is_kept_when_the_whole_tree_is_told_to_end(stack, emulator):
    emulator.add("m-1", **EVER)
    stack = stack(one(undeploy=True))
    up = stack.start("up", "--yes", "--skip-preview")
    until(lambda: emulator.requests.count(POLL) > 2)
    assert plugins(stack), "the language host has one of its own"
    stack.terminate(up)
    output, _ = up.communicate(timeout=60)

    assert "Model m-1: interrupted after " in output
    assert "PENDING" == recorded(stack)["status"]
    until(lambda: not plugins(stack))
    asked = len(emulator.requests)
    emulator.script("m-1", "COMPLETED")
    stack.up().ok()
    assert [POLL] == emulator.requests[asked:]


def plugins(stack):
    """Return the ids of the plugin's processes (Linux tells by their working directory)."""
    return stack.providers(b"pulumi-resource-nugen")


def test_import(stack, emulator):
    for name in ("m-1", "a", "b"):
        emulator.add(name, state="UNDEPLOYED")
    stack = stack(one())
    stack("import", MODEL.replace(":", ":index:"), "m-1", "m-1", "--yes", "--protect=false", "--skip-preview").ok()
    stack("import", FLEET.replace(":", ":index:"), "ab", "a,b", "--yes", "--protect=false", "--skip-preview").ok()
    missing = stack("import", MODEL.replace(":", ":index:"), "x", "missing", "--yes", "--skip-preview")

    assert "does not exist" in missing.output
    assert "Traceback" not in missing.output
    assert ({"a", "b"}, True) == (set(recorded(stack, "ab")["models"]), recorded(stack, "ab")["undeployed"])
    asked = len(emulator.requests)
    stack.program(program({"m-1": (MODEL, {"modelId": "m-1"}), "ab": (FLEET, {"modelIds": ["b", "a"]})}))
    stack.up("--expect-no-changes").ok()
    assert asked == len(emulator.requests)


PYTHON = """
from nugen_pulumi import UndeployedModel, UndeployedModels

UndeployedModel("m-1", model_id="m-1", undeploy=True, timeout_seconds=600)
UndeployedModel("bad", model_id="bad", undeploy=True, on_failure="record", triggers=["t"])
UndeployedModel("open", model_id="open", timeout_seconds=1)
UndeployedModels("fleet", model_ids=["a", "b"], undeploy=True)
"""


def test_a_stack_of_the_dynamic_kind_moves_over(stack, emulator):
    """Without a replacement, and without a request but for what was not finished."""
    emulator.add("bad", fails="GPU on fire.")
    emulator.add("open", **EVER)
    for name in ("m-1", "a", "b"):
        emulator.add(name, undeploy_seconds=0)
    stack = stack(PYTHON)
    assert "Model open is not undeployed after " in stack.up().output
    before = {name: model["outputs"] for name, model in stack.models.items()}
    emulator.script("open", "COMPLETED")
    asked = len(emulator.requests)

    (stack.project / "__main__.py").unlink()
    stack.program(
        program(
            {
                "m-1": (MODEL, {"modelId": "m-1", "undeploy": True, "timeoutSeconds": 600}),
                "bad": (MODEL, {"modelId": "bad", "undeploy": True, "onFailure": "record", "triggers": ["t"]}),
                "open": (MODEL, {"modelId": "open", "timeoutSeconds": 1}),
                "fleet": (FLEET, {"modelIds": ["a", "b"], "undeploy": True}),
            }
        )
    )
    output = stack.up("--diff").ok().output

    assert "replace" not in output
    assert [("GET", "/api/v3/models/undeploy-model/open/status")] == emulator.requests[asked:]
    assert {"nugen:index:UndeployedModel", "nugen:index:UndeployedModels"} == {
        model["type"] for model in stack.models.values()
    }
    assert before["m-1"]["end_time"] == recorded(stack)["endTime"]
    assert ("FAILED", "COMPLETED") == (recorded(stack, "bad")["status"], recorded(stack, "open")["status"])
    assert set(before["fleet"]["models"]) == set(recorded(stack, "fleet")["models"])
    assert "__provider" not in stack("stack", "export").ok().output

    asked = len(emulator.requests)
    stack.up("--expect-no-changes").ok()
    stack.destroy().ok()
    assert asked == len(emulator.requests)


def test_two_explicit_providers_are_two_accounts(stack):
    """Each has its own key, which is a secret in state."""
    with Emulator(api_key=KEY) as first, Emulator(api_key="another-key-for-tests") as second:
        for api in (first, second):
            api.add("m", state="UNDEPLOYED")
        accounts = {
            "first": ("pulumi:providers:nugen", {"apiKey": KEY, "baseUrl": first.url}),
            "second": ("pulumi:providers:nugen", {"apiKey": "another-key-for-tests", "baseUrl": second.url}),
        }
        models = {f"of-{name}": (MODEL, {"modelId": "m"}, {"provider": f"${{{name}}}"}) for name in accounts}
        stack = stack(program({**accounts, **models}), NUGEN_API_KEY="")
        stack.up().ok()

        assert Counter({"GET": 1}) == Counter(method for method, _ in first.requests)
        assert Counter({"GET": 1}) == Counter(method for method, _ in second.requests)
        assert KEY not in stack("stack", "export").ok().output


def test_the_plugin_can_be_installed_for_all_projects(stack, emulator):
    """As docs/other-languages.md says; it is nowhere else to be found then. Its schema is one for Pulumi."""
    emulator.add("m-1", state="UNDEPLOYED")
    stack = stack(yaml.safe_dump({**yaml.safe_load(one()), "plugins": {}}))
    stack.env["PATH"] = os.pathsep.join([str(Path(shutil.which("pulumi")).parent), "/usr/bin", "/bin"])
    plugin = str(Path(sys.executable).parent / "pulumi-resource-nugen")
    assert '"nugen:index:UndeployedModels"' in stack("package", "get-schema", plugin).ok().output
    stack("plugin", "install", "resource", "nugen", VERSION, "--file", plugin).ok()
    output = stack.up().ok().output

    assert "FAILED" == recorded(stack)["status"]
    assert "warning" not in output
