"""A call of the engine, as the operations see it, and what they answer to Diff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nugen_pulumi.waiting.reporting import Reporter

if TYPE_CHECKING:
    from nugen_pulumi.waiting.runtime import Runtime


class Call(Reporter, Protocol):
    """
    A call that is being answered: the part of :class:`nugen_pulumi.engine.call.Call` that is needed here.

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
