"""What the constructor hands to Pulumi."""

import asyncio

import pulumi
import pytest
from pulumi.runtime import rpc

from nugen_pulumi import DeployedModel, InputError, Provider, UndeployedModel, UndeployedModels
from nugen_pulumi.operations import inputs, outputs

OF_SINGLE = [name for name in inputs.NAMES if name != "model_ids"]


class Mocks(pulumi.runtime.Mocks):
    """Remembers what is registered; answers a model that is undeployed."""

    def __init__(self):
        self.registered = []
        self.result = {"message": "Model successfully undeployed"}

    def new_resource(self, args):
        self.registered.append(args)
        learnt = {"status": "COMPLETED", "undeployed": True, "result": self.result}
        return args.resource_id or "m-1", {**args.inputs, **learnt}

    def call(self, args):
        raise NotImplementedError(args)


@pytest.fixture(scope="module")
def loop():
    """One event loop for all programs here, because the SDK's state outlives each of them."""
    made, new = [], asyncio.new_event_loop
    with pytest.MonkeyPatch.context() as patch:
        # The SDK's mocks leave a loop open in each thread that they use.
        patch.setattr(asyncio, "new_event_loop", lambda: made.append(new()) or made[-1])
        yield asyncio.new_event_loop()
    asyncio.set_event_loop(None)
    for loop in made:
        loop.close()


@pytest.fixture
def mocks(request, loop):
    """Mocks in place of the engine; a parameter True makes it a preview."""
    asyncio.set_event_loop(loop)
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, preview=getattr(request, "param", False))
    return mocks


def registered(mocks, make):
    """Return what *make* registers, without the pickled provider."""

    @pulumi.runtime.test
    def program():
        resource = make()
        return pulumi.Output.all(resource.status, resource.model_id).apply(lambda seen: seen)

    program()
    [args] = mocks.registered
    return args, {name: value for name, value in args.inputs.items() if name != "__provider"}


@pytest.mark.parametrize(("kind", "undeploy"), [(UndeployedModel, False), (DeployedModel, "absent")])
def test_a_model_is_read_with_its_id_and_no_input_that_requests(mocks, kind, undeploy):
    args, props = registered(mocks, lambda: kind.get("model", "m-3", timeout_seconds=9))

    assert "m-3" == args.resource_id
    assert ("m-3", 9, True) == (props["model_id"], props["timeout_seconds"], props["wait"])
    assert undeploy == props.get("undeploy", "absent")


def test_the_type_token_is_for_ever(mocks):
    args, _ = registered(mocks, lambda: UndeployedModel("model", model_id="m-1"))

    assert ("pulumi-python:dynamic/nugen:UndeployedModel", "model") == (args.typ, args.name)


def test_the_constructors_defaults_are_those_of_check(mocks):
    _, props = registered(mocks, lambda: UndeployedModel("model", model_id="m-1"))

    assert {"model_id": "m-1", **inputs.DEFAULTS} == {name: value for name, value in props.items() if value is not None}
    assert {*OF_SINGLE, *outputs.OF_MODEL} >= set(props)


def test_every_input_arrives(mocks):
    given = {
        "model_id": "m-2",
        "undeploy": True,
        "wait": False,
        "timeout_seconds": 7,
        "poll_interval_seconds": 1,
        "on_failure": "record",
        "triggers": ["x"],
    }
    _, props = registered(mocks, lambda: UndeployedModel("model", **given))

    assert set(OF_SINGLE) == set(given)
    assert given.items() <= props.items()


@pytest.mark.parametrize("mocks", [True], indirect=True)
def test_get_does_not_wait_in_a_preview(mocks):
    _, props = registered(mocks, lambda: UndeployedModel.get("model", "m-3"))

    assert (True, True) == (props["wait"], props[inputs.READ_IN_PREVIEW])


@pytest.mark.parametrize("mocks", [True], indirect=True)
def test_a_resource_that_is_managed_is_not_told_of_previews(mocks):
    """What is registered is compared with state."""
    _, props = registered(mocks, lambda: UndeployedModel("model", model_id="m-3"))

    assert inputs.READ_IN_PREVIEW not in props


@pytest.mark.parametrize("result", [{"message": "done"}, ["done"], "done", 1.5, True, None])
def test_any_result_reaches_the_program_as_it_is(mocks, result):
    """The SDK compares outputs with their annotations, and ends a program over some that differ."""
    mocks.result = result
    seen = []

    @pulumi.runtime.test
    def program():
        return UndeployedModel("model", model_id="m-1").result.apply(seen.append)

    program()

    assert [result] == seen


def test_every_output_is_an_attribute(mocks):
    """Pulumi gives a dynamic resource only the attributes declared from the start."""

    @pulumi.runtime.test
    def program():
        model = UndeployedModel("model", model_id="m-1")
        for name in (*OF_SINGLE, *outputs.OF_MODEL):
            assert isinstance(getattr(model, name), pulumi.Output), name
        return model.status

    program()


def test_an_explicit_provider_hands_over_texts_and_a_secret_key(mocks):
    """The host takes a provider's properties for its config."""

    @pulumi.runtime.test
    def program():
        account = Provider("eu", api_key="k", base_url="https://eu.test", max_concurrent_requests=4)
        return account.urn

    program()
    [args] = [args for args in mocks.registered if args.typ.startswith("pulumi:providers:")]

    assert "pulumi:providers:pulumi-python" == args.typ
    key = args.inputs.pop("nugen:apiKey")
    assert (rpc._special_secret_sig, "k") == (key[rpc._special_sig_key], key["value"])
    assert {
        "nugen:baseUrl": "https://eu.test",
        "nugen:maxConcurrentRequests": "4",
        "nugen:provider": "eu",
    } == args.inputs


def test_a_fleet_hands_over_its_ids(mocks):
    @pulumi.runtime.test
    def program():
        fleet = UndeployedModels("fleet", model_ids=["a", "b"], undeploy=True)
        for name in (*OF_SINGLE[1:], "model_ids", *outputs.OF_FLEET):
            assert isinstance(getattr(fleet, name), pulumi.Output), name
        return fleet.undeployed

    program()
    [args] = mocks.registered

    assert "pulumi-python:dynamic/nugen:UndeployedModels" == args.typ
    assert (["a", "b"], True) == (args.inputs["model_ids"], args.inputs["undeploy"])


@pytest.mark.parametrize(
    ("given", "says"), [({"id": 7}, "must be a string, not 7"), ({"id": "m", "wait": "yes"}, "wait must be")]
)
def test_get_refuses_what_the_sdk_would_break_over(given, says):
    with pytest.raises(InputError, match=says):
        UndeployedModel.get("m", **given)
