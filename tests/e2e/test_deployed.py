"""A model in service through the whole life of a stack, with the real engine, in Python and in YAML."""

import json
import signal
import time

import pytest
from harness import KEY, until
from harness.stack import Stack

from nugen_pulumi.emulator import Emulator, State, faults

PYTHON = """
import pulumi
from nugen_pulumi import DeployedModel

model = DeployedModel("bot", {arguments})
pulumi.export("deployed", model.deployed)
pulumi.export("adopted", model.adopted)
"""
YAML = """
name: e2e
runtime: yaml
resources:
  bot:
    type: nugen:DeployedModel
    properties: {arguments}
outputs:
  deployed: ${{bot.deployed}}
  adopted: ${{bot.adopted}}
"""
CAMEL = {"model_id": "modelId", "timeout_seconds": "timeoutSeconds", "wait": "wait", "triggers": "triggers"}


def deploy(model_id):
    return ("POST", f"/api/v3/models/deploy-model/{model_id}")


def undeploy(model_id):
    return ("DELETE", f"/api/v3/models/undeploy-model/{model_id}")


def changes(emulator):
    """Return the requests that change something."""
    return [request for request in emulator.requests if request[0] != "GET"]


@pytest.fixture(params=["python", "yaml"])
def project(request, stack):
    """Return a stack and a function that writes its program, in both faces."""
    return made(stack, native=request.param == "yaml")


@pytest.fixture
def in_python(stack):
    """As `project`, where `tests/wire` holds both faces to the same."""
    return made(stack, native=False)


def made(stack, *, native):
    """Return a stack and a function that writes its program."""

    def write(**arguments):
        arguments = {"model_id": "bot-1", **arguments}
        if native:
            values = ", ".join(f"{CAMEL[name]}: {json.dumps(value)}" for name, value in arguments.items())
            return YAML.format(arguments=f"{{{values}}}")
        return PYTHON.format(arguments=", ".join(f"{name}={value!r}" for name, value in arguments.items()))

    running = stack(write())
    return running, lambda **arguments: running.program(write(**arguments))


def test_life_from_up_to_destroy(project, emulator):
    stack, _ = project
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


def test_a_swap_leaves_no_gap(project, emulator):
    """The new model is in service before the old one is taken out."""
    stack, program = project
    for model_id in ("bot-1", "bot-2"):
        emulator.add(model_id, state=State.UNDEPLOYED, deploy_seconds=0.5, undeploy_seconds=0.5)
    stack.up().ok()
    program(model_id="bot-2")
    stack.up().ok()

    assert [deploy("bot-1"), deploy("bot-2"), undeploy("bot-1")] == changes(emulator)
    between = emulator.requests[emulator.requests.index(deploy("bot-2")) : emulator.requests.index(undeploy("bot-1"))]
    assert ("GET", "/api/v3/models/deploy-model/bot-2/status") in between
    assert (State.DEPLOYED, State.UNDEPLOYED) == (emulator.state("bot-2"), emulator.state("bot-1"))


def test_changed_triggers_deploy_the_same_model_again(project, emulator):
    """Out of service first: a model cannot be deployed beside itself."""
    stack, program = project
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.3, undeploy_seconds=0.3)
    stack.up().ok()
    program(triggers=["again"])
    stack.up().ok()

    assert [deploy("bot-1"), undeploy("bot-1"), deploy("bot-1")] == changes(emulator)
    assert State.DEPLOYED is emulator.state("bot-1")
    assert {"deployed": True, "adopted": False} == stack.outputs


@pytest.mark.parametrize(
    ("before", "after", "arguments"),
    [
        ({"old-name": "bot-1"}, {"new-name": "bot-1"}, ()),
        ({"a": "bot-1", "b": "bot-2"}, {"a": "bot-2", "b": "bot-1"}, ()),
        (
            {"a": "bot-1"},
            {"a": "bot-1"},
            ("--replace", "urn:pulumi:dev::test::pulumi-python:dynamic/nugen:DeployedModel::a"),
        ),
    ],
    ids=["renamed", "exchanged", "replaced by command"],
)
def test_what_the_program_still_wants_in_service_stays_there(stack, emulator, before, after, arguments):
    """The engine creates first, and deletes what it replaces at the end: that must not undo the create."""

    def program(models):
        given = "\n".join(f"DeployedModel({name!r}, model_id={model!r})" for name, model in models.items())
        return f"from nugen_pulumi import DeployedModel\n{given}\n"

    for model_id in before.values():
        emulator.add(model_id, state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2)
    running = stack(program(before))
    running.up().ok()
    running.program(program(after))
    said = running.up(*arguments).ok().output

    assert {State.DEPLOYED} == {emulator.state(model_id) for model_id in before.values()}
    assert "DELETE" not in [method for method, _ in changes(emulator)]
    assert f"Model bot-1 stays in service, because {[*after][-1]} of this program wants it there." in said
    running.up("--expect-no-changes").ok()


def test_a_swap_that_fails_leaves_the_old_model_in_service_whatever_is_continued(in_python, emulator):
    stack, program = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2)
    emulator.add("bot-2", state=State.UNDEPLOYED, deploy_seconds=0.2, deploy_fails=True)
    stack.up().ok()
    program(model_id="bot-2")
    failure = stack.up("--continue-on-error")

    assert failure.code
    assert "Model bot-1 stays in service, because bot, which was to follow it, failed." in failure.output
    assert State.DEPLOYED is emulator.state("bot-1")

    emulator.add("bot-2", state=State.UNDEPLOYED, deploy_seconds=0.2)
    stack.up().ok()
    assert (State.UNDEPLOYED, State.DEPLOYED) == (emulator.state("bot-1"), emulator.state("bot-2"))


def test_a_swap_that_is_reverted_before_its_end_leaves_the_model_in_service(in_python, emulator):
    stack, program = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2, fails=True)
    emulator.add("bot-2", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2)
    stack.up().ok()
    program(model_id="bot-2")
    assert "Model bot-1 was not undeployed" in stack.up().output

    emulator.add("bot-1", state=State.DEPLOYED, undeploy_seconds=0.2)
    program(model_id="bot-1")
    stack.up().ok()
    assert (State.DEPLOYED, State.UNDEPLOYED) == (emulator.state("bot-1"), emulator.state("bot-2"))
    stack.up("--expect-no-changes").ok()


def test_a_model_that_was_in_service_is_adopted_and_left_there(project, emulator):
    stack, _ = project
    emulator.add("bot-1", state=State.DEPLOYED)
    warned = stack.up().ok().output

    assert "was in service, or on its way, before this resource" in warned
    assert stack.outputs["adopted"] is True

    asked = len(emulator.requests)
    assert "stays in service" in stack.destroy().ok().output
    assert asked == len(emulator.requests)
    assert State.DEPLOYED is emulator.state("bot-1")


def test_drift_is_told_and_repaired(in_python, emulator):
    stack, _ = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2)
    stack.up().ok()
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2)

    assert "Model bot-1 is not in service" in stack.refresh().ok().output
    assert stack.models["bot"]["outputs"]["deployed"] is False
    assert "will deploy, which uses credits" in stack.preview().ok().output

    stack.up().ok()
    assert stack.outputs["deployed"] is True
    assert [deploy("bot-1")] * 2 == changes(emulator)


def test_a_deployment_that_fails_is_kept_and_requested_again(in_python, emulator):
    stack, _ = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, deploy_fails=True)
    failure = stack.up()

    assert failure.code
    assert "Model bot-1 was not deployed" in failure.output
    assert "FAILED" == stack.models["bot"]["outputs"]["status"]

    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2)
    stack.up().ok()
    assert stack.outputs["deployed"] is True

    stack.destroy().ok()
    assert [deploy("bot-1"), deploy("bot-1"), undeploy("bot-1")] == changes(emulator)


def test_a_destroy_after_a_failed_deployment_ends_well(in_python, emulator):
    stack, _ = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, deploy_fails=True)
    assert stack.up().code

    stack.destroy().ok()
    assert {} == stack.models


def test_ctrl_c_while_deploying_and_while_destroying_forgets_nothing(project, emulator):
    stack, _ = project
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=6.0, undeploy_seconds=6.0)
    for command in ("up", "destroy"):
        process = stack.start(command, "--yes", "--skip-preview")
        until(lambda command=command: changes(emulator)[-1:] == [(deploy if command == "up" else undeploy)("bot-1")])
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

        assert process.returncode
        assert "interrupted" in output
        assert "bot" in stack.models
        if command == "up":
            stack.up().ok()
            assert stack.outputs == {"deployed": True, "adopted": False}
    stack.destroy().ok()

    assert {} == stack.models
    assert State.UNDEPLOYED is emulator.state("bot-1")
    assert 1 == changes(emulator).count(deploy("bot-1"))


def test_ctrl_c_while_the_post_is_under_way_forgets_nothing(project, emulator):
    """The API carries it out, and nobody would know."""
    stack, _ = project
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.5, undeploy_seconds=0.2)
    emulator.script_deploy("bot-1", faults.hang(carried_out=True))
    process = stack.start("up", "--yes", "--skip-preview")
    until(lambda: changes(emulator) == [deploy("bot-1")])
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode
    assert "The API may have carried out the POST. The next `pulumi up` continues to wait." in output
    assert "PENDING" == stack.models["bot"]["outputs"]["status"]

    stack.up().ok()
    assert {"deployed": True, "adopted": False} == stack.outputs
    stack.destroy().ok()
    assert [deploy("bot-1"), undeploy("bot-1")] == changes(emulator)


@pytest.mark.parametrize("gone", [True, False])
def test_a_destroy_of_what_somebody_took_out_of_service(in_python, emulator, gone):
    stack, _ = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2)
    stack.up().ok()
    emulator.add("bot-1", state=State.UNDEPLOYED)
    emulator.script_undeploy("bot-1", *[404] * gone)

    stack.destroy().ok()
    assert {} == stack.models


def test_a_destroy_that_does_not_take_the_model_out_keeps_the_resource(project, emulator):
    stack, _ = project
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=0.2, fails=True)
    stack.up().ok()
    failure = stack.destroy()

    assert failure.code
    assert "Model bot-1 was not undeployed" in failure.output
    assert "the next `pulumi destroy` (`pulumi up` after a replacement) requests the undeployment" in failure.output
    assert "bot" in stack.models

    emulator.add("bot-1", state=State.DEPLOYED, undeploy_seconds=0.2)
    stack.destroy().ok()
    assert {} == stack.models


def test_a_destroy_that_times_out_says_what_goes_on(in_python, emulator):
    stack, program = in_python
    emulator.add("bot-1", state=State.UNDEPLOYED, deploy_seconds=0.2, undeploy_seconds=30.0)
    program(timeout_seconds=2)
    stack.up().ok()
    failure = stack.destroy()

    assert failure.code
    assert "Model bot-1 is not undeployed after 2s" in failure.output
    assert "The resource stays in state, and the next `pulumi destroy` (`pulumi up` after" in failure.output
    assert "bot" in stack.models


MANY = """
from nugen_pulumi import DeployedModel

for n in range({count}):
    DeployedModel(f"m-{{n}}", model_id=f"m-{{n}}")
"""


@pytest.mark.parametrize("rate", [None, 20.0])
def test_many_at_once_lose_nobody_and_carry_out_each_request_once(tmp_path, rate):
    """Behind a limit that is too small for them, too."""
    with Emulator(api_key=KEY, rate=rate, burst=5, deploy_seconds=1.0, undeploy_seconds=1.0) as emulator:
        for number in range(60):
            emulator.add(f"m-{number}", state=State.UNDEPLOYED)
        stack = Stack(tmp_path, MANY.format(count=60), {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url})
        stack.up("-p", "64").ok()
        assert {State.DEPLOYED} == {emulator.state(f"m-{number}") for number in range(60)}

        stack.destroy("-p", "64").ok()
        assert {State.UNDEPLOYED} == {emulator.state(f"m-{number}") for number in range(60)}
        assert {} == stack.models
        assert sorted(f"{method} m-{n}" for method in ("DELETE", "POST") for n in range(60)) == sorted(
            f"{method} {path.rsplit('/', 1)[1]}" for method, path in changes(emulator)
        )
