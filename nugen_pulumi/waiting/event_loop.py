"""An event loop with cancellable DNS look-ups."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """
    Looks names up in daemon threads, one for each name at a time.

    asyncio's own loop has a handful of threads for that, and a system's resolver can take a minute: look-ups that
    nobody waits for any more would keep those threads from the next ones, and the process from ending.
    """

    def __init__(self) -> None:
        super().__init__()
        self._clock_resolution = time.get_clock_info("perf_counter").resolution  # pauses may end early by as much
        self._looked_up: dict[Any, asyncio.Future[Any]] = {}

    def time(self) -> float:
        """As :meth:`asyncio.loop.time`. Before Python 3.13, its own clock has steps of 16 ms on Windows."""
        return time.perf_counter()

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - its name in asyncio
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As :meth:`asyncio.loop.getaddrinfo`."""
        query = (host, port, family, type, proto, flags)
        if query not in self._looked_up:
            self._looked_up[query] = self.create_future()
            threading.Thread(target=self._look_up, args=(query,), name="nugen-names", daemon=True).start()
        return await asyncio.shield(self._looked_up[query])

    def _look_up(self, query: Any) -> None:
        try:
            found, error = socket.getaddrinfo(*query), None
        except Exception as exc:  # noqa: BLE001 - whatever it is belongs to who asked
            found, error = [], exc
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self.call_soon_threadsafe(self._found, query, found, error)

    def _found(self, query: Any, found: Any, error: Exception | None) -> None:
        future = self._looked_up.pop(query)
        if error is None:
            future.set_result(found)
        else:
            future.set_exception(error)
            future.exception()  # nobody may be waiting for it any more
