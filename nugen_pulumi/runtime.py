"""One event loop and one client for a whole provider process. The heavy imports come in with this module."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx

from nugen_pulumi.client import NugenClient
from nugen_pulumi.models import UndeployStatus
from nugen_pulumi.settings import Settings
from nugen_pulumi.undeployment import Undeployment
from nugen_pulumi.waiter import WaitPolicy

T = TypeVar("T")


class Runtime:
    """
    Waits and looks on behalf of threads: each call blocks its thread, all of them share one loop and one client.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Raises:
        SettingsError: The base URL's host cannot be a host.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = NugenClient(settings, transport=transport)
        self._loop = asyncio.new_event_loop()
        # A daemon, because Pulumi's host process ends without telling us.
        self._thread = threading.Thread(target=self._loop.run_forever, name="nugen-waits", daemon=True)
        self._thread.start()

    def wait(self, model_id: str, policy: WaitPolicy, *, trigger: bool = False) -> UndeployStatus:
        """Block until the undeployment is over: see :meth:`Undeployment.follow`."""

        async def waiting() -> UndeployStatus:
            return await Undeployment(self._client, model_id, policy).follow(trigger=trigger)

        return self._run(waiting())

    def look(self, model_id: str, *, trigger: bool = False) -> UndeployStatus:
        """Block for one look: see :meth:`Undeployment.glance`."""

        async def looking() -> UndeployStatus:
            return await Undeployment(self._client, model_id, WaitPolicy()).glance(trigger=trigger)

        return self._run(looking())

    def close(self) -> None:
        """Close the connections and end the loop's thread."""
        self._run(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


_shared: dict[Settings, Runtime] = {}
_shared_lock = threading.Lock()


def shared_runtime(settings: Settings) -> Runtime:
    """Return the process's one runtime for *settings*."""
    with _shared_lock:
        if settings not in _shared:
            _shared[settings] = Runtime(settings)
        return _shared[settings]
