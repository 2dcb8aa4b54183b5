"""The real provider process, spoken to over gRPC as the engine does, without an engine."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from harness import INTERRUPT
from nugen_pulumi.plugin import wire
from nugen_pulumi.provider import DeployedModelProvider, UndeployedModelProvider, UndeployedModelsProvider

PROVIDER = serialize_provider(UndeployedModelProvider())
FLEET = serialize_provider(UndeployedModelsProvider())
DEPLOYED = serialize_provider(DeployedModelProvider())
KINDS = {PROVIDER: "UndeployedModel", FLEET: "UndeployedModels", DEPLOYED: "DeployedModel"}

# The engine's own: gRPC for Go reads 16 MiB of headers, and Pulumi allows messages of 400 MiB (rpcutil).
LIMITS = (
    ("grpc.max_metadata_size", 16 * 2**20),
    ("grpc.absolute_max_metadata_size", 16 * 2**20),
    ("grpc.max_receive_message_length", 400 * 2**20),
    ("grpc.max_send_message_length", 400 * 2**20),
)

# The traits of an emulated model whose undeployment never ends.
EVER = {"undeploy_seconds": float("inf"), "state": "UNDEPLOYING"}


DEFAULTS = {"undeploy": False, "wait": True, "poll_interval_seconds": 5.0, "on_failure": "error"}


def inputs(**given):
    """Return the inputs of a model as check leaves them."""
    return {"model_id": "m-1", **DEFAULTS, **given}


def done(**given):
    """Return the state of a model that is undeployed."""
    return {
        **inputs(**given),
        "status": "COMPLETED",
        "undeployed": True,
        "result": {"message": "Model successfully undeployed"},
        "start_time": "2024-02-24T10:00:00Z",
        "end_time": "2024-02-24T10:02:30Z",
    }


def struct(props):
    """Serialize as the SDK does, so that unknowns, secrets and numbers look as they do on the real wire."""
    return asyncio.run(rpc.serialize_properties(dict(props), {})) if props is not None else None


def plain(message):
    """Deserialize an answer, without the key that the host adds to each."""
    props = rpc.deserialize_properties(message, keep_unknowns=True)
    props.pop("__provider", None)
    return props


class Host:
    """
    One provider process, of either face. A context manager that ends the process it started.

    The dynamic face is Pulumi's own host, which is sent the pickled *provider* with each call; the native one is
    `pulumi-resource-nugen`, to which the same properties are spelt as other languages do. Tests spell them as Python.
    """

    def __init__(self, config=None, *, engine="127.0.0.1:1", provider=PROVIDER, env=None, native=False):
        self._config = config or {}
        self._engine = engine
        self.provider = provider
        self.native = native
        self._env = env or {}
        self.urn = f"urn:pulumi:dev::test::nugen:index:{KINDS[provider]}::m" if native else "urn:m"

    def __enter__(self):
        module = "nugen_pulumi.plugin" if self.native else "pulumi.dynamic"
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", module, self._engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **self._env},
            cwd=tempfile.gettempdir(),  # `-m` imports from where it starts, and it is the installed package that counts
        )
        port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", LIMITS)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        args = struct_pb2.Struct()
        args.update({name.removeprefix("nugen:") if self.native else name: v for name, v in self._config.items()})
        self.stub.Configure(pb.ConfigureRequest(args=args))
        return self

    def __exit__(self, *_):
        # As the engine does, and before the standard input ends: that would be an engine that was killed.
        self.process.send_signal(INTERRUPT)
        self.channel.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            # How a process ends that is no longer wanted is no test's claim.
            self.process.kill()
        self.process.communicate()

    def props(self, props):
        """Return the wire's form of *props*, for the dynamic face with the provider that every call carries."""
        return struct(named(props, wire.camel)) if self.native else struct({**props, "__provider": self.provider})

    def plain(self, message):
        """Return the properties of an answer."""
        return named(plain(message), snake) if self.native else plain(message)

    def kept(self, error):
        """Return id, outputs, provider and reasons of the resource that is to stay in state."""
        id_, outputs, provider, reasons = kept(error)
        if self.native:
            assert provider is None
            return id_, named(outputs, snake), self.provider, reasons
        return id_, outputs, provider, reasons

    def check(self, news, olds=None):
        """Return the inputs and the failures as (property, reason) pairs."""
        olds = self.props(olds) if olds is not None else None
        answer = self.stub.Check(pb.CheckRequest(urn=self.urn, olds=olds, news=self.props(news)))
        failures = [(f.property, f.reason) for f in answer.failures]
        if self.native:
            failures = [(snake(name), spelt(reason)) for name, reason in failures]
        return self.plain(answer.inputs), failures

    def diff(self, olds, news):
        """Return whether there are changes, and what replaces."""
        answer = self.stub.Diff(pb.DiffRequest(id="m", urn=self.urn, olds=self.props(olds), news=self.props(news)))
        return answer.changes != pb.DiffResponse.DIFF_NONE, [snake(name) for name in answer.replaces]

    def create(self, props, **request):
        """Return id and outputs; inputs get the defaults that check fills in."""
        return self.creating(props, **request).result()

    def creating(self, props, **request):
        """Begin a create; a future of (id, outputs)."""
        call = self.stub.Create.future(pb.CreateRequest(urn=self.urn, properties=self.props(props), **request))
        return Answer(call, lambda answer: (answer.id, self.plain(answer.properties)))

    def update(self, olds, news, **request):
        """Return the outputs."""
        call = self.stub.Update.future(
            pb.UpdateRequest(
                id=olds.get("model_id", "m"), urn=self.urn, olds=self.props(olds), news=self.props(news), **request
            )
        )
        return Answer(call, lambda answer: self.plain(answer.properties)).result()

    def refresh(self, props):
        """Return id and outputs of a read of what is in state."""
        answer = self.stub.Read(
            pb.ReadRequest(id=props.get("model_id", "m"), urn=self.urn, properties=self.props(props))
        )
        return answer.id, self.plain(answer.properties)

    def get(self, id_, props):
        """Return id and outputs of a read that a program's `.get()` makes: the engine has inputs only, and says so."""
        inputs = self.props(props)
        answer = self.stub.Read(pb.ReadRequest(id=id_, urn=self.urn, inputs=inputs, properties=inputs))
        return answer.id, self.plain(answer.properties)

    def delete(self, props):
        """Delete."""
        self.stub.Delete(pb.DeleteRequest(id=props.get("model_id", "m"), urn=self.urn, properties=self.props(props)))


def snake(name):
    """Return `timeout_seconds` for `timeoutSeconds`."""
    return re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", name)


def spelt(message):
    """Return a message of the native face with the names of inputs as Python spells them."""
    return re.sub(r"(?<![.\w])[a-z]+(?:[A-Z][a-z]+)+\b", lambda match: snake(match[0]), message)


def named(props, name):
    """Spell the names of properties anew, those of a fleet's models among them."""
    spelt = {name(key): value for key, value in props.items()}
    if isinstance(models := spelt.get("models"), dict):
        spelt["models"] = {id_: {name(key): value for key, value in model.items()} for id_, model in models.items()}
    return spelt


class Answer:
    """A call under way."""

    def __init__(self, call, read):
        self.call = call
        self._read = read

    def result(self, timeout=60):
        """Wait for the answer; raises grpc.RpcError as the host answered it."""
        return self._read(self.call.result(timeout=timeout))


def status_of(error):
    """Return the details that the engine believes rather than the text of the error."""
    [details] = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]
    return status_pb2.Status.FromString(details)


def kept(error):
    """Return id, outputs, provider and reasons of the resource that is to stay in state."""
    [detail] = status_of(error).details
    failed = pb.ErrorResourceInitFailed()
    assert detail.Unpack(failed)
    provider = failed.properties["__provider"] if "__provider" in failed.properties else None  # noqa: SIM401 - a Struct has no get
    return failed.id, plain(failed.properties), provider, list(failed.reasons)


def refused(call):
    """Return the error that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value
