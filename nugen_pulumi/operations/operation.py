"""Code shared by the operations of all resources: context, checks, and state after an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nugen_pulumi.api.directions import DEPLOY
from nugen_pulumi.errors import BadKeyError, InputError, NugenError, SettingsError
from nugen_pulumi.operations import claims, inputs, messages
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.waiting.wait_messages import Reporter

if TYPE_CHECKING:
    from nugen_pulumi.waiting.runtime import Runtime


class Operation(Reporter, Protocol):
    """
    An operation under way, as seen from here.

    Attributes:
        urn: The resource's URN.
        timeout: The operation's ``customTimeouts`` in seconds, or None.
    """

    urn: str
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
        delete_first: A replacement deletes the old resource before it creates the new one.
    """

    inputs_changed: bool
    replaces: list[str]
    update_reason: str | None
    delete_first: bool = False


def check_resource(
    operation: Operation, operations: Any, news: Mapping[str, Any], find: Callable[[str], Any], *, creating: bool
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """
    Return what both faces answer to Check: the inputs, and what is wrong with them or the settings. Sends nothing.

    Args:
        operation: The call of Check.
        operations: Those of the resource's type.
        news: The inputs.
        find: Looks a key such as ``nugen:apiKey`` up.
        creating: The resource does not exist yet.
    """
    checked, failures = check(news, operations.id_name, operations.defaults)
    announce(operation, operations, news, creating=creating)
    if (reason := settings_problem(find, creating=creating)) is not None:
        failures.append(("", reason))
    return checked, failures


def check(
    props: Mapping[str, Any], id_name: str, defaults: Mapping[str, Any] = DEFAULTS
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """
    Return *props* with defaults filled in, and what is wrong with them: property and reason.

    The property is always empty, and named in the reason: the engine would print its whole value, which may be a
    secret, or ten thousand ids.
    """
    failures = [("", f"{name} {reason}") for name, reason in inputs.problems(props, id_name)]
    return {**defaults, **props}, failures


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


def refuse_bad(props: Mapping[str, Any]) -> None:
    """
    Reject invalid inputs of ``.get()``, because the engine checks only managed resources.

    The id is called ``id`` there.
    """
    if bad := inputs.problems(props):
        raise InputError("; ".join(f"{'id' if name == 'model_id' else name} {reason}" for name, reason in bad) + ".")


def with_saved_key(error: NugenError, command: str) -> NugenError:
    """Add to an error about the API key what *command*, which runs no program, used: the key that state holds."""
    if isinstance(error, BadKeyError):
        saved = f"`{command}` uses the key that the last `pulumi up` saved in state. If the key was changed since, run"
        error.args = (f"{error} {saved} `pulumi up` first, or `{command} --run-program`.",)
    return error


def announce(operation: Operation, operations: Any, news: Mapping[str, Any], *, creating: bool) -> None:
    """
    Say in a preview what creating a resource will cost, and warn where two resources are in conflict about a model.

    Args:
        operation: The call of Check: the only one that a preview makes about a resource that does not exist yet.
        operations: Those of the resource's type.
        news: The inputs.
        creating: The resource does not exist yet.
    """
    wants, ids = operations.direction.flag, news.get(operations.id_name)
    if creating and operations.direction is DEPLOY:
        operation.report(messages.will_deploy(ids))
    conflict = claims.CLAIMS.claim(operation.urn, ids if isinstance(ids, list) else [ids], wants)
    if conflict is not None:
        model_id, other = conflict
        both = wants == other
        operation.warn(messages.two_in_service(model_id) if both else messages.contradiction(model_id))
