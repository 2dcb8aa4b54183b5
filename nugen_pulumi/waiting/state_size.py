"""Limit the size of a fleet's values in state."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from nugen_pulumi.api.statuses import FleetModel

# Bytes. Kept state travels in a gRPC trailer when a deployment fails; the engine reads 16 MiB of it, in base64. Four
# MiB of free-form values leave room for 10,000 ids and statuses, and for a state file that can still be loaded.
LARGEST_FLEET_VALUES = 4 * 1024 * 1024
# One value of a model that is still pending: it only has to be remembered until the next poll.
LARGEST_PENDING_RESULT = 1024

# The values that the API writes freely.
_FREE = ("result", "start_time", "end_time", "error")
# To leave out less than this would gain nothing over the remark that takes its place.
_NOTHING_GAINED = 64


class Budget:
    """Counts the free-form values of a fleet's models, and leaves the largest out when they are too many."""

    def __init__(self) -> None:
        self._total = 0
        self._largest: list[tuple[int, str, str, dict[str, Any]]] = []

    def spend(self, model_id: str, model: FleetModel) -> None:
        """
        Count the values of *model*; replace the largest values counted so far, in place, until the rest fits.

        Which ones these are does not depend on the order of the models: a refresh must find what an update left out.
        """
        fields = cast("dict[str, Any]", model)
        for name in _FREE:
            size = size_of(fields.get(name))
            self._total += size
            if size > _NOTHING_GAINED:
                heapq.heappush(self._largest, (-size, model_id, name, fields))
        while self._total > LARGEST_FLEET_VALUES and self._largest:
            negative, _, name, fields = heapq.heappop(self._largest)
            fields[name] = left_out(-negative)
            self._total += negative + size_of(fields[name])


def within_budget(models: Mapping[str, FleetModel]) -> dict[str, FleetModel]:
    """Return copies of *models*, the largest values left out if all together are too large."""
    budget, kept = Budget(), {model_id: model.copy() for model_id, model in models.items()}
    for model_id, model in kept.items():
        budget.spend(model_id, model)
    return kept


def left_out(size: int) -> str:
    """Return the remark that stands in place of a value of *size* bytes."""
    return f"(left out: {size / 1024:.0f} KiB)" if size < 1024 * 1024 else f"(left out: {size / 1024 / 1024:.1f} MiB)"


def size_of(value: Any) -> int:
    """
    Return how many bytes *value* takes at most as a value of protobuf's ``Struct``, which the engine is sent.

    Args:
        value: What JSON can hold.
    """
    if isinstance(value, str):
        return 5 + _bytes(value)
    if isinstance(value, Mapping):
        return 5 + sum(15 + _bytes(key) + size_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return 5 + sum(5 + size_of(item) for item in value)
    return 9


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
