"""
All workarounds that use private parts of Pulumi's dynamic host (``pulumi/dynamic/__main__.py``). Independent of Nugen.

The stock host runs four calls at a time, cannot be cancelled, shows nothing while a call runs, answers an error with a
traceback, forgets a resource whose creation failed and leaves calls unanswered at SIGTERM. Each function here is one
workaround. Each workaround first checks that the private part exists. If it does not, the resource works without that
feature. Seen with SDK 3.139 and 3.272, and CPython 3.11 and 3.14.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from nugen_pulumi.engine.call import Call, end_with_engine

_PROVIDER = "__provider"


class HostCall(Call):
    """
    The call of the engine that the current thread answers.

    Args:
        request: The request as it came over the wire, or None where it cannot be found.
        context: Its gRPC context, or None.
        find: Looks a setting such as ``nugen:apiKey`` up.
    """

    def __init__(self, request: Any = None, context: Any = None, find: Callable[[str], Any] = lambda _: None) -> None:
        # The host drops customTimeouts on their way to a provider.
        super().__init__(getattr(request, "urn", ""), getattr(request, "timeout", 0.0) or None, context, find)
        self._request = request

    @classmethod
    def current(cls, find: Callable[[str], Any] = lambda _: None) -> HostCall:
        """
        Find the call among the frames of this thread: the host hands a provider neither request nor context.

        May go when ``ResourceProvider`` is given them.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() reads source files for every frame
        while frame is not None:
            request, context = frame.f_locals.get("request"), frame.f_locals.get("context")
            if hasattr(request, "urn") and hasattr(context, "set_trailing_metadata"):
                return cls(request, context, find)
            frame = frame.f_back  # type: ignore[assignment]
        return cls(find=find)

    def fail_but_keep(self, message: str, id_: str, outputs: Mapping[str, Any]) -> None:
        """
        As :meth:`fail`, but have the engine keep the resource with *outputs*.

        May go when the host can answer ``ErrorResourceInitFailed`` itself, as Node's does.
        """
        given = getattr(self._request, "news", None) or getattr(self._request, "properties", None)
        if given is None or _PROVIDER not in given.fields:
            return self.fail(message)
        properties = struct_pb2.Struct()
        properties.CopyFrom(asyncio.run(rpc.serialize_properties(dict(outputs), {})))
        # The next refresh or destroy needs this to unpickle the provider.
        properties.fields[_PROVIDER].CopyFrom(given.fields[_PROVIDER])
        return self.fail(message, kept=(id_, properties))


def same_provider(olds: Mapping[str, object], news: Mapping[str, object]) -> bool:
    """
    Tell whether state and program hold the same pickled provider.

    The first four characters hold the protocol, which depends on the version of Python: 4 before 3.14, and 5 from then
    on. A team that uses both must not see an update each time.
    """
    old, new = (str(props.get(_PROVIDER)) for props in (olds, news))
    return old[4:] == new[4:]


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


def hear_cancel() -> bool:
    """
    Have the host's ``Cancel``, which does nothing, announce the process's cancellation; return whether it will.

    gRPC keeps a reference to the bound method from the start of the process. Replacing the method has no effect, so
    this function replaces its code. May go when the host passes Cancel on to providers.
    """
    cancel = getattr(_servicer(), "Cancel", None)
    if not isinstance(cancel, FunctionType) or cancel.__code__.co_freevars or cancel.__code__.co_argcount != 3:
        return False
    cancel.__code__ = _cancel.__code__
    return True


def _cancel(_self: Any, _request: Any, _context: Any) -> Any:
    # Runs as the host's own function: nothing of this module's globals is in reach.
    from google.protobuf.empty_pb2 import Empty  # noqa: PLC0415

    from nugen_pulumi.engine.cancellation import cancellation  # noqa: PLC0415

    cancellation.announce()
    return Empty()


def ignore_sigterm() -> bool:
    """
    Answer the engine's calls after a SIGTERM, too; return whether the process does.

    systemd, Jenkins and others send SIGTERM to the whole process tree. The engine then cancels its calls, saves what
    they answer, and interrupts this process. Python's own ``signal`` refuses threads, and the host configures a
    provider in one. May go when the host itself answers its calls before it ends.
    """
    try:
        import ctypes  # noqa: PLC0415 - there are builds of Python without it

        set_handler = ctypes.pythonapi.PyOS_setsig
    except (ImportError, AttributeError):
        return False
    if _servicer() is None:
        return False
    set_handler.argtypes, set_handler.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    set_handler(signal.SIGTERM, signal.SIG_IGN)
    # SIGTERM no longer removes a process that its engine has left.
    end_with_engine()
    return True


def _servicer() -> Any:
    """Return what answers the calls if this is the process of the host, or None."""
    return getattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer", None)
