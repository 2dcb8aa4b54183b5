"""Limit the size of what is kept of a fleet's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nugen_pulumi.api.statuses import Record

# Bytes. Kept state travels in a gRPC trailer when a deployment fails; the engine reads 16 MiB of it, in base64. Four
# MiB for the results leave room for the errors in them, 10,000 ids and statuses, and a state file that can be loaded.
LARGEST_FLEET_RESULTS = 4 * 1024 * 1024


def largest_value(models: int) -> int:
    """Return how many bytes each value of each of so many models may have."""
    return LARGEST_FLEET_RESULTS // models


def capped(model: Record, most: int) -> Record:
    """Return *model* with a remark in place of each value of the API's that has more than *most* bytes."""
    values = {name: getattr(model, name) for name in ("result", "start_time", "end_time", "error")}
    large: dict[str, Any] = {name: _left_out(size) for name in values if (size := size_of(values[name])) > most}
    return replace(model, **large) if large else model


def _left_out(size: int) -> str:
    return f"(left out: {size / 1024:.0f} KiB)" if size < 1024 * 1024 else f"(left out: {size / 1024 / 1024:.1f} MiB)"


def size_of(value: Any) -> int:
    """
    Return how many bytes *value* takes at most as a value of protobuf's ``Struct``, which the engine is sent.

    Args:
        value: What JSON can hold.
    """
    if isinstance(value, str):
        return 5 + len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        return 5 + sum(10 + size_of(key) + size_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return 5 + sum(5 + size_of(item) for item in value)
    return 9
