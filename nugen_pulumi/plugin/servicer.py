"""
The plugin's gRPC service for programs in any language. Translates between Pulumi's provider protocol and the
operations.

Source: ``proto/pulumi/provider.proto``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.output import Unknown
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from nugen_pulumi._version import VERSION
from nugen_pulumi.api.directions import UNDEPLOY
from nugen_pulumi.engine.call import Call
from nugen_pulumi.engine.cancellation import cancellation
from nugen_pulumi.errors import NugenError
from nugen_pulumi.operations import inputs, outputs
from nugen_pulumi.operations.check import check_resource
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.model import ModelOperations
from nugen_pulumi.plugin import wire

if TYPE_CHECKING:
    from nugen_pulumi.waiting.runtime import Runtime

# What other languages see. Read by people, and by tools such as `pulumi package gen-sdk`.
SCHEMA = Path(__file__).with_name("schema.json")

T = TypeVar("T")

_OPERATIONS: dict[str, Any] = {  # the properties come as plain dicts
    "nugen:index:UndeployedModel": ModelOperations(),
    "nugen:index:UndeployedModels": FleetOperations(),
    "nugen:index:DeployedModel": DeployedOperations(),
}


class _InPreviewError(Exception):
    """The operation needs a request, but previews send no requests."""


class _Preview(Call):
    """A call of a preview."""

    def runtime(self) -> Runtime:
        raise _InPreviewError


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine. One for each process."""

    def __init__(self) -> None:
        self._config: dict[str, Any] = {}

    # The names of the methods are the protocol's.
    # ruff: noqa: N802

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Return what other languages see."""
        return provider_pb2.GetSchemaResponse(schema=SCHEMA.read_text(encoding="utf-8"))

    def Configure(self, request: Any, _context: grpc.ServicerContext) -> Any:
        """Keep the settings; whether they are valid is asked in Check, and when they are needed."""
        self._config = wire.read(request.args)
        # Known since 3.154 of engine and SDK. "default", with or without a version, is the one with the stack config.
        if (name := getattr(request, "name", "")) and not name.startswith("default"):
            self._config["provider"] = name  # for messages about these settings
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, _context: grpc.ServicerContext) -> Any:
        """Refuse bad inputs and settings with a message each, fill in defaults. Sends nothing."""
        operations, news = _operations(request.urn), wire.read(request.news)
        creating = not request.olds.fields
        checked, wrong = check_resource(Call(request.urn), operations, news, self._find, creating=creating)
        return provider_pb2.CheckResponse(
            inputs=wire.written(checked, secret=wire.secret_names(request.news)),
            failures=[provider_pb2.CheckFailure(reason=wire.spelt(reason)) for reason in wrong],
        )

    def Diff(self, request: Any, _context: grpc.ServicerContext) -> Any:
        """Compare what state holds with what the program says."""
        call = Call(request.urn)
        difference = _operations(request.urn).diff(call, wire.read(request.olds), wire.read(request.news))
        if difference.update_reason is not None:
            call.report(difference.update_reason)
        changes = provider_pb2.DiffResponse.DIFF_NONE
        # State of the dynamic face is written anew, and so is what became a secret. Neither sends a request.
        rewritten = wire.PICKLED in request.olds.fields or wire.holds_in_clear(request.olds, request.news)
        if difference.replaces or difference.update_reason or rewritten:
            changes = provider_pb2.DiffResponse.DIFF_SOME
        elif difference.inputs_changed:
            # The engine compares the inputs itself, and so knows which ones `replaceOnChanges` names.
            changes = provider_pb2.DiffResponse.DIFF_UNKNOWN
        return provider_pb2.DiffResponse(
            changes=changes,
            replaces=[wire.camel(name) for name in difference.replaces],
            deleteBeforeReplace=difference.delete_first,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Request what the resource asks for, and find out how it ends."""
        operations, news = _operations(request.urn), wire.read(request.properties)
        secret = wire.secret_names(request.properties)

        def create(call: Call) -> Any:
            id_, state = operations.create(call, news)
            return provider_pb2.CreateResponse(id=id_, properties=wire.written(state, secret=secret))

        previewed = provider_pb2.CreateResponse(properties=_previewed(operations, news, secret))
        return previewed if _holds_unknown(news) else self._answer(request, context, create, secret, previewed)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Continue the last operation; without any request if there is nothing left to find out."""
        operations, news = _operations(request.urn), wire.read(request.news)
        secret = wire.secret_names(request.news)

        def update(call: Call) -> Any:
            state = operations.update(call, request.id, wire.read(request.olds), news)
            return provider_pb2.UpdateResponse(properties=wire.written(state, secret=secret))

        previewed = provider_pb2.UpdateResponse(properties=_previewed(operations, news, secret))
        return previewed if _holds_unknown(news) else self._answer(request, context, update, secret, previewed)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Poll once: for a refresh, an import, or a program's ``get``."""
        operations, known = _operations(request.urn), wire.read(request.properties)
        secret = wire.secret_names(request.properties) | wire.secret_names(request.inputs)
        found = "status" in known or "models" in known

        def read(call: Call) -> Any:
            if found:
                id_, state = request.id, operations.refresh(call, request.id, known)
            else:
                id_, state = operations.import_(call, request.id)
            if state is None:
                return provider_pb2.ReadResponse()  # it is gone, or was never there
            given = {operations.id_name: state[operations.id_name], **wire.read(request.inputs)}
            return provider_pb2.ReadResponse(
                id=id_, properties=wire.written(state, secret=secret), inputs=wire.written(given, secret=secret)
            )

        return self._answer(request, context, read)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take a deployed model out of service; of the others nothing is sent: they are only removed from state."""
        operations = _operations(request.urn)
        if not hasattr(operations, "delete"):
            return empty_pb2.Empty()

        def delete(call: Call) -> Any:
            operations.delete(call, request.id, wire.read(request.properties))
            return empty_pb2.Empty()

        return self._answer(request, context, delete)

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer ``getUndeployStatus``, one poll, or ``getModels``."""
        if request.tok == "nugen:index:getModels":
            return self._answer(request, context, lambda call: _models(call, wire.read(request.args)))
        if request.tok != "nugen:index:getUndeployStatus":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"There is no function {request.tok}.")
        model_id = wire.read(request.args).get("model_id")
        if (problem := inputs.model_id_problem(model_id)) is not None:
            failure = provider_pb2.CheckFailure(property="modelId", reason=f"modelId {problem}")
            return provider_pb2.InvokeResponse(failures=[failure])

        def invoke(call: Call) -> Any:
            status = call.runtime().follow(str(model_id), once=True, reporter=call).status()
            return _invoked({"model_id": model_id, **status.outputs(UNDEPLOY.flag)})

        return self._answer(request, context, invoke)

    def List(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Stream the models that can be imported, by id and name: for ``pulumi do``. Of a fleet there is no list."""
        if getattr(_OPERATIONS.get(request.token), "id_name", "") != "model_id":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.token} cannot be listed.")
        query = wire.read(request.query)
        if _holds_unknown(query):
            yield provider_pb2.ListResponse(computed=provider_pb2.ListResponse.Computed())
            return
        found = self._answer(request, context, lambda call: call.runtime().models(deployed=query.get("deployed")))
        for model in (found or [])[: request.limit or None]:
            one = provider_pb2.ListResponse.Result(id=model["model_id"], name=model["name"] or "")
            yield provider_pb2.ListResponse(result=one)

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """End all waits within a moment."""
        cancellation.announce()
        return empty_pb2.Empty()

    def _answer(
        self,
        request: Any,
        context: grpc.ServicerContext,
        work: Callable[[Call], T],
        secret: Collection[str] = frozenset(),
        previewed: T | None = None,
    ) -> T | None:
        """
        Answer a call: an expected error becomes a message, without a traceback.

        Args:
            request: The request.
            context: Its gRPC context.
            work: Makes the response.
            secret: Names of properties that are secrets, for what is kept in state on an error.
            previewed: The response to a preview of what needs a request.
        """
        timeout = getattr(request, "timeout", 0.0) or None
        kind = _Preview if previewed is not None and request.preview else Call
        call = kind(getattr(request, "urn", ""), timeout, context, self._find)

        with call.in_progress():
            try:
                return work(call)
            except _InPreviewError:
                return previewed
            except Exception as exc:  # noqa: BLE001 - whatever it is, the engine is told
                message = wire.spelt(str(exc)) if isinstance(exc, NugenError) else traceback.format_exc()
                kept = getattr(exc, "kept", None)
        call.fail(message, None if kept is None else (kept[0], wire.written(kept[1], secret=secret)))
        return context.abort(grpc.StatusCode.UNKNOWN, message)  # which raises

    def _find(self, key: str) -> Any:
        value = self._config.get(key.partition(":")[2])
        return None if isinstance(value, Unknown) else value


def _models(call: Call, args: dict[str, Any]) -> Any:
    """Return the account's models, filtered as asked."""
    models = call.runtime().models(deployed=args.get("deployed"))
    named = [{wire.camel(name): value for name, value in model.items() if value is not None} for model in models]
    return _invoked({"models": named})


def _invoked(result: dict[str, Any]) -> Any:
    response = provider_pb2.InvokeResponse()
    getattr(response, "return").CopyFrom(wire.written(result))  # a name that Python cannot spell
    return response


def _operations(urn: str) -> Any:
    """Return the operations of the resource's type: the part of a URN before its name."""
    return _OPERATIONS[urn.split("::")[2].rsplit("$", maxsplit=1)[-1]]


def _previewed(operations: Any, news: dict[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    """Return what a preview knows: the inputs."""
    return wire.written(outputs.given(news), unknown=operations.computed, secret=secret)


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_unknown, value.values()))
    return any(map(_holds_unknown, value)) if isinstance(value, list) else isinstance(value, Unknown)
