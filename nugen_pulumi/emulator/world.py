"""All that the emulator knows: models, scripts and what was asked. Knows no HTTP; the clock is given."""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal

from nugen_pulumi.emulator.catalogue import (
    Answer,
    StatusBody,
    already_deployed,
    already_undeployed,
    deploy_status,
    deploying,
    error,
    listed,
    model_not_found,
    newer,
    pending,
    status,
    undeploying,
)
from nugen_pulumi.emulator.faults import Fault
from nugen_pulumi.emulator.model import Model, State, Traits
from nugen_pulumi.emulator.stories import nobody


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


ListShape = Literal["old", "new"]

_Ask = Callable[[Model, str, datetime], Answer]


class World:
    """
    The models, the scripts and the record of requests. Thread-safe.

    Args:
        undeploy_seconds: How long an undeployment takes, seconds, float.
        deploy_seconds: How long a deployment takes, seconds, float. Default ``None``: as long.
        list_shape: How the list of models describes them, "old" or "new". Default "old".
        list_lags: The list answers what was true when it was asked for the last time, bool. Default False.
        faults: What the first status answers of each model meet, in each direction, ``Fault``s or tuples of them.
            Default: nothing.
        stories: What a model is like that was not added; ``None``: there is no such model. Default: there is none.
        clock: Seconds, float, monotonic. Default ``time.monotonic``.
        epoch: The date when the world begins, aware datetime. Default ``None``: now.
    """

    def __init__(
        self,
        *,
        undeploy_seconds: float,
        deploy_seconds: float | None = None,
        list_shape: ListShape = "old",
        list_lags: bool = False,
        faults: Sequence[Fault | tuple[Fault, ...]] = (),
        stories: Callable[[str], Traits | None] = nobody,
        clock: Callable[[], float] = time.monotonic,
        epoch: datetime | None = None,
    ) -> None:
        self._seconds = {
            "undeploy_seconds": undeploy_seconds,
            "deploy_seconds": undeploy_seconds if deploy_seconds is None else deploy_seconds,
        }
        self.list_shape = list_shape
        self.list_lags = list_lags
        self._faults = flat(faults)
        self._stories = stories
        self._clock = clock
        self._begun = clock()
        self._epoch = datetime.now(UTC) if epoch is None else epoch
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._models: dict[str, Model] = {}
        self._scripts = Scripts()
        self._met: Counter[tuple[Endpoint, str]] = Counter()
        self._last: dict[str, Endpoint] = {}
        self._listed: list[tuple[str, State]] | None = None
        self._requests: list[tuple[str, str]] = []
        self._stopped: list[tuple[str, str]] = []
        self._unexpected: list[str] = []

    def reset(self) -> None:
        """Forget models, scripts and requests."""
        with self._lock:
            self._clear()

    def add(self, model_id: str, traits: Traits) -> None:
        """Let there be a model, in place of one of this id."""
        with self._lock:
            self._models[model_id] = Model.new(traits, self._now(), **self._seconds)

    def redeploy(self, model_id: str) -> None:
        """Deploy a model again. Raises ``KeyError`` if there is none."""
        with self._lock:
            model = self._find(model_id)
            if model is None:
                raise KeyError(model_id)
            self._models[model_id] = model.redeployed()

    def state(self, model_id: str) -> State:
        """Return what a model is. Raises ``KeyError`` if there is none."""
        with self._lock:
            model = self._find(model_id)
            if model is None:
                raise KeyError(model_id)
            return model.state(self._now())

    def script(self, endpoint: Endpoint, model_id: str, elements: tuple[Any, ...]) -> None:
        """Queue exact answers of *endpoint* for *model_id*. They come before what the model itself would answer."""
        with self._lock:
            self._scripts.add(endpoint, model_id, elements)

    def record(self, method: str, path: str) -> None:
        """Remember that *path* was asked for."""
        with self._lock:
            self._requests.append((method, path))

    def stop(self, method: str, path: str) -> None:
        """Remember that a request did not get as far as the API."""
        with self._lock:
            self._stopped.append((method, path))

    def refuse(self, method: str, path: str) -> None:
        """Remember that nobody expected this request."""
        with self._lock:
            self._unexpected.append(f"{method} {path}")

    @property
    def requests(self) -> list[tuple[str, str]]:
        """What was asked so far."""
        with self._lock:
            return list(self._requests)

    @property
    def stopped(self) -> list[tuple[str, str]]:
        """What did not get as far as the API."""
        with self._lock:
            return list(self._stopped)

    def status(self, model_id: str) -> Answer:
        """Answer the status endpoint of undeployments."""
        return self._status(Endpoint.STATUS, model_id, Model.status)

    def deploy_status(self, model_id: str) -> Answer:
        """Answer the status endpoint of deployments."""
        return self._status(Endpoint.DEPLOY_STATUS, model_id, Model.deploy_status)

    def newer_status(self, model_id: str) -> Answer:
        """
        Answer the newer family's status endpoint.

        It is one for both directions, each of which has its script: the one of the last request comes first. What
        a script says in documented words is sent in the newer ones.
        """
        with self._lock:
            last = self._last.get(model_id, Endpoint.STATUS)
            other = Endpoint.DEPLOY_STATUS if last is Endpoint.STATUS else Endpoint.STATUS
            endpoint = (
                other if self._scripts.waits(other, model_id) and not self._scripts.waits(last, model_id) else last
            )
            answer = self._answer(endpoint, model_id, Model.newer_status)
            return newer(answer, "undeployment" if endpoint is Endpoint.STATUS else "deployment")

    def undeploy(self, model_id: str) -> Answer:
        """Answer the DELETE."""
        return self._start(Endpoint.UNDEPLOY, model_id, Model.undeploy, undeploying)

    def deploy(self, model_id: str) -> Answer:
        """Answer the POST."""
        return self._start(Endpoint.DEPLOY, model_id, Model.deploy, deploying)

    def list_models(self, limit: int | None, offset: int) -> Answer:
        """Answer the list: the models that were added or asked about, the oldest first."""
        with self._lock:
            step = self._scripts.take(Endpoint.LIST, "")
            if isinstance(step, Answer):
                return step
            states = [(model_id, model.state(self._now())) for model_id, model in self._models.items()]
            shown = self._listed if self.list_lags and self._listed is not None else states
            self._listed = states
            page = shown[offset:] if limit is None else shown[offset : offset + limit]
            right = Answer(body={"domain_aligned_models": [listed(*model, self.list_shape) for model in page]})
            return right if step is None else step.spoil(right)

    def _status(self, endpoint: Endpoint, model_id: str, ask: _Ask) -> Answer:
        with self._lock:
            return self._answer(endpoint, model_id, ask)

    def _answer(self, endpoint: Endpoint, model_id: str, ask: _Ask) -> Answer:
        step = self._scripts.take(endpoint, model_id)
        if isinstance(step, Answer):
            return step
        model = self._find(model_id, endpoint)
        if model is not None:
            right = ask(model, model_id, self._now())
        else:
            right = self._unknown(endpoint, model_id) if step is None else pending().answer(model_id)
        fault = self._next_fault(endpoint, model_id) if step is None else step
        return right if fault is None else fault.spoil(right)

    def _start(
        self,
        endpoint: Endpoint,
        model_id: str,
        ask: Callable[[Model, str, datetime], tuple[Model, Answer]],
        started: Callable[[str], Answer],
    ) -> Answer:
        with self._lock:
            self._last[model_id] = Endpoint.STATUS if endpoint is Endpoint.UNDEPLOY else Endpoint.DEPLOY_STATUS
            step = self._scripts.take(endpoint, model_id)
            if isinstance(step, Answer):
                return step
            model = self._find(model_id, endpoint)
            if model is not None:
                after, right = ask(model, model_id, self._now())
                if step is None or step.carried_out:
                    self._models[model_id] = after
            else:
                right = self._unknown(endpoint, model_id) if step is None else started(model_id)
            return right if step is None else step.spoil(right)

    def verify(self) -> None:
        """Raise ``AssertionError``, naming them, if there were unexpected requests or are unused script elements."""
        with self._lock:
            faults = [
                *(f"unexpected request: {request}" for request in self._unexpected),
                *(f"unused script: {script}" for script in self._scripts.unused()),
            ]
        if faults:
            raise AssertionError("\n".join(faults))

    def _now(self) -> datetime:
        return self._epoch + timedelta(seconds=self._clock() - self._begun)

    def _find(self, model_id: str, endpoint: Endpoint = Endpoint.STATUS) -> Model | None:
        if model_id not in self._models:
            traits = self._stories(model_id)
            if traits is None:
                return None
            if traits.state is None and endpoint in (Endpoint.DEPLOY, Endpoint.DEPLOY_STATUS):
                # Whoever deploys a model that nobody has heard of wants to see a deployment.
                traits = replace(traits, state=State.UNDEPLOYED)
            self._models[model_id] = Model.new(traits, self._now(), **self._seconds)
        return self._models[model_id]

    def _next_fault(self, endpoint: Endpoint, model_id: str) -> Fault | None:
        self._met[endpoint, model_id] += 1
        met = self._met[endpoint, model_id]
        return self._faults[met - 1] if met <= len(self._faults) else None

    def _unknown(self, endpoint: Endpoint, model_id: str) -> Answer:
        if not self._scripts.names(model_id):
            return model_not_found()
        fault = f"{endpoint.value} of {model_id!r}, whose script has no answer left"
        self._unexpected.append(fault)
        # A client asks again after most errors; after a 422 it must not, so the test ends here and not at a time-out.
        return Answer(422, {"detail": f"Emulator: unexpected request: {fault}"})
