"""What the engine is answered to Check, whatever the resource. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nugen_pulumi.api.directions import DEPLOY
from nugen_pulumi.errors import InputError, SettingsError
from nugen_pulumi.operations import claims, inputs, messages
from nugen_pulumi.operations.call import Call
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.settings import MissingKeyError, Settings


def check_resource(
    call: Call, operations: Any, news: Mapping[str, Any], find: Callable[[str], Any], *, creating: bool
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """
    Return what both faces answer to Check: the inputs, and what is wrong with them or the settings. Sends nothing.

    Args:
        call: That of Check.
        operations: Those of the resource's type.
        news: The inputs.
        find: Looks a key such as ``nugen:apiKey`` up.
        creating: The resource does not exist yet.
    """
    checked, failures = check(news, operations.id_name, operations.defaults)
    announce(call, operations, news, creating=creating)
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


def announce(call: Call, operations: Any, news: Mapping[str, Any], *, creating: bool) -> None:
    """
    Say in a preview what creating a resource will cost, and warn where two resources are in conflict about a model.

    Args:
        call: That of Check: the only one that a preview makes about a resource that does not exist yet.
        operations: Those of the resource's type.
        news: The inputs.
        creating: The resource does not exist yet.
    """
    wants, ids = operations.direction.flag, news.get(operations.id_name)
    if creating and operations.direction is DEPLOY:
        call.report(messages.will_deploy(ids))
    conflict = claims.CLAIMS.claim(call.urn, ids if isinstance(ids, list) else [ids], wants)
    if conflict is not None:
        model_id, other = conflict
        both = wants == other
        call.warn(messages.two_in_service(model_id) if both else messages.contradiction(model_id))
