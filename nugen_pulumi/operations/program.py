"""What the resources of the program want of the same models, as far as this process was told. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class _Wish:
    """
    What one resource wants of one model.

    Attributes:
        wants: ``deployed`` or ``undeployed``.
        held: The properties in state of a resource that holds the model in service already.
        created: This process put it there, or has recorded that it tried.
    """

    wants: str
    held: Mapping[str, Any] | None = None
    created: bool = False


# By model and URN. A wish begins with Check, which the engine calls for what the program registers, and for nothing
# else: Diff it also calls in a refresh, and for what depends on a replacement.
_WISHES: dict[str, dict[str, _Wish]] = {}
# Models that this process took out of service.
_TAKEN_OUT: set[str] = set()
# By URN, the models of resources whose creation failed in this process, whether something is recorded of them or not.
_FAILED: dict[str, str] = {}


def wish(urn: str, model_ids: Iterable[object], wants: str) -> tuple[str, str] | None:
    """
    Note what a resource wants. Return the first of its models that another resource wants in service or out of it, so
    that they are at odds, and what that one wants; None, too, if this was told before.

    Two that want opposite things can never agree, and of two that want a model in service, only one owns it.

    Args:
        urn: The resource.
        model_ids: Its models; anything but a string is not known yet.
        wants: ``deployed`` or ``undeployed``.
    """
    shared = None
    for model_id in model_ids:
        if isinstance(model_id, str):
            wishes = _WISHES.setdefault(model_id, {})
            if urn in wishes:
                continue
            if shared is None:
                others = [other.wants for other in list(wishes.values()) if "deployed" in (wants, other.wants)]
                shared = (model_id, others[0]) if others else None
            wishes[urn] = _Wish(wants)
    return shared


def held(urn: str, model_id: str, props: Mapping[str, Any]) -> None:
    """Note that a resource of the program holds a model in service already, with *props* in state."""
    if (own := _WISHES.get(model_id, {}).get(urn)) is not None:
        own.held = props


def created(urn: str, model_id: str) -> None:
    """Note that a resource put a model into service, or has recorded that it tried."""
    _WISHES.setdefault(model_id, {}).setdefault(urn, _Wish("deployed")).created = True
    _TAKEN_OUT.discard(model_id)
    _FAILED.pop(urn, None)


def failed(urn: str, model_id: str) -> None:
    """Note that the creation of a resource failed."""
    _FAILED[urn] = model_id


def taken_out(model_id: str) -> None:
    """Note that a delete took a model out of service."""
    _TAKEN_OUT.add(model_id)


def was_taken_out(model_id: str) -> bool:
    """Tell whether a delete of this process took it out of service, and nothing has put it back."""
    return model_id in _TAKEN_OUT


def other_holder(model_id: str, props: Mapping[str, Any]) -> str | None:
    """
    Return the name of a resource that holds a model in service and is not the one that is deleted, or None.

    The engine deletes what it replaces after it has created everything, so that the two may have one URN; and by an
    alias, one resource may have two.

    Args:
        model_id: The model.
        props: The properties in state of the resource that is deleted.
    """
    # Copied at once: other calls come in other threads.
    for urn, other in list(_WISHES.get(model_id, {}).items()):
        if other.created or (other.held is not None and other.held != props):
            return _name(urn)
    return None


def failed_successor(urn: str, model_id: str) -> str | None:
    """Return the name of what was to replace a resource, or to take its model over, and failed; else None."""
    return next((_name(other) for other, its in list(_FAILED.items()) if other == urn or its == model_id), None)


def _name(urn: str) -> str:
    return urn.rsplit("::", maxsplit=1)[-1]
