"""All that the emulator knows: models, scripts and what was asked. Knows no HTTP; the clock is given."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from nugen_pulumi.emulator.answers import Answer
from nugen_pulumi.emulator.catalogue import model_not_found, pending, undeploying
from nugen_pulumi.emulator.faults import Fault
from nugen_pulumi.emulator.model import Model, Traits
from nugen_pulumi.emulator.scripts import Endpoint, Scripts, flat
from nugen_pulumi.emulator.stories import nobody


class World:
    """
    The models, the scripts and the record of requests. Thread-safe.

    Args:
        undeploy_seconds: How long an undeployment takes, seconds, float.
        faults: What the first status answers of each model meet, ``Fault``s or tuples of them. Default: nothing.
        stories: What a model is like that was not added; ``None``: there is no such model. Default: there is none.
        clock: Seconds, float, monotonic. Default ``time.monotonic``.
        epoch: The date when the world begins, aware datetime. Default ``None``: now.
    """

    def __init__(
        self,
        *,
        undeploy_seconds: float,
        faults: Sequence[Fault | tuple[Fault, ...]] = (),
        stories: Callable[[str], Traits | None] = nobody,
        clock: Callable[[], float] = time.monotonic,
        epoch: datetime | None = None,
    ) -> None:
        self._undeploy_seconds = undeploy_seconds
        self._faults = flat(faults)
        self._stories = stories
        self._clock = clock
        self._begun = clock()
        self._epoch = datetime.now(timezone.utc) if epoch is None else epoch
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._models: dict[str, Model] = {}
        self._scripts = Scripts()
        self._met: Counter[str] = Counter()
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
            self._models[model_id] = Model.new(traits, self._undeploy_seconds, self._now())

    def redeploy(self, model_id: str) -> None:
        """Deploy a model again. Raises ``KeyError`` if there is none."""
        with self._lock:
            model = self._find(model_id)
            if model is None:
                raise KeyError(model_id)
            self._models[model_id] = model.redeployed()

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
        """Answer the status endpoint."""
        with self._lock:
            step = self._scripts.take(Endpoint.STATUS, model_id)
            if isinstance(step, Answer):
                return step
            model = self._find(model_id)
            if model is not None:
                right = model.status(model_id, self._now())
            else:
                right = self._unknown(Endpoint.STATUS, model_id) if step is None else pending().answer(model_id)
            fault = self._next_fault(model_id) if step is None else step
            return right if fault is None else fault.spoil(right)

    def undeploy(self, model_id: str) -> Answer:
        """Answer the DELETE."""
        with self._lock:
            step = self._scripts.take(Endpoint.UNDEPLOY, model_id)
            if isinstance(step, Answer):
                return step
            model = self._find(model_id)
            if model is not None:
                after, right = model.undeploy(model_id, self._now())
                if step is None or step.carried_out:
                    self._models[model_id] = after
            else:
                right = self._unknown(Endpoint.UNDEPLOY, model_id) if step is None else undeploying(model_id)
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

    def _find(self, model_id: str) -> Model | None:
        if model_id not in self._models:
            traits = self._stories(model_id)
            if traits is None:
                return None
            self._models[model_id] = Model.new(traits, self._undeploy_seconds, self._now())
        return self._models[model_id]

    def _next_fault(self, model_id: str) -> Fault | None:
        self._met[model_id] += 1
        return self._faults[self._met[model_id] - 1] if self._met[model_id] <= len(self._faults) else None

    def _unknown(self, endpoint: Endpoint, model_id: str) -> Answer:
        if not self._scripts.names(model_id):
            return model_not_found()
        fault = f"{endpoint.value} of {model_id!r}, whose script has no answer left"
        self._unexpected.append(fault)
        # A client asks again after most errors; after a 422 it must not, so the test ends here and not at a time-out.
        return Answer(422, {"detail": f"Emulator: unexpected request: {fault}"})
