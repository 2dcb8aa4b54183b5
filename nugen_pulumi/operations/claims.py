"""Which resources of the program want which model in service or out of it: none may undo what another wants. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass
class _Claim:
    """
    What one resource wants of one model.

    Attributes:
        wants: In service, or out of it.
        in_state: The properties in state of a resource that has the model in service already, or None.
        deployed: This process has put it into service for the resource, or has recorded that it tried.
        adopted: It was there before the resource, which therefore leaves it there.
    """

    wants: str
    in_state: Mapping[str, Any] | None = None
    deployed: bool = False
    adopted: bool = False


class Claims:
    """What a process has been told. Its calls come in several threads, so whatever is gone through is copied first."""

    def __init__(self) -> None:
        # By model and URN.
        self._claims: dict[str, dict[str, _Claim]] = {}
        self._undeployed: set[str] = set()
        # The model of each creation that failed by URN, even if the resource stays in state.
        self._failed: dict[str, str] = {}

    def claim(
        self, urn: str, model_ids: Iterable[object], wants: Literal["deployed", "undeployed"]
    ) -> tuple[str, str] | None:
        """
        Record what a resource wants. Return a model about which this is a conflict, and what the other one wants.

        To be called in Check, which the engine calls for the resources of the program and for no others; Diff it also
        calls in a refresh, and for what depends on a replacement. A conflict is returned once. It is one if either of
        the two wants the model in service: opposite wants can never be met, and of two that want it in service, only
        one owns it.

        Of its models, anything but a string is not known yet.
        """
        conflict = None
        for model_id in model_ids:
            if isinstance(model_id, str):
                claims = self._claims.setdefault(model_id, {})
                if urn in claims:
                    continue
                if conflict is None:
                    others = [other.wants for other in list(claims.values()) if "deployed" in (wants, other.wants)]
                    conflict = (model_id, others[0]) if others else None
                claims[urn] = _Claim(wants)
        return conflict

    def note_in_state(self, urn: str, model_id: str, props: Mapping[str, Any]) -> None:
        """Note that a resource of the program has a model in service already, with *props* in state."""
        if (own := self._claims.get(model_id, {}).get(urn)) is not None:
            own.in_state = props

    def note_deployed(self, urn: str, model_id: str, *, adopted: bool) -> None:
        """Note that a model was put into service for a resource, or that it is recorded that this was tried."""
        claim = self._claims.setdefault(model_id, {}).setdefault(urn, _Claim("deployed"))
        claim.deployed, claim.adopted = True, adopted
        self._undeployed.discard(model_id)
        self._failed.pop(urn, None)

    def note_failed(self, urn: str, model_id: str) -> None:
        """Note that the creation of a resource failed."""
        self._failed[urn] = model_id

    def note_undeployed(self, model_id: str) -> None:
        """Note that a delete took a model out of service."""
        self._undeployed.add(model_id)

    def was_undeployed(self, model_id: str) -> bool:
        """Tell whether a delete of this process took a model out of service, and nothing has put it back."""
        return model_id in self._undeployed

    def other_holder(self, model_id: str, props: Mapping[str, Any]) -> tuple[str, bool] | None:
        """
        Return the name of another resource that has a model in service, and whether that adopted it; or None.

        Told from the resource that is deleted by its *props* in state, not by URN: the old and the new resource of a
        replacement share one, and an alias gives one resource two.
        """
        for urn, other in list(self._claims.get(model_id, {}).items()):
            if other.deployed or (other.in_state is not None and other.in_state != props):
                return _name(urn), other.adopted or bool((other.in_state or {}).get("adopted"))
        return None

    def failed_successor(self, urn: str, model_id: str) -> str | None:
        """Return the name of a failed resource that was to replace this one, or to take its model over; else None."""
        failed = list(self._failed.items())
        return next((_name(other) for other, model in failed if other == urn or model == model_id), None)


def _name(urn: str) -> str:
    return urn.rsplit("::", maxsplit=1)[-1]


# One for the process, which serves one Provider.
CLAIMS = Claims()
