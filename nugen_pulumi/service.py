"""What the providers share: settings, the one runtime of the process, and answering the engine in sentences."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, ResourceProvider

from nugen_pulumi import host, inputs
from nugen_pulumi.errors import NugenError, SettingsError
from nugen_pulumi.settings import MissingKeyError, Settings

if TYPE_CHECKING:
    from pulumi.dynamic import Config

    from nugen_pulumi.runtime import Runtime


class Service(ResourceProvider):
    """
    A provider without its resource.

    Attributes:
        id_name: The input that holds the model's id, or the models' ids.
    """

    serialize_as_secret_always = False
    id_name = "model_id"
    _config: Config

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's config; whether it is any good is asked when it is needed, and in ``check``."""
        self._config = req.config
        host.widen_pool()
        host.hear_cancel()

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse bad inputs and settings with a sentence each, fill in defaults. Sends nothing."""
        failures = [
            # The engine prints the whole value of a property that it is given: up to ten thousand ids, and twice.
            CheckFailure("", f"{name} {reason}") if name == "model_ids" else CheckFailure(name, reason)
            for name, reason in inputs.problems(news, self.id_name)
        ]
        if (reason := self._settings_problem(creating=not olds)) is not None:
            failures.append(CheckFailure("", reason))
        return CheckResult({**inputs.DEFAULTS, **news}, failures)

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
def answering(keep: Callable[[Any], tuple[str, dict[str, Any]]] | None = None) -> Iterator[host.Call]:
    """
    Answer the engine's call: within the block an error that we foresee becomes a sentence, without a traceback.

    Args:
        keep: Makes id and outputs of what is known before an error (its ``last``), so that the resource stays in
            state. Without it nothing is kept.
    """
    call = host.Call.current()
    with call.answering():
        try:
            yield call
        except Exception as exc:
            foreseen = isinstance(exc, NugenError)
            message = str(exc) if foreseen else traceback.format_exc()
            last = getattr(exc, "last", None)
            if keep is not None and last is not None:
                call.fail_but_keep(message, *keep(last))
            elif foreseen:
                call.fail(message)
            raise exc from None
