"""One call of the engine: send it status messages during the call, and report errors."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from nugen_pulumi.engine.cancellation import cancellation
from nugen_pulumi.settings import Settings

if TYPE_CHECKING:
    from nugen_pulumi.waiting.runtime import Runtime


# Seconds between two messages to the engine. One for each line would cost half as much as the HTTP request that it is
# about: 220 against 450 microseconds of processor time.
_BETWEEN_MESSAGES = 1.0


class DebugLog:
    """Gathers lines, and passes them on together by means of *send*. Thread-safe."""

    def __init__(self, send: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._sent_at = clock()

    def add(self, line: str) -> None:
        """Pass *line* on: at once, or together with those that follow within a second."""
        with self._lock:
            self._lines.append(line)
            due = self._clock() - self._sent_at >= _BETWEEN_MESSAGES
        if due:
            self.flush()

    def flush(self) -> None:
        """Pass on what was gathered."""
        with self._lock:
            lines, self._lines, self._sent_at = self._lines, [], self._clock()
        if lines:
            self._send("\ndebug: ".join(lines))  # as the engine begins a message, so that a search finds each line


_UNKNOWN = 2  # gRPC's code for an error that has only a message


class Call:
    """
    A call that is being answered. Source: Pulumi's provider protocol, ``proto/pulumi/provider.proto``.

    Args:
        urn: The resource; empty if the call is about none.
        timeout: The operation's ``customTimeouts`` in seconds, or None.
        context: The call's gRPC context, or None where it is not known: then the engine is told nothing.
        find: Looks a setting such as ``nugen:apiKey`` up.
    """

    def __init__(
        self,
        urn: str = "",
        timeout: float | None = None,
        context: Any = None,
        find: Callable[[str], Any] = lambda _: None,
    ) -> None:
        self._find = find
        self.urn = urn
        self.timeout = timeout
        self._context = context
        self._answered = threading.Event()

    def report(self, line: str) -> None:
        """Show *line* in the resource's own row until something else is shown there. Never fails, never blocks."""
        self._log(line, severity=engine_pb2.INFO, ephemeral=True)

    def warn(self, message: str) -> None:
        """Show *message* among the operation's diagnostics. Never fails, never blocks."""
        self._log(message, severity=engine_pb2.WARNING, ephemeral=False)

    def debug(self, line: str) -> None:
        """Log *line* for who runs the engine with ``--debug`` only. Never fails, never blocks."""
        _debug_log.add(line)

    def _log(self, message: str, **how: Any) -> None:
        _log(message, urn=self.urn, **how)

    def fail(self, message: str, kept: tuple[str, struct_pb2.Struct] | None = None) -> None:
        """
        Have the error that is about to be raised reach the user as *message*, without its traceback.

        Call this last: if the call succeeds after this metadata was set, the engine reports an error.

        Args:
            message: What the user reads.
            kept: Id and properties of the resource that is to stay in state, with *message* as its init error; the next
                ``pulumi up`` then calls Update. None: nothing is kept.
        """
        details = []
        if kept is not None:
            detail = any_pb2.Any()
            detail.Pack(provider_pb2.ErrorResourceInitFailed(id=kept[0], properties=kept[1], reasons=[message]))
            details.append(detail)
        if self._context is not None:
            status = status_pb2.Status(code=_UNKNOWN, message=message, details=details)
            # The engine believes these details rather than the text of the error.
            self._context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))

    def runtime(self) -> Runtime:
        """Return the process's runtime. Its waits end if the operation is cancelled, or the engine goes away."""
        # The one deferred import: keeps httpx and pydantic out of users' programs and out of previews.
        from nugen_pulumi.waiting.runtime import shared_runtime  # noqa: PLC0415

        shared = shared_runtime(Settings.find(self._find), lambda new: cancellation.listen(new.interrupt))
        self.end_if_left()
        return shared

    def end_if_left(self) -> None:
        """End this process if the engine goes away before this call is answered: it never comes back."""

        def ended() -> None:
            if not self._answered.is_set():
                os._exit(0)

        if self._context is not None and not self._context.add_callback(ended):
            ended()

    @contextmanager
    def in_progress(self) -> Iterator[None]:
        """Within the block the answer is worked on: only then can the engine be lost."""
        try:
            yield
        finally:
            self._answered.set()
            _debug_log.flush()


def _log(message: str, **how: Any) -> None:
    with suppress(Exception):
        if (engine := _engine()) is not None:
            sending = engine.Log.future(engine_pb2.LogRequest(message=message, **how), timeout=5)
            # gRPC cancels a call that nobody holds.
            _logs_under_way.add(sending)
            sending.add_done_callback(_logs_under_way.discard)


_logs_under_way: set[Any] = set()
# One for the process: each line names its model.
_debug_log = DebugLog(lambda message: _log(message, severity=engine_pb2.DEBUG))


@cache
def end_with_engine() -> None:
    """End this process when its standard input ends, which the engine leaves open for as long as it lives."""
    with suppress(OSError):  # it may be closed, or be another kind of file
        if stat.S_ISFIFO(os.fstat(0).st_mode):  # pragma: no branch - `provider/` is started with another one
            threading.Thread(target=_end_with_input, name="nugen-engine", daemon=True).start()


def _end_with_input() -> None:
    # Not `sys.stdin`: a thread that waits in there aborts the interpreter at its end.
    while os.read(0, 4096):
        pass  # pragma: no cover - the engine writes nothing
    os._exit(0)  # pragma: no cover - nothing is recorded of a process that ends at once


@cache
def _engine() -> Any:
    """Return a stub for the engine that started this process, or None. The engine's address is our last argument."""
    address = sys.argv[-1]
    if not re.fullmatch(r"[\w.\[\]:-]+:\d+", address):
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
