"""
What Pulumi pickles: create, read, update and delete in the host's words.

NEVER MOVES, NEVER RENAMED: users' state holds ``nugen_pulumi.provider`` and the names of the classes. Light on purpose:
httpx and pydantic come in with the runtime, at the first exchange, so that a preview never pays for them.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
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

from nugen_pulumi import host, inputs
from nugen_pulumi.errors import ModelNotFoundError, NugenError, SettingsError, UndeployFailedError
from nugen_pulumi.inputs import Inputs
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.waiter import WaitPolicy

if TYPE_CHECKING:
    from pulumi.dynamic import Config

    from nugen_pulumi.models import UndeployStatus
    from nugen_pulumi.runtime import Runtime


class UndeployedModelProvider(ResourceProvider):
    """Stateless until ``configure``, so that its pickle is a name and nothing more."""

    serialize_as_secret_always = False
    _config: Config

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's config; whether it is any good is asked when it is needed, and in ``check``."""
        self._config = req.config
        host.widen_pool()
        host.hear_cancel()

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse bad inputs and settings with a sentence each, fill in defaults. Sends nothing."""
        failures = [CheckFailure(name, reason) for name, reason in inputs.problems(news)]
        if (reason := self._settings_problem(creating=not olds)) is not None:
            failures.append(CheckFailure("", reason))
        return CheckResult({**inputs.DEFAULTS, **news}, failures)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """
        Compare what state holds with what the program says.

        ``__provider`` may differ because Python's pickles differ between versions: that is an update which asks
        nothing of the API.
        """
        changed = [name for name in inputs.NAMES if olds.get(name) != news.get(name)]
        another = olds.get("__provider") != news.get("__provider")
        unsettled = not _settled(olds, Inputs.read(news))
        return DiffResult(
            changes=bool(changed) or another or unsettled,
            replaces=[name for name in inputs.REPLACING if name in changed],
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Ask for the undeployment if told to, and learn how it ends."""
        id_, wanted = props["model_id"], Inputs.read(props)
        with _answering(keep_as=(id_, props)) as call:
            return CreateResult(id_, outputs(props, self._learn(call, id_, wanted, trigger=wanted.undeploy)))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Go on where the last operation stopped; without any request if there is nothing left to learn."""
        wanted = Inputs.read(news)
        never_asked = wanted.undeploy and not olds.get("undeploy")
        if olds.get("undeployed") or (_settled(olds, wanted) and not never_asked):
            known = {name: olds.get(name) for name in OUTPUTS}
            return UpdateResult({**_given(news), **known})
        again = wanted.undeploy and olds.get("status") == "FAILED"
        with _answering(keep_as=(id_, news)) as call:
            return UpdateResult(outputs(news, self._learn(call, id_, wanted, trigger=never_asked or again)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look once for a refresh; learn like ``create`` for a ``.get()``, whose properties hold no outputs yet."""
        with _answering() as call:
            if "status" not in props:
                # The engine checks inputs of what it manages only.
                if bad := inputs.problems({**props, "model_id": id_}):
                    raise NugenError("; ".join(f"{name} {reason}" for name, reason in bad) + ".")
                return ReadResult(id_, outputs({**props, "model_id": id_}, self._learn(call, id_, Inputs.read(props))))
            try:
                status = self._runtime(call).look(id_)
            except ModelNotFoundError:
                return ReadResult("", {})  # how the host is told that the resource is gone
        seen = outputs(props, status)
        if all(seen[name] == props.get(name) for name in OUTPUTS if name not in TIMES):
            # The API answers with the times of the request, which would be drift in every refresh.
            seen.update({name: props.get(name) for name in TIMES})
        return ReadResult(id_, seen)

    def _learn(self, call: host.Call, model_id: str, wanted: Inputs, *, trigger: bool = False) -> UndeployStatus:
        """Wait or glance, as wanted; a FAILED is an error unless it is wanted as an output."""
        if not wanted.wait:
            return self._runtime(call).look(model_id, trigger=trigger)
        policy = WaitPolicy(
            timeout=wanted.timeout_seconds or call.timeout or inputs.DEFAULT_TIMEOUT_SECONDS,
            longest_pause=wanted.poll_interval_seconds,
        )
        status = self._runtime(call).wait(model_id, policy, trigger=trigger, say=call.say)
        if not status.undeployed and wanted.on_failure == "error":
            failed = UndeployFailedError(
                f"Model {model_id} was not undeployed: {status.error} {_advice(status, wanted)}"
            )
            failed.last = status
            raise failed
        return status

    def _settings_problem(self, *, creating: bool) -> str | None:
        try:
            Settings.find(self._config.get)
        except MissingKeyError as exc:
            # What exists may never be asked for again; what is to be created certainly is.
            return str(exc) if creating else None
        except SettingsError as exc:
            return str(exc)
        return None

    def _runtime(self, call: host.Call) -> Runtime:
        # The one deferred import: keeps httpx and pydantic out of users' programs and out of previews.
        from nugen_pulumi.runtime import shared_runtime  # noqa: PLC0415

        settings = Settings.find(self._config.get)
        runtime = shared_runtime(settings, lambda new: host.cancellation.tell(new.interrupt))
        call.on_lost(runtime.interrupt)
        return runtime


@contextmanager
def _answering(keep_as: tuple[str, Mapping[str, Any]] | None = None) -> Iterator[host.Call]:
    """
    Answer the engine's call: within the block an error that we foresee becomes a sentence, without a traceback.

    Args:
        keep_as: Id and inputs of a resource that is to stay in state if anything was learnt before the error.
    """
    call = host.Call.current()
    with call.answering():
        try:
            yield call
        except NugenError as exc:
            if keep_as is None or exc.last is None:
                call.fail(str(exc))
            else:
                id_, props = keep_as
                call.fail_but_keep(str(exc), id_, outputs(props, exc.last))
            raise exc from None
        except Exception as exc:
            last = getattr(exc, "last", None)
            if keep_as is not None and last is not None:
                id_, props = keep_as
                call.fail_but_keep(traceback.format_exc(), id_, outputs(props, last))
            raise


TIMES = ("start_time", "end_time")
OUTPUTS = ("status", "undeployed", "result", *TIMES, "error")


def outputs(props: Mapping[str, Any], status: UndeployStatus) -> dict[str, Any]:
    """Return the complete output map: the one place that spells its keys."""
    return {
        **_given(props),
        "status": status.status,
        "undeployed": status.undeployed,
        "result": status.result,
        "start_time": status.start_time,
        "end_time": status.end_time,
        "error": status.error,
    }


def _given(props: Mapping[str, Any]) -> dict[str, Any]:
    return {name: props[name] for name in inputs.NAMES if name in props}


def _settled(known: Mapping[str, Any], wanted: Inputs) -> bool:
    """Tell whether nothing is left to learn."""
    if known.get("undeployed") or not wanted.wait:
        return True
    return known.get("status") == "FAILED" and wanted.on_failure == "record"


def _advice(status: UndeployStatus, wanted: Inputs) -> str:
    if wanted.undeploy:
        return "The next `pulumi up` asks for it again."
    if status.model_status == "DEPLOYED":
        return "Nothing has asked for it: set undeploy=True."
    return "The next `pulumi up` looks again; with undeploy=True it asks for it first."
