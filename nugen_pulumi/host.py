"""
All that reaches into Pulumi's dynamic host (``pulumi/dynamic/__main__.py``). Knows nothing of Nugen.

The stock host runs four calls at a time, cannot be cancelled, shows nothing while a call runs, answers an error with a
traceback and forgets a resource whose creation failed. Each function here is one way through. Each first checks whether
what it leans on is there; where it is not, the resource works without that comfort. Seen with SDK 3.268 to 3.272 and
CPython 3.10 to 3.13.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from types import FunctionType
from typing import Any

import grpc
from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

_PROVIDER = "__provider"
_UNKNOWN = 2  # gRPC's code for an error that has only a message


_lines_under_way: set[Any] = set()


class Call:
    """
    The call of the engine that the current thread answers.

    Args:
        request: The request as it came over the wire, or None where it cannot be found.
        context: Its gRPC context, or None.

    Attributes:
        urn: The resource, or empty.
        timeout: The operation's ``customTimeouts`` in seconds, or None. The host drops them on its way to us.
    """

    def __init__(self, request: Any = None, context: Any = None) -> None:
        self.urn: str = getattr(request, "urn", "")
        self.timeout: float | None = getattr(request, "timeout", 0.0) or None
        self._request = request
        self._context = context
        self._answered = threading.Event()

    @classmethod
    def current(cls) -> Call:
        """
        Find the call among the frames of this thread: the host hands a provider neither request nor context.

        May go when ``ResourceProvider`` is given them.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() reads source files for every frame
        while frame is not None:
            request, context = frame.f_locals.get("request"), frame.f_locals.get("context")
            if hasattr(request, "urn") and hasattr(context, "set_trailing_metadata"):
                return cls(request, context)
            frame = frame.f_back  # type: ignore[assignment]
        return cls()

    def say(self, text: str) -> None:
        """Show *text* in the resource's own row until something else is shown there. Never fails, never blocks."""
        self._log(text, severity=engine_pb2.INFO, ephemeral=True)

    def warn(self, text: str) -> None:
        """Show *text* among the operation's diagnostics. Never fails, never blocks."""
        self._log(text, severity=engine_pb2.WARNING, ephemeral=False)

    def _log(self, text: str, **how: Any) -> None:
        with suppress(Exception):
            if self.urn and (engine := _engine()) is not None:
                line = engine_pb2.LogRequest(message=text, urn=self.urn, **how)
                sending = engine.Log.future(line, timeout=5)
                # gRPC cancels a call that nobody holds.
                _lines_under_way.add(sending)
                sending.add_done_callback(_lines_under_way.discard)

    def fail(self, message: str) -> None:
        """Have the error that is about to be raised reach the user as *message*, without its traceback."""
        self._detail(status_pb2.Status(code=_UNKNOWN, message=message))

    def fail_but_keep(self, message: str, id_: str, outputs: Mapping[str, Any]) -> None:
        """
        As :meth:`fail`, but let the engine keep the resource, with *outputs* and *message* as its init error.

        The next ``pulumi up`` then calls ``update``. May go when the host can answer ``ErrorResourceInitFailed``
        itself, as Node's does.
        """
        kept = struct_pb2.Struct()
        given = getattr(self._request, "news", None) or getattr(self._request, "properties", None)
        if given is None or _PROVIDER not in given.fields:
            return self.fail(message)
        kept.CopyFrom(asyncio.run(rpc.serialize_properties(dict(outputs), {})))
        # Without it the next refresh or destroy could not unpickle the provider.
        kept.fields[_PROVIDER].CopyFrom(given.fields[_PROVIDER])
        detail = any_pb2.Any()
        detail.Pack(provider_pb2.ErrorResourceInitFailed(id=id_, properties=kept, reasons=[message]))
        return self._detail(status_pb2.Status(code=_UNKNOWN, message=message, details=[detail]))

    def on_lost(self, abandon: Callable[[], None]) -> None:
        """
        Call *abandon* if the engine goes away before this call is answered.

        An engine that was killed never comes back, but the host would live on for ever: it is made to stop, too.
        """

        def ended() -> None:
            if not self._answered.is_set():
                abandon()
                stop_process()

        if self._context is not None and not self._context.add_callback(ended):
            ended()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Within the block the answer is worked on: only then can the engine be lost."""
        try:
            yield
        finally:
            self._answered.set()

    def _detail(self, status: Any) -> None:
        if self._context is not None:
            # The engine believes these details rather than the traceback that the host puts into the error.
            self._context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))


def widen_pool(workers: int = 512) -> bool:
    """
    Let the host answer *workers* calls at a time instead of four; return whether it does.

    With four, a fifth call waits for a wait: Check, which stalls the whole deployment, and Cancel, too. To be called
    on one of the pool's own threads. May go when ``main()`` of the host takes the number from somewhere.
    """
    # CPython hands each thread of a pool a weak reference to the pool (concurrent/futures/thread.py, _worker).
    pool = next(
        (
            arg()
            for arg in getattr(threading.current_thread(), "_args", ())
            if isinstance(arg, weakref.ref) and isinstance(arg(), ThreadPoolExecutor)
        ),
        None,
    )
    if pool is None or not {"_max_workers", "_idle_semaphore", "_work_queue", "_adjust_thread_count"} <= set(dir(pool)):
        return False
    internals: Any = pool
    internals._max_workers = max(workers, internals._max_workers)  # noqa: SLF001
    internals._idle_semaphore = _NobodyIdle()  # noqa: SLF001
    for _ in range(internals._work_queue.qsize()):  # noqa: SLF001
        # A pool makes a thread when something is submitted: calls that came before us have had their turn.
        internals._adjust_thread_count()  # noqa: SLF001
    return True


class _NobodyIdle:
    """
    Makes a pool start a thread for each call until it has them all.

    A pool's own count of idle threads is too high after a rush: before Python 3.12 a thread counts itself as idle after
    each call, even if it goes straight on to the next. A call would then be left to a thread that is in a wait.
    """

    def acquire(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as a semaphore is asked
        return False

    def release(self) -> None:
        pass


class _Cancellation:
    """Whether the engine has told this process to stop, and who wants to know. It never un-happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._happened = False
        self._listeners: list[Callable[[], None]] = []

    def announce(self) -> None:
        """Tell all listeners, once: the engine says it twice on Ctrl-C, and also at every operation's normal end."""
        with self._lock:
            listeners, self._listeners, self._happened = self._listeners, [], True
        for listener in listeners:
            listener()

    def tell(self, listener: Callable[[], None]) -> None:
        """Call *listener* when it happens, or now if it has."""
        with self._lock:
            if not self._happened:
                self._listeners.append(listener)
                return
        listener()


cancellation = _Cancellation()


def hear_cancel() -> bool:
    """
    Have the host's ``Cancel``, which does nothing, announce :data:`cancellation`; return whether it will.

    gRPC has got hold of the bound method when the process started, so that replacing it is too late: its code is
    replaced. May go when the host passes Cancel on to providers.
    """
    servicer = getattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer", None)
    cancel = getattr(servicer, "Cancel", None)
    if not isinstance(cancel, FunctionType) or cancel.__code__.co_freevars or cancel.__code__.co_argcount != 3:
        return False
    cancel.__code__ = _cancel.__code__
    return True


def _cancel(_self: Any, _request: Any, _context: Any) -> Any:
    # Runs as the host's own function: nothing of this module's globals is in reach.
    from google.protobuf.empty_pb2 import Empty  # noqa: PLC0415

    from nugen_pulumi.host import cancellation  # noqa: PLC0415

    cancellation.announce()
    return Empty()


_first_to_stop = threading.Lock()


def stop_process() -> None:
    """End the host as at the normal end of an operation: it stops its server when it is interrupted."""
    # Never released: a second interrupt would kill the host in the middle of stopping.
    if _first_to_stop.acquire(blocking=False):
        os.kill(os.getpid(), signal.SIGINT)


@cache
def _engine() -> Any:
    """Return a stub for the engine that started this process, or None. The engine's address is our last argument."""
    address = sys.argv[-1]
    if not re.fullmatch(r"[\w.\[\]:-]+:\d+", address):
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
