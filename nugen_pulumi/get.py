"""What the ``.get()`` of every resource does before it is sent."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

import pulumi

from nugen_pulumi.errors import InputError


def read_in_preview(opts: pulumi.ResourceOptions | None) -> bool | None:
    """
    Return True if a resource is only read, and in a preview; else None, which is no property.

    There it must not wait, and the engine does not tell the provider which it is.
    """
    return True if opts is not None and opts.id is not None and pulumi.runtime.is_dry_run() else None


def refuse_unreadable(kind: type, id_: Any, *, wait: Any) -> pulumi.Input[str]:
    """Return the id of a ``.get()`` as the SDK can send it; raise InputError for what it would end a program over."""
    if not isinstance(id_, (str, pulumi.Output)) and not isawaitable(id_):
        raise InputError(f"The id of {kind.__name__}.get must be a string, not {id_!r}.")
    if not isinstance(wait, bool):
        raise InputError(f"wait must be true or false, not {wait!r}.")
    # The SDK cannot send an id that is a secret (pulumi/runtime/resource.py, read_resource).
    return pulumi.Output.unsecret(id_) if isinstance(id_, pulumi.Output) else id_
