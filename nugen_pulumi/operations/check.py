"""What the engine is answered to Check, whatever the resource. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nugen_pulumi.api.directions import DEPLOY
from nugen_pulumi.errors import InputError, SettingsError
from nugen_pulumi.operations import claims, inputs, messages
from nugen_pulumi.operations.call import Call
from nugen_pulumi.settings import MissingKeyError, Settings


def check_resource(
    call: Call, operations: Any, news: Mapping[str, Any], find: Callable[[str], Any], *, creating: bool
) -> tuple[dict[str, Any], list[str]]:
    """
    Return what both faces answer: the inputs with their defaults, and what is wrong with them or the settings.

    The engine is to be told of no property, because it would print the whole value: a secret, or ten thousand ids.

    Args:
        call: That of Check.
        operations: Those of the resource's type.
        news: The inputs.
        find: Looks a key such as ``nugen:apiKey`` up.
        creating: The resource does not exist yet. What exists may need no request, and so no key.
    """
    wrong = [f"{name} {reason}" for name, reason in inputs.problems(news, operations.id_name)]
    announce(call, operations, news, creating=creating)
    try:
        Settings.find(find)
    except SettingsError as exc:
        if creating or not isinstance(exc, MissingKeyError):
            wrong.append(str(exc))
    return {**operations.defaults, **news}, wrong


def refuse_bad(props: Mapping[str, Any], id_name: str = "model_id") -> None:
    """Reject invalid inputs of a ``.get()`` or an import, which the engine does not check. The id is called ``id``."""
    if bad := inputs.problems(props, id_name):
        raise InputError("; ".join(f"{'id' if name == 'model_id' else name} {reason}" for name, reason in bad) + ".")


def announce(call: Call, operations: Any, news: Mapping[str, Any], *, creating: bool) -> None:
    """
    Say in a preview what creating a resource will cost. Record what it wants of its models, and warn of a conflict.

    Check is the only call that a preview makes about a resource that does not exist yet.
    """
    wants, ids = operations.direction.flag, news.get(operations.id_name)
    if creating and operations.direction is DEPLOY:
        call.report(messages.will_deploy(ids))
    conflict = claims.CLAIMS.claim(call.urn, ids if isinstance(ids, list) else [ids], wants)
    if conflict is not None:
        model_id, other = conflict
        call.warn((messages.two_in_service if wants == other else messages.contradiction)(model_id))
