"""The two families of paths of the API, as data."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from nugen_pulumi.api.directions import Direction


@dataclass(frozen=True)
class Paths:
    """
    A family of paths of the API. In each, ``{kind}`` stands for the direction's own name, and ``{id}`` for the model.

    Attributes:
        name: What to call it in the debug log.
        request: Where a task is requested.
        status: Where its status is polled.
    """

    name: str
    request: str
    status: str


DOCUMENTED = Paths("documented", "/api/v3/models/{kind}/{id}", "/api/v3/models/{kind}/{id}/status")
# Clients use it since September 2026; no page describes it. Its status is the model's own: see responses.ModelStatus.
NEWER = Paths("newer", "/api/v3/models/{id}/deployment", "/api/v3/models/{id}/deployment/status")


def path_of(template: str, model_id: str, direction: Direction) -> str:
    """Return a path of :class:`Paths` for a model and a direction."""
    return template.format(kind=direction.kind, id=quote(model_id, safe=""))
