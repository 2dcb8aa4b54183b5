"""Each example as a user has it: its folder copied, its stack configured, and a real engine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness import KEY
from harness.stack import Stack

from nugen_pulumi.emulator import Emulator

EXAMPLES = Path(__file__).parents[2] / "examples"
OTHER_KEY = "another-emulator-key-for-tests"


def asked(*model_ids):
    """Return the DELETEs for these models."""
    return [("DELETE", f"/api/v3/models/undeploy-model/{model_id}") for model_id in model_ids]


def asked_of(api):
    """Return the DELETEs that came."""
    return sorted(request for request in api.requests if request[0] == "DELETE")


@pytest.fixture
def api():
    """An API where every id tells its model's story."""
    with Emulator(models="any", api_key=KEY) as emulator:
        yield emulator


@pytest.fixture
def environment(tmp_path, api):
    """An environment with nothing of the user's, for a program that drives Pulumi itself."""
    ours = {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"}
    env = {name: value for name, value in Stack(tmp_path, "").env.items() if name not in ours}
    return {**env, "NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": api.url, "COLUMNS": "200"}


@pytest.fixture
def example(tmp_path, api):
    """Make a stack from an example and its config, whose preview works and asks the API nothing."""

    def make(name, secrets=(), **config):
        stack = Stack(tmp_path, EXAMPLES / name, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": api.url})
        given = [f"--plaintext={key}={value}" for key, value in config.items()]
        given += [f"--secret={key}={value}" for key, value in dict(secrets).items()]
        stack("config", "set-all", "--path", "--plaintext=undeploy=true", *given).ok()
        stack.preview().ok()
        assert [] == api.requests
        return stack

    return make


def test_every_example_is_complete_and_run_here():
    names = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}

    assert {"quickstart", "deploy", "ephemeral", "cleanup", "fleet", "retire", "accounts", "automation"} <= names
    assert {"component", "yaml"} <= names
    assert 10 == len(names)
    for name in names:
        assert {"README.md", "requirements.txt"} <= {path.name for path in (EXAMPLES / name).iterdir()}
        assert len((EXAMPLES / name / "README.md").read_text().splitlines()) <= 30


@pytest.mark.parametrize("name", ["quickstart", "yaml"])
def test_one_model(example, api, name):
    stack = example(name, modelId="m-1")
    stack.up().ok()

    assert "COMPLETED" == stack.outputs["status"]
    assert asked("m-1") == asked_of(api)


def test_fleet(example, api):
    """One model fails, and is an output."""
    stack = example("fleet", **{"modelIds[0]": "m-1", "modelIds[1]": "fail-2", "modelIds[2]": "gone-3"})
    stack.up().ok()

    outputs = stack.outputs
    assert {"fail-2": "Undeployment failed and was reverted to DEPLOYED status"} == outputs.pop("reasons")
    assert {"undeployed": False, "undeployed_count": 2, "pending": [], "failed": ["fail-2"]} == outputs
    assert asked("fail-2", "gone-3", "m-1") == asked_of(api)


def test_retire(example, api):
    """The next step is taken only once the model is out of service."""
    stack = example("retire", modelId="fail-1")
    failed = stack.up()

    assert 0 != failed.code
    assert "Model fail-1 was not undeployed: Undeployment failed" in failed.output
    assert "Traceback" not in failed.output
    assert [] == [r["type"] for r in stack.state["resources"] if "Command" in r["type"]]

    stack("config", "set", "modelId", "m-2").ok()
    stack.up().ok()
    outputs = stack.outputs
    assert "COMPLETED" == outputs["status"]
    assert outputs["notice"].startswith("m-2 is out of service since 20")
    assert asked("fail-1", "m-2") == asked_of(api)


def test_accounts(example, api):
    """Each model is asked for with the key of its account; both keys are in state only encrypted."""
    with Emulator(models="any", api_key=OTHER_KEY) as other:
        keys = {"researchKey": KEY, "productKey": OTHER_KEY}
        stack = example(
            "accounts", keys, researchModelId="m-1", productModelId="m-2", researchUrl=api.url, productUrl=other.url
        )
        stack.env["NUGEN_API_KEY"] = ""
        stack.up().ok()

        assert {"research": "COMPLETED", "product": "COMPLETED"} == stack.outputs
        assert (asked("m-1"), asked("m-2")) == (asked_of(api), asked_of(other))
        assert [] == stack.files_with(KEY) + stack.files_with(OTHER_KEY)


def test_component(example, api):
    """Two teams; a model that is named twice is asked for once, one that fails is a reason."""
    stack = example("component", **{"teams.chat[0]": "m-1", "teams.chat[1]": "m-1", "teams.search[0]": "fail-2"})
    stack.up().ok()

    reason = "Undeployment failed and was reverted to DEPLOYED status"
    assert {"summary": "1 of 1 undeployed", "reasons": {}} == stack.outputs["chat"]
    assert {"summary": "0 of 1 undeployed", "reasons": {"fail-2": reason}} == stack.outputs["search"]
    assert asked("fail-2", "m-1") == asked_of(api)


def test_automation(tmp_path, api, environment):
    """Exit code 0 if all are out of service; 1, and the reasons, if some are not. Each run asks how things are now."""

    def retire(*model_ids):
        command = [sys.executable, EXAMPLES / "automation" / "retire.py", "--work-dir", tmp_path / "state", *model_ids]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    bad = retire("m-1", "fail-2", "missing-3")
    assert (1, "") == (bad.returncode, bad.stderr)
    assert "3/3" in bad.stdout
    assert re.search(r"m-1 +│ undeployed │ 20", bad.stdout)
    assert re.search(r"fail-2 +│ FAILED +│ +│", bad.stdout)
    assert "Model fail-2 was not undeployed: Undeployment failed and was reverted to DEPLOYED status" in bad.stdout
    assert "Model missing-3: the Nugen API knows no such model" in bad.stdout
    assert "Traceback" not in bad.stdout

    api.reset()  # m-1 is deployed again, which the stack cannot know
    good = retire("m-1", "m-4")
    assert (0, "") == (good.returncode, good.stderr)
    assert "2/2" in good.stdout
    assert 2 == good.stdout.count("│ undeployed │ 20")
    assert "not" not in good.stdout
    assert asked("m-1", "m-4") == asked_of(api)
    assert [] == [path for path in (tmp_path / "state").rglob("*") if path.is_file() and KEY in path.read_text()]


def test_deploy(example, api):
    stack = example("deploy", modelId="new-1")
    stack.up().ok()
    stack("config", "set", "modelId", "new-2").ok()
    stack.up().ok()
    stack.destroy().ok()
    changes = [(method, path.rsplit("/", 1)[1]) for method, path in api.requests if method != "GET"]

    assert [("POST", "new-1"), ("POST", "new-2"), ("DELETE", "new-1"), ("DELETE", "new-2")] == changes


def test_cleanup(tmp_path, api):
    """Only what is in service and bears the name is found; afterwards there is nothing left to find."""
    api.add("exp-1", state="DEPLOYED")
    api.add("exp-2", state="UNDEPLOYED")
    api.add("other", state="DEPLOYED")
    stack = Stack(tmp_path, EXAMPLES / "cleanup", {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": api.url})
    stack("config", "set", "undeploy", "true").ok()
    stack.up().ok()

    assert {"found": ["exp-1"], "failed": []} == stack.outputs
    assert asked("exp-1") == asked_of(api)

    stack.up().ok()
    assert {"found": []} == stack.outputs
    assert asked("exp-1") == asked_of(api)


@pytest.mark.parametrize(
    ("test", "code"),
    [("raise SystemExit(3)", 3), ("import os, time; os.kill(os.getppid(), 15); time.sleep(600)", 143)],
    ids=["the test fails", "SIGTERM"],
)
def test_ephemeral(tmp_path, api, environment, test, code):
    """The model is in service while the test runs, and out of it afterwards, whatever the test says."""
    # As if no virtual environment were active.
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(folder for folder in environment["PATH"].split(os.pathsep) if folder != ours)
    env = {**environment, "PATH": path}
    script = EXAMPLES / "ephemeral" / "ephemeral.py"
    test = [sys.executable, "-c", f"print('tested {{}}', flush=True); {test}"]
    command = [sys.executable, script, "--work-dir", tmp_path / "kept", "new-1", "--", *test]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    assert (code, "") == (run.returncode, run.stderr)
    assert "tested new-1" in run.stdout
    assert "UNDEPLOYED" == api.state("new-1")
