"""
The dynamic provider, which Pulumi pickles. Translates between the calls of the host and the operations.

NEVER MOVES, NEVER RENAMED: users' state holds ``nugen_pulumi.provider`` and the names of the classes. This module
imports little: the runtime imports httpx and pydantic at the first HTTP request, so that a preview does not need them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from nugen_pulumi.engine import host
from nugen_pulumi.errors import NugenError
from nugen_pulumi.operations.check import check_resource
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.model import ModelOperations

if TYPE_CHECKING:
    from pulumi.dynamic import Config


class _Provider(ResourceProvider):
    """All providers. Stateless until ``configure``, so that a pickle is a name and nothing more."""

    serialize_as_secret_always = False
    _operations: Any  # the properties come as plain dicts
    _config: Config

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's config; whether it is valid is asked when it is needed, and in ``check``."""
        self._config = req.config
        missing = [work.__name__ for work in (host.widen_pool, host.hear_cancel, host.ignore_sigterm) if not work()]
        if missing:  # pragma: no cover - a host of the future
            unknown = "nugen-pulumi: unknown version of the Pulumi host or of Python; disabled workarounds"
            call = host.HostCall.current()
            with call.in_progress():
                call.debug(f"{unknown}: {', '.join(missing)}")

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse bad inputs and settings with a message each, fill in defaults. Sends nothing."""
        call = host.HostCall.current()
        checked, wrong = check_resource(call, self._operations, news, self._config.get, creating=not olds)
        return CheckResult(checked, [CheckFailure("", reason) for reason in wrong])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare what state holds with what the program says."""
        call = host.HostCall.current()
        difference = self._operations.diff(call, olds, news)
        # A pickle of another release, or of a class: that is an update which requests nothing of the API.
        pickled_anew = not host.same_provider(olds, news)
        if difference.update_reason is not None:
            call.report(difference.update_reason)
        changes = bool(difference.replaces or difference.update_reason)
        # None: the engine compares the inputs itself, and so knows which ones `replace_on_changes` names.
        return DiffResult(
            changes=changes or (None if difference.inputs_changed or pickled_anew else False),
            replaces=difference.replaces,
            delete_before_replace=difference.delete_first,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Request what the resource asks for, and find out how it ends."""
        with self._answering() as call:
            return CreateResult(*self._operations.create(call, props))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Go on where the last operation stopped; without any request if there is nothing left to find out."""
        with self._answering() as call:
            return UpdateResult(self._operations.update(call, id_, olds, news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Poll once for a refresh; find out like ``create`` for a ``.get()``, whose properties hold no outputs yet."""
        if "model_ids" not in props and "status" not in props:
            with self._answering() as call:
                return ReadResult(id_, self._operations.get(call, id_, props))
        with self._answering() as call:
            outputs = self._operations.refresh(call, id_, props)
            # An empty id is how the host is told that the resource is gone.
            return ReadResult("", {}) if outputs is None else ReadResult(id_, outputs)

    @contextmanager
    def _answering(self) -> Iterator[host.HostCall]:
        """Answer the engine's call: an error that is foreseen becomes a message, without a traceback."""
        call = host.HostCall.current(self._config.get)
        with call.in_progress():
            try:
                yield call
            except NugenError as exc:
                if exc.kept is None:
                    call.fail(str(exc))
                else:
                    call.fail_but_keep(str(exc), *exc.kept)
                raise exc from None


class UndeployedModelProvider(_Provider):
    """One model."""

    _operations: Any = ModelOperations()


class UndeployedModelsProvider(_Provider):
    """A fleet."""

    _operations: Any = FleetOperations()


class DeployedModelProvider(_Provider):
    """One model in service."""

    _operations: Any = DeployedOperations()

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Take the model out of service; an error keeps the resource in state."""
        with self._answering() as call:
            self._operations.delete(call, id_, props)
