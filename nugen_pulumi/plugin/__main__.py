"""
The process of the plugin ``pulumi-resource-nugen``: starts and stops the gRPC server.

The engine starts it with its own address as the last argument, and reads from its output the port that it listens on.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from nugen_pulumi.engine.cancellation import cancellation
from nugen_pulumi.plugin.servicer import Servicer

# What the engine itself allows (sdk/go/common/util/rpcutil); and as many calls at a time as the dynamic face.
_LARGEST_MESSAGE = 400 * 1024 * 1024
_CALLS = 512
# Seconds that calls in progress have to answer when the process is told to stop.
_GRACE = 10.0


def serve() -> None:
    """Serve until interrupted, told to end, or left by the engine; the calls under way are answered first."""
    options = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=_CALLS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(getattr(signal, "SIGBREAK", signal.SIGINT), stop)  # the engine's interrupt on Windows
    signal.signal(signal.SIGTERM, lambda *_: _told_to_end(stop))
    if stat.S_ISFIFO(os.fstat(0).st_mode):  # pragma: no branch - what the engine leaves open for as long as it lives
        threading.Thread(target=_watch, args=(stop,), name="nugen-engine", daemon=True).start()
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # In steps: no lock is safe in the handler of a signal, and where another thread is given the signal, as always on
    # Windows, nothing ends a wait of the main one.
    while not stopped:
        time.sleep(0.05)
    cancellation.announce()
    server.stop(_GRACE).wait()


def _told_to_end(stop: Callable[[], None]) -> None:
    """End all waits; stay until the engine interrupts us, as it does when it has recorded what is known."""
    cancellation.announce()
    # A supervisor's SIGTERM reaches the engine, too. It takes a plugin that ends before it for one that has crashed.
    timer = threading.Timer(_GRACE, stop)
    timer.daemon = True
    timer.start()


def _watch(stop: Callable[[], None]) -> None:
    # Not `sys.stdin`: a thread that waits in there aborts the interpreter at its end.
    while os.read(0, 4096):
        pass  # pragma: no cover - the engine writes nothing
    stop()  # pragma: no cover - the process ends while this is recorded


def main() -> None:
    """Be ``pulumi-resource-nugen``."""
    serve()


if __name__ == "__main__":  # pragma: no branch - the command imports this
    main()
