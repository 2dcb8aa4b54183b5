"""The types of what state holds of a resource: its properties, and what is known about each model of a fleet."""

from __future__ import annotations

from typing import Any, TypedDict

from nugen_pulumi.inputs import Given


class _AlwaysThere(TypedDict):
    status: str
    """``PENDING``, ``COMPLETED``, ``FAILED`` or any other value that the API returned, in upper case."""
    undeployed: bool
    """Known to be undeployed: COMPLETED, or FAILED only because it was already undeployed."""


class FleetModel(_AlwaysThere, total=False):
    """
    What is known about one model of a fleet: the entries of ``UndeployedModels.models``.

    The engine drops keys whose value is None. Read all keys except ``status`` and ``undeployed`` with ``get``.
    """

    result: Any
    """The ``result`` that the API returned, or None."""
    start_time: str | None
    """The ``start_time`` that the API returned, or None."""
    end_time: str | None
    """The ``end_time`` that the API returned, or None."""
    error: str | None
    """Why the status is FAILED, or None."""


class ModelState(Given, total=False):
    """The properties of an ``UndeployedModel``: its inputs, and once something is known, its outputs."""

    model_id: str
    status: str
    undeployed: bool
    result: Any
    start_time: str | None
    end_time: str | None
    error: str | None


class FleetState(Given, total=False):
    """The properties of an ``UndeployedModels``, likewise."""

    model_ids: list[str]
    models: dict[str, FleetModel]
    undeployed: bool
    pending: list[str]
    failed: list[str]
