"""Ctrl-C: whether the engine has told this process to stop, passed on to ``Runtime.interrupt``."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancellation:
    """A cancellation that cannot be undone. Thread-safe."""

    def __init__(self) -> None:
        # Reentrant, because a second signal may interrupt the handler of the first.
        self._lock = threading.RLock()
        self._happened = False
        self._listeners: list[Callable[[], None]] = []

    def announce(self) -> None:
        """Tell all listeners, once: the engine cancels twice on Ctrl-C, and also at every operation's normal end."""
        with self._lock:
            listeners, self._listeners, self._happened = self._listeners, [], True
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener* when it happens, or now if it has."""
        with self._lock:
            if not self._happened:
                self._listeners.append(listener)
                return
        listener()


# The engine cancels a process, not a call.
cancellation = Cancellation()
