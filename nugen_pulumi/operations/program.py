"""What the resources of the program want of the same models, as far as this process has seen. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Which types of resources a process was asked about, by model. Two that want opposite things can never agree.
_WANTED: dict[str, set[str]] = {}


def contradicted(model_id: object, id_name: str, wants: str) -> bool:
    """
    Note that a resource wants a model in or out of service; return whether another one just began to want the opposite.

    Args:
        model_id: The model; anything but a string is not known yet.
        id_name: A fleet is not counted.
        wants: ``deployed`` or ``undeployed``.
    """
    if id_name != "model_id" or not isinstance(model_id, str):
        return False
    wanted = _WANTED.setdefault(model_id, set())
    news = wants not in wanted
    wanted.add(wants)
    return news and len(wanted) > 1


# Which resources hold a model in service, by model and URN: the properties in state of one that was found there, and
# None for one that was created.
_IN_SERVICE: dict[str, dict[str, Mapping[str, Any] | None]] = {}


def holds(model_id: str, urn: str, props: Mapping[str, Any] | None) -> None:
    """
    Note that a resource of the program holds a model in service.

    Args:
        model_id: The model.
        urn: The resource.
        props: Its properties in state; None if this process created it.
    """
    _IN_SERVICE.setdefault(model_id, {})[urn] = props


def other_holder(model_id: str, urn: str, props: Mapping[str, Any]) -> str | None:
    """
    Return the name of a resource that holds a model in service and is not the one that is deleted, or None.

    The engine deletes what it replaces after it has created everything, so that the two may have one URN.

    Args:
        model_id: The model.
        urn: The resource that is deleted.
        props: Its properties in state.
    """
    for holder, held in _IN_SERVICE.get(model_id, {}).items():
        if holder != urn or held != props:
            return holder.rsplit("::", maxsplit=1)[-1]
    return None
