"""One event loop and one client for a whole provider process. The heavy imports come in with this module."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.statuses import AlignedModel
from nugen_pulumi.errors import UnavailableError, WaitInterruptedError
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.event_loop import Loop
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.model_wait import ModelWait, Outcome
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.reporting import SILENT, Reporter
from nugen_pulumi.waiting.task_state import ONLY_POLL, Goal
from nugen_pulumi.waiting.wait_messages import NEXT_UP

T = TypeVar("T")
_OF_ONE_POLL = WaitPolicy()
# Seconds for each page of the list of models.
_OF_LIST = 60.0
# Seconds until a main thread that is blocked on Windows notices Ctrl-C.
_UNTIL_CTRL_C = 1.0


class Runtime:
    """
    Waits and polls on behalf of threads: each call blocks its thread, all of them share one loop and one client.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Attributes:
        client: The client; its requests belong into :meth:`run`.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.client = NugenClient(settings, transport=transport)
        self._interrupted = False
        self._at_work: set[asyncio.Task[Any]] = set()
        self._loop = Loop()
        # A daemon, because Pulumi's host process ends without telling us.
        self._thread = threading.Thread(target=self._loop.run_forever, name="nugen-waits", daemon=True)
        self._thread.start()

    def follow(
        self,
        model_id: str,
        policy: WaitPolicy = _OF_ONE_POLL,
        goal: Goal = ONLY_POLL,
        *,
        once: bool = False,
        again: str = NEXT_UP,
        reporter: Reporter = SILENT,
    ) -> Outcome:
        """Block until the task is finished, or was polled once: see :class:`ModelWait` and its ``follow``."""
        return self.run(
            lambda: ModelWait(self.client, model_id, policy, goal, reporter=reporter, again=again).follow(once=once)
        )

    def follow_all(
        self,
        models: Mapping[str, Goal],
        policy: WaitPolicy,
        *,
        wait: bool = True,
        before: int = 0,
        reporter: Reporter = SILENT,
    ) -> dict[str, Outcome]:
        """Block until all of a fleet is finished, or was polled once: see :func:`follow_all`."""
        return self.run(lambda: follow_all(self.client, models, policy, wait=wait, before=before, reporter=reporter))

    def models(self, *, deployed: bool | None = None) -> list[AlignedModel]:
        """Block until the account's models are listed: see :meth:`NugenClient.models`."""
        try:
            return self.run(lambda: self.client.models(deployed=deployed, within=_OF_LIST))
        except UnavailableError as exc:
            raise UnavailableError(f"The list of models: no usable response: {exc}.") from exc

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Block until *work* is done in the loop, and return its result. Ctrl-C ends the blocking, not the work."""

        async def working() -> T:
            if self._interrupted:
                raise WaitInterruptedError("Not started, because the operation was cancelled.")
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - a coroutine of ours always runs in a task
            self._at_work.add(task)
            try:
                return await work()
            finally:
                self._at_work.discard(task)

        done = asyncio.run_coroutine_threadsafe(working(), self._loop)
        step = _UNTIL_CTRL_C if threading.current_thread() is threading.main_thread() else None
        while not concurrent.futures.wait([done], step).done:
            pass
        return done.result()

    @property
    def alive(self) -> bool:
        """The loop runs. In a forked process it does not."""
        return self._thread.is_alive()

    def interrupt(self) -> None:
        """End all work within a moment, and take on no more. May be called from any thread, and twice."""
        self._loop.call_soon_threadsafe(self._interrupt)

    def close(self) -> None:
        """Close the connections and end the loop's thread."""
        asyncio.run_coroutine_threadsafe(self.client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _interrupt(self) -> None:
        self._interrupted = True
        for task in self._at_work:
            task.cancel()
        if self._at_work:
            # anyio before 4.16 loses a cancellation that meets the end of a connect (agronholm/anyio#1214).
            self._loop.call_later(0.1, self._interrupt)


_shared: dict[Settings, Runtime] = {}
_shared_lock = threading.Lock()


def shared_runtime(settings: Settings, on_new: Callable[[Runtime], object] = lambda _: None) -> Runtime:
    """
    Return the process's one runtime for *settings*.

    Args:
        settings: Where the API is and how to speak to it.
        on_new: Is told of a runtime that has just been made.
    """
    with _shared_lock:
        if settings not in _shared or not _shared[settings].alive:
            _shared[settings] = Runtime(settings)
            on_new(_shared[settings])
        return _shared[settings]
