"""Code shared by the operations of both resources: context, checks, and state after an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.operations import inputs
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.waiting.progress import Reporter

if TYPE_CHECKING:
    from nugen_pulumi.operations.outputs import FleetState, ModelState
    from nugen_pulumi.waiting.runtime import Runtime


class Operation(Reporter, Protocol):
    """
    An operation under way, as seen from here.

    Attributes:
        timeout: The operation's ``customTimeouts`` in seconds, or None.
    """

    timeout: float | None

    def runtime(self) -> Runtime:
        """Return what sends requests. Called only if something has to be requested."""
        ...


@dataclass(frozen=True)
class Difference:
    """
    What differs between state and program.

    Attributes:
        inputs_changed: Inputs differ. Which ones is for the engine to see, which knows the resource's options.
        replaces: Those of them whose change replaces the resource.
        update_reason: What the next update does about a model that is not as wanted, in a few words; None: nothing.
    """

    inputs_changed: bool
    replaces: list[str]
    update_reason: str | None


def check(props: Mapping[str, Any], id_name: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """
    Return *props* with defaults filled in, and what is wrong with them: property and reason.

    The property is always empty, and named in the reason: the engine would print its whole value, which may be a
    secret, or ten thousand ids.
    """
    failures = [("", f"{name} {reason}") for name, reason in inputs.problems(props, id_name)]
    return {**DEFAULTS, **props}, failures


def settings_problem(find: Callable[[str], Any], *, creating: bool) -> str | None:
    """
    Return what is wrong with the settings, or None.

    Args:
        find: Looks a key such as ``nugen:apiKey`` up.
        creating: The resource does not exist yet: only then must there be a key, because what exists may need no
            request.
    """
    try:
        Settings.find(find)
    except MissingKeyError as exc:
        return str(exc) if creating else None
    except SettingsError as exc:
        return str(exc)
    return None


@contextmanager
def keep_on_error(id_: str, complete: Callable[[Any], ModelState | FleetState]) -> Iterator[None]:
    """Give an error that knows something (its ``last_known``) what is to stay in state, as ``kept``: id and outputs."""
    try:
        yield
    except Exception as exc:
        if (last := getattr(exc, "last_known", None)) is not None:
            exc.kept = id_, complete(last)  # type: ignore[attr-defined] # a mistake of ours has none
        raise
