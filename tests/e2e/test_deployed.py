"""A model in service through the whole life of a stack, with the real engine."""

import signal
import time

import pytest
from harness import KEY, until
from harness.stack import Stack

from nugen_pulumi.emulator import Emulator, State, faults

PROGRAM = """
import pulumi
from nugen_pulumi import DeployedModel

model = DeployedModel("bot", model_id={model_id!r})
pulumi.export("deployed", model.deployed)
pulumi.export("adopted", model.adopted)
"""


def deploy(model_id):
    return ("POST", f"/api/v3/models/deploy-model/{model_id}")


def undeploy(model_id):
    return ("DELETE", f"/api/v3/models/undeploy-model/{model_id}")


def changes(emulator):
    """Return the requests that change something."""
    return [request for request in emulator.requests if request[0] != "GET"]


@pytest.fixture
def bot(stack):
    """A stack whose program wants bot-1 in service, and what names another model."""
    running = stack(PROGRAM.format(model_id="bot-1"))
    return running, lambda model_id: running.program(PROGRAM.format(model_id=model_id))


def test_life_from_up_to_destroy(bot, emulator):
    stack, _ = bot
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=1.0, undeploy_seconds=1.0)

    preview = stack.preview().ok().output
    assert [] == emulator.requests
    assert "will deploy bot-1, which uses credits" in preview

    stack.up().ok()
    assert {"deployed": True, "adopted": False} == stack.outputs
    assert [deploy("bot-1")] == changes(emulator)

    asked = len(emulator.requests)
    stack.up("--expect-no-changes").ok()
    assert asked == len(emulator.requests)
    stack.refresh("--expect-no-changes").ok()
    assert [("GET", "/api/v3/models/deploy-model/bot-1/status")] == emulator.requests[asked:]

    stack.destroy().ok()
    assert [deploy("bot-1"), undeploy("bot-1")] == changes(emulator)
    assert State.UNDEPLOYED is emulator.state("bot-1")
    assert {} == stack.models


def test_a_swap_leaves_no_gap(bot, emulator):
    """The new model is in service before the old one is taken out."""
    stack, program = bot
    for model_id in ("bot-1", "bot-2"):
        emulator.add(model_id, state=State.UNDEPLOYED, deploy_seconds=0.5, undeploy_seconds=0.5)
    stack.up().ok()
    program("bot-2")
    stack.up().ok()

    assert [deploy("bot-1"), deploy("bot-2"), undeploy("bot-1")] == changes(emulator)
    between = emulator.requests[emulator.requests.index(deploy("bot-2")) : emulator.requests.index(undeploy("bot-1"))]
    assert ("GET", "/api/v3/models/deploy-model/bot-2/status") in between
    assert (State.DEPLOYED, State.UNDEPLOYED) == (emulator.state("bot-2"), emulator.state("bot-1"))


def test_what_the_program_still_wants_in_service_stays_there(stack, emulator):
    """The engine creates first, and deletes what it replaces at the end: that must not undo the create."""

    def program(models):
        given = "\n".join(f"DeployedModel({name!r}, model_id={model!r})" for name, model in models.items())
        return f"from nugen_pulumi import DeployedModel\n{given}\n"

    before = {"a": "bot-1", "b": "bot-2", "old-name": "bot-3", "c": "bot-4"}
    for model_id in before.values():
        emulator.add(model_id, state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2)
    running = stack(program(before))
    running.up().ok()
    running.program(program({"a": "bot-2", "b": "bot-1", "new-name": "bot-3", "c": "bot-4"}))
    said = running.up("--replace", "urn:pulumi:dev::test::pulumi-python:dynamic/nugen:DeployedModel::c").ok().output
    for model_id, name in (("bot-1", "b"), ("bot-2", "a"), ("bot-3", "new-name"), ("bot-4", "c")):
        assert f"Model {model_id} stays in service, because {name} of this program wants it there." in said
        assert State.DEPLOYED is emulator.state(model_id)
    assert "DELETE" not in [method for method, _ in changes(emulator)]
    running.up("--expect-no-changes").ok()


def test_a_swap_that_fails_leaves_the_old_model_in_service_whatever_is_continued(bot, emulator):
    stack, program = bot
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2)
    emulator.add("bot-2", state=State.UNDEPLOYED, deploy_seconds=0.2, deploy_fails=True)
    stack.up().ok()
    program("bot-2")
    failure = stack.up("--continue-on-error")

    assert failure.code
    assert "Model bot-1 stays in service, because bot, which was to follow it, failed." in failure.output
    assert State.DEPLOYED is emulator.state("bot-1")

    emulator.add("bot-2", state=State.UNDEPLOYED, deploy_seconds=0.2)
    stack.up().ok()
    assert (State.UNDEPLOYED, State.DEPLOYED) == (emulator.state("bot-1"), emulator.state("bot-2"))


def test_ctrl_c_while_the_post_is_under_way_and_while_destroying_forgets_nothing(bot, emulator):
    """The API carries the POST out, and nobody would know."""
    stack, _ = bot
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.5, undeploy_seconds=6.0)
    emulator.script_deploy("bot-1", faults.hang(carried_out=True))

    def interrupted(command, request):
        process = stack.start(command, "--yes", "--skip-preview")
        until(lambda: changes(emulator)[-1:] == [request])
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode
        return output

    output = interrupted("up", deploy("bot-1"))
    assert "The API may have carried out the POST. The next `pulumi up` continues to wait." in output
    assert "PENDING" == stack.models["bot"]["outputs"]["status"]
    stack.up().ok()
    assert {"deployed": True, "adopted": False} == stack.outputs

    assert "interrupted" in interrupted("destroy", undeploy("bot-1"))
    assert "bot" in stack.models
    stack.destroy().ok()
    assert ({}, State.UNDEPLOYED) == (stack.models, emulator.state("bot-1"))
    assert 1 == changes(emulator).count(deploy("bot-1"))


MANY = """
from nugen_pulumi import DeployedModel

for n in range(60):
    DeployedModel(f"m-{n}", model_id=f"m-{n}")
"""


def test_many_behind_a_limit_lose_nobody_and_carry_out_each_request_once(tmp_path):
    with Emulator(api_key=KEY, rate=20.0, burst=5, deploy_seconds=1.0, undeploy_seconds=1.0) as emulator:
        models = [f"m-{number}" for number in range(60)]
        for model_id in models:
            emulator.add(model_id, state=State.UNDEPLOYED)
        stack = Stack(tmp_path, MANY, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url})
        stack.up("-p", "64").ok()
        assert {State.DEPLOYED} == {emulator.state(model_id) for model_id in models}

        stack.destroy("-p", "64").ok()
        assert {State.UNDEPLOYED} == {emulator.state(model_id) for model_id in models}
        assert {} == stack.models
        assert sorted([*map(deploy, models), *map(undeploy, models)]) == sorted(changes(emulator))
