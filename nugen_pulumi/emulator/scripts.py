"""What a test wants answered, in order, and what of it was not asked for. Knows no models."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from typing import Any, Final

from nugen_pulumi.emulator.answers import Answer, StatusBody
from nugen_pulumi.emulator.catalogue import (
    already_deployed,
    already_undeployed,
    deploy_status,
    deploying,
    error,
    status,
    undeploying,
)
from nugen_pulumi.emulator.faults import Fault


class Endpoint(str, Enum):
    """The endpoints that can be scripted. The value is what messages call it."""

    STATUS = "GET"
    UNDEPLOY = "DELETE"
    DEPLOY_STATUS = "GET of the deployment"
    DEPLOY = "POST"
    LIST = "GET of the list"


_WORDS: Final = {Endpoint.STATUS: status, Endpoint.DEPLOY_STATUS: deploy_status}
_STARTED: Final = {Endpoint.UNDEPLOY: undeploying, Endpoint.DEPLOY: deploying}
_NOTHING_TO_DO: Final = {Endpoint.UNDEPLOY: already_undeployed, Endpoint.DEPLOY: already_deployed}


def flat(elements: Iterable[Any]) -> list[Any]:
    """Return *elements* with those of each tuple in its place."""
    return [single for element in elements for single in (element if isinstance(element, tuple) else (element,))]


def answer(endpoint: Endpoint, element: Any, model_id: str) -> Answer | Fault:
    """
    Return what a script's *element* means.

    * an ``Answer``, a ``StatusBody`` or a ``Fault``: itself
    * an int: that HTTP status with the body it is known with; below 400 with no body, but for a DELETE or POST with the
      id
    * a str, for a status endpoint: the status word, of any case, known or not
    * anything else: 200 with that JSON
    """
    if isinstance(element, (Answer, Fault)):
        return element
    if isinstance(element, StatusBody):
        return element.answer(model_id)
    if isinstance(element, str):
        return _WORDS[endpoint](element).answer(model_id) if endpoint in _WORDS else undeploying(element)
    if isinstance(element, int) and not isinstance(element, bool):
        return _numbered(endpoint, element, model_id)
    return Answer(body=element)


def _numbered(endpoint: Endpoint, number: int, model_id: str) -> Answer:
    if endpoint in _STARTED and number in (200, 201, 202):
        return replace(_STARTED[endpoint](model_id), status=number)
    if endpoint in _NOTHING_TO_DO and number == 400:
        return _NOTHING_TO_DO[endpoint]()
    return error(number) if number >= 400 else Answer(number)


class Scripts:
    """One queue of answers per endpoint and model. Not thread-safe."""

    def __init__(self) -> None:
        self._queues: defaultdict[tuple[Endpoint, str], deque[tuple[Any, Answer | Fault]]] = defaultdict(deque)

    def add(self, endpoint: Endpoint, model_id: str, elements: tuple[Any, ...]) -> None:
        """Queue *elements*, and those of tuples among them, after those that are there."""
        answers = [(element, answer(endpoint, element, model_id)) for element in flat(elements)]
        self._queues[endpoint, model_id].extend(answers)

    def take(self, endpoint: Endpoint, model_id: str) -> Answer | Fault | None:
        """Return the next answer and drop it; ``None`` if there is none left."""
        queue = self._queues.get((endpoint, model_id))
        return queue.popleft()[1] if queue else None

    def waits(self, endpoint: Endpoint, model_id: str) -> bool:
        """Whether there is an answer left."""
        return bool(self._queues.get((endpoint, model_id)))

    def names(self, model_id: str) -> bool:
        """Whether there ever was a script for *model_id*."""
        return any(model_id == scripted for _, scripted in self._queues)

    def unused(self) -> list[str]:
        """Return a line per script that did not come to its end."""
        return [
            f"{endpoint.value} of {model_id!r}: {', '.join(repr(element) for element, _ in queue)}"
            for (endpoint, model_id), queue in self._queues.items()
            if queue
        ]
