"""What the real provider process, of either face, answers about a model in service."""

import grpc
import pytest
from harness.host import DEPLOYED
from pulumi.runtime.proto.provider_pb2 import DiffRequest

from nugen_pulumi.emulator import State

POST = ("POST", "/api/v3/models/deploy-model/m-1")
DELETE = ("DELETE", "/api/v3/models/undeploy-model/m-1")
GIVEN = {"model_id": "m-1", "wait": True, "poll_interval_seconds": 5.0}
IN_SERVICE = {**GIVEN, "status": "COMPLETED", "deployed": True, "adopted": False}


@pytest.fixture(scope="module")
def host_of_module(start_in_session):
    """For tests that delete nothing."""
    with start_in_session(provider=DEPLOYED) as host:
        yield host


@pytest.fixture
def host(emulator, host_of_module):
    return host_of_module


@pytest.fixture
def own_host(start):
    """For tests that delete: a process remembers what it holds in service."""
    with start(provider=DEPLOYED) as host:
        yield host


def changes(emulator):
    return [request for request in emulator.requests if request[0] != "GET"]


def test_a_create_deploys_and_a_delete_undeploys(start, emulator):
    emulator.add("m-1", state="UNDEPLOYED", deploy_seconds=0.1, undeploy_seconds=0.1)
    with start(provider=DEPLOYED) as host:
        id_, state = host.create(GIVEN)

    assert "m-1" == id_
    assert IN_SERVICE.items() <= state.items()

    with start(provider=DEPLOYED) as host:
        host.delete(state)
    assert State.UNDEPLOYED is emulator.state("m-1")
    assert [POST, DELETE] == changes(emulator)


def test_a_delete_leaves_in_service_what_the_same_process_created(own_host, emulator):
    """The engine deletes what it replaces at the end, also where both are about the same model."""
    emulator.add("m-1", state="UNDEPLOYED", deploy_seconds=0.1)
    own_host.create(GIVEN)
    own_host.delete(IN_SERVICE)

    assert [POST] == changes(emulator)


@pytest.mark.parametrize(("changed", "first"), [({"model_id": "m-2"}, False), ({"triggers": ["x"]}, True), ({}, True)])
def test_the_same_model_is_taken_out_of_service_before_it_is_deployed_again(host, changed, first):
    """Whatever makes the engine replace it: `replace_on_changes` may."""
    olds, news = host.props(IN_SERVICE), host.props({**GIVEN, **changed})
    answer = host.stub.Diff(DiffRequest(id="m-1", urn=host.urn, olds=olds, news=news))

    assert first == answer.deleteBeforeReplace


def test_a_delete_after_a_diff_of_the_same_resource_undeploys(own_host, emulator):
    """As where `replace_on_changes` names what changed."""
    emulator.add("m-1", state="DEPLOYED", undeploy_seconds=0.1)
    own_host.diff(IN_SERVICE, {**GIVEN, "timeout_seconds": 9.0})
    own_host.delete(IN_SERVICE)

    assert [DELETE] == changes(emulator)


def test_check_fills_in_only_the_inputs_that_there_are(host):
    assert (GIVEN, []) == host.check({"model_id": "m-1"})


def test_a_deployment_that_fails_stays_with_what_is_known(host, emulator):
    emulator.add("m-1", state="UNDEPLOYED", deploy_seconds=0, deploy_fails="no GPU")
    with pytest.raises(grpc.RpcError) as caught:
        host.create(GIVEN)
    id_, state, _, reasons = host.kept(caught.value)

    assert ("m-1", "FAILED", False, "no GPU") == (id_, state["status"], state["adopted"], state["error"])
    assert ["Model m-1 was not deployed: no GPU. The next `pulumi up` requests the deployment again."] == reasons
    assert (True, []) == host.diff(state, GIVEN)

    emulator.add("m-1", state="READY", deploy_seconds=0)
    assert host.update(state, GIVEN)["deployed"]


@pytest.mark.parametrize("gone", ["UNDEPLOYED", "missing"])
def test_a_delete_of_what_is_out_of_service_ends_well(own_host, emulator, gone):
    if gone == "missing":
        emulator.script("m-1", 404)
        emulator.script_undeploy("m-1", 404)
    else:
        emulator.add("m-1", state=gone)
    own_host.delete(IN_SERVICE)

    assert [DELETE] == changes(emulator)


@pytest.mark.parametrize(
    ("traits", "says"),
    [
        ({"fails": "GPU on fire"}, "Model m-1 was not undeployed: GPU on fire. The resource stays in state"),
        ({"undeploy_seconds": 9e9}, "Model m-1 is not undeployed after 1s: its last status"),
    ],
)
def test_a_delete_that_does_not_end_well_is_an_error(own_host, emulator, traits, says):
    emulator.add("m-1", state="DEPLOYED", **{"undeploy_seconds": 0, **traits})
    with pytest.raises(grpc.RpcError) as caught:
        own_host.delete({**IN_SERVICE, "timeout_seconds": 1.0})

    assert says in str(caught.value)
