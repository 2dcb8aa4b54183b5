"""What only the native face can, and each trap on the way to it."""

import json
import signal
import subprocess
import sys

import grpc
import pytest
from google.protobuf import empty_pb2
from harness import KEY, needs_signals, until
from harness.host import DEFAULTS, EVER, FLEET, Host, done, inputs, plain, refused, status_of, struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi._version import VERSION
from nugen_pulumi.emulator import catalogue

POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


@pytest.fixture
def start(emulator):
    """Start a plugin of this test's own."""

    def started(**how):
        return Host({"nugen:apiKey": KEY, "nugen:baseUrl": emulator.url}, native=True, **how)

    return started


@pytest.fixture
def plugin(start):
    with start() as host:
        yield host


@pytest.fixture
def fleet(start):
    with start(provider=FLEET) as host:
        yield host


def imported(host, id_):
    """Return id, outputs and inputs of an import: of it the engine knows nothing but the id."""
    answer = host.stub.Read(pb.ReadRequest(id=id_, urn=host.urn))
    return answer.id, host.plain(answer.properties), host.plain(answer.inputs)


def test_a_model_is_imported_with_one_poll(plugin, emulator):
    emulator.script("m-1", "COMPLETED")
    id_, outputs, given = imported(plugin, "m-1")

    assert ("m-1", "COMPLETED", True) == (id_, outputs["status"], outputs["undeployed"])
    assert {"model_id": "m-1"} == given, "what a program has to write"
    assert [POLL] == emulator.requests
    assert (False, []) == plugin.diff(outputs, inputs())


def test_an_import_that_fails_says_why(plugin, emulator):
    """What does not exist is an answer without an id: the engine then says that."""
    emulator.script("m-1", 403)

    assert ("", {}, {}) == imported(plugin, "missing")
    assert "does not accept the API key" in status_of(refused(lambda: imported(plugin, "m-1"))).message
    assert "id must not contain" in status_of(refused(lambda: imported(plugin, "a/b"))).message


def test_a_fleet_is_imported_by_its_ids(fleet, emulator):
    for name in ("a", "b"):
        emulator.script(name, "COMPLETED")
    id_, outputs, given = imported(fleet, "a, b")

    assert id_.startswith("fleet-")
    assert ({"model_ids": ["a", "b"]}, True) == (given, outputs["undeployed"])
    assert (False, []) == fleet.diff(outputs, {**DEFAULTS, "model_ids": ["b", "a"]})
    assert ("", {}, {}) == (imported(fleet, "missing")[0], *[{}] * 2)
    assert "modelIds 'a' occurs more than once" in status_of(refused(lambda: imported(fleet, "a,a"))).message


def test_a_preview_sends_nothing_and_leaves_outputs_unknown(plugin, emulator):
    created = plugin.stub.Create(pb.CreateRequest(urn=plugin.urn, properties=plugin.props(inputs()), preview=True))
    pending = {**done(), "status": "PENDING", "undeployed": False}
    update = {"id": "m-1", "urn": plugin.urn, "news": plugin.props(inputs()), "preview": True}
    updated = plugin.stub.Update(pb.UpdateRequest(olds=plugin.props(pending), **update))
    settled = plugin.stub.Update(pb.UpdateRequest(olds=plugin.props(done()), **update))

    for answer in (created, updated):
        assert ("m-1", UNKNOWN) == (answer.properties["modelId"], answer.properties["endTime"])
    assert "COMPLETED" == settled.properties["status"], "nothing is left to find out"
    assert [] == emulator.requests


def test_what_is_not_known_yet_stays_so(plugin, fleet):
    """In a preview, where an id comes from another resource."""
    unknown = {**DEFAULTS, "model_id": UNKNOWN}
    many = {**DEFAULTS, "model_ids": ["a", UNKNOWN]}
    one = plugin.stub.Create(pb.CreateRequest(urn=plugin.urn, properties=plugin.props(unknown), preview=True))
    some = fleet.stub.Update(pb.UpdateRequest(id="f", urn=fleet.urn, news=fleet.props(many), preview=True))

    assert [] == plugin.check(unknown)[1]
    assert (UNKNOWN, UNKNOWN) == (one.properties["modelId"], one.properties["status"])
    assert ["a", UNKNOWN] == list(some.properties["modelIds"])


def test_settings_may_be_secret_and_unknown(emulator):
    """Configure gets secrets wrapped even though they are not asked for."""
    emulator.script("m-1", "COMPLETED")
    settings = {"nugen:apiKey": {**SECRET, "value": KEY}, "nugen:baseUrl": emulator.url}
    with Host(settings, native=True) as host:
        assert "COMPLETED" == host.create(inputs())[1]["status"]
    with Host({"nugen:apiKey": UNKNOWN}, native=True) as host:
        assert "There is no Nugen API key" in host.check(inputs())[1][0][1]


@pytest.mark.skipif("name" not in pb.ConfigureRequest.DESCRIPTOR.fields_by_name, reason="an SDK before 3.154")
@pytest.mark.parametrize(
    ("name", "called"),
    [("eu", "baseUrl of the Provider eu"), ("default_0_1_0", "nugen:baseUrl"), ("", "nugen:baseUrl")],
)
def test_settings_are_called_what_the_program_calls_them(plugin, name, called):
    """The engine's own provider has the stack's settings; engines before 3.154 name none."""
    args = struct({"apiKey": KEY, "baseUrl": "nowhere"})
    plugin.stub.Configure(pb.ConfigureRequest(args=args, name=name))
    [failure] = plugin.stub.Check(pb.CheckRequest(urn=plugin.urn, news=plugin.props(inputs()))).failures

    assert failure.reason.startswith(f"{called} is not an http(s) URL")


def test_state_of_the_dynamic_face_is_taken_over_without_a_request(plugin, fleet, emulator):
    """It is spelt as Python does, and holds a pickled provider; it is written anew."""
    olds = struct({**done(), "__provider": "gASV"})
    news = plugin.props(inputs())
    diff = plugin.stub.Diff(pb.DiffRequest(id="m-1", urn=plugin.urn, olds=olds, news=news))
    answer = plugin.stub.Update(pb.UpdateRequest(id="m-1", urn=plugin.urn, olds=olds, news=news))
    models = {"a": {"status": "COMPLETED", "undeployed": True, "start_time": "then"}}
    olds.update({"model_ids": ["a"], "models": models})
    many = fleet.stub.Update(
        pb.UpdateRequest(id="f", urn=fleet.urn, olds=olds, news=fleet.props({**DEFAULTS, "model_ids": ["a"]}))
    )

    assert (pb.DiffResponse.DIFF_SOME, []) == (diff.changes, list(diff.replaces))
    assert ("m-1", "2024-02-24T10:02:30Z") == (answer.properties["modelId"], answer.properties["endTime"])
    assert not {"__provider", "model_id"} & set(answer.properties)
    assert "then" == many.properties["models"]["a"]["startTime"]
    assert [] == emulator.requests


def test_assets_are_no_triggers(plugin):
    asset = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}
    news = struct({"modelId": "m-1", "triggers": [asset]})
    answer = plugin.stub.Check(pb.CheckRequest(urn=plugin.urn, news=news))

    assert ["triggers must not contain assets or archives: use a hash of their contents"] == [
        failure.reason for failure in answer.failures
    ]


def test_the_look_up_is_one_poll(plugin, emulator):
    emulator.script("m-1", catalogue.failed("GPU on fire."))
    args = struct({"modelId": "m-1"})
    answer = plugin.stub.Invoke(pb.InvokeRequest(tok="nugen:index:getUndeployStatus", args=args))
    refusal = plugin.stub.Invoke(pb.InvokeRequest(tok="nugen:index:getUndeployStatus"))
    found = getattr(answer, "return")

    assert ("m-1", "FAILED", "GPU on fire.") == (found["modelId"], found["status"], found["error"])
    assert [("modelId", "modelId must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r")] == [
        (failure.property, failure.reason) for failure in refusal.failures
    ]
    with pytest.raises(grpc.RpcError, match=r"There is no function nugen:index:getAll\."):
        plugin.stub.Invoke(pb.InvokeRequest(tok="nugen:index:getAll", args=args))
    assert [POLL] == emulator.requests


def test_the_models_of_the_account_are_data(plugin, emulator):
    emulator.add("on", state="DEPLOYED")
    emulator.add("off", state="UNDEPLOYED")

    def models(**args):
        answer = plugin.stub.Invoke(pb.InvokeRequest(tok="nugen:index:getModels", args=struct(args)))
        found = plain(getattr(answer, "return"))["models"]
        return [(model["modelId"], model["deployed"], model["baseModel"]) for model in found]

    on, off = ("on", True, "emulated-base-model"), ("off", False, "emulated-base-model")
    assert [[on, off], [on], [off]] == [models(), models(deployed=True), models(deployed=False)]


knows_list = pytest.mark.skipif(not hasattr(ResourceProviderServicer, "List"), reason="this SDK is too old for List")


def listed(plugin, kind, query=(), **request):
    """Return what a List answers, as it comes."""
    return list(plugin.stub.List(pb.ListRequest(token=f"nugen:index:{kind}", query=struct(query), **request)))


@knows_list
@pytest.mark.parametrize("kind", ["UndeployedModel", "DeployedModel"])
def test_the_models_that_can_be_imported_are_listed(plugin, emulator, kind):
    emulator.add("on", state="DEPLOYED")
    emulator.add("off", state="UNDEPLOYED")

    assert [("on", "on"), ("off", "off")] == [(one.result.id, one.result.name) for one in listed(plugin, kind)]
    assert ["off"] == [one.result.id for one in listed(plugin, kind, {"deployed": False})]
    assert ["on"] == [one.result.id for one in listed(plugin, kind, limit=1)]


@knows_list
def test_a_list_that_depends_on_what_is_not_known_yet_sends_nothing(plugin, emulator):
    [answer] = listed(plugin, "DeployedModel", {"deployed": UNKNOWN})

    assert "computed" == answer.WhichOneof("response")
    assert [] == emulator.requests


@knows_list
def test_a_list_that_fails_says_why(plugin, emulator):
    emulator.script_list(403)
    with pytest.raises(grpc.RpcError, match="does not accept the API key"):
        listed(plugin, "DeployedModel")
    with pytest.raises(grpc.RpcError, match="UndeployedModels cannot be listed"):
        listed(plugin, "UndeployedModels")


def test_it_says_who_it_is(plugin):
    assert VERSION == plugin.stub.GetPluginInfo(empty_pb2.Empty()).version
    assert "nugen" == json.loads(plugin.stub.GetSchema(pb.GetSchemaRequest()).schema)["name"]


@needs_signals
def test_a_process_that_is_interrupted_answers_what_is_under_way_first(plugin, emulator):
    emulator.add("m-1", **EVER)
    waiting = plugin.creating(inputs())
    until(lambda: len(emulator.requests) >= 2)
    plugin.process.send_signal(signal.SIGINT)
    error = refused(waiting.result)

    assert "PENDING" == plugin.kept(error)[1]["status"]
    assert "interrupted after" in status_of(error).message
    assert 0 == plugin.process.wait(timeout=30)


LOADS = [
    # All that is slow comes after the handlers of signals: the engine takes a plugin that ends by itself for a bug.
    ("__main__", ["grpc", "pulumi"]),
    # Nothing of what the dynamic host forces on us, and neither httpx nor pydantic before a request has to be sent.
    ("servicer", ["nugen_pulumi.engine.host", "nugen_pulumi.provider", "httpx", "pydantic"]),
]


@pytest.mark.parametrize(("module", "names"), LOADS)
def test_it_starts_light(module, names):
    loaded = (
        f"import sys, nugen_pulumi.plugin.{module}; print(*sorted(name for name in sys.modules if name in sys.argv))"
    )
    run = subprocess.run([sys.executable, "-c", loaded, *names], check=True, capture_output=True, text=True)

    assert "" == run.stdout.strip()
