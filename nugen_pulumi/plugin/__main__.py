"""
The process of the plugin ``pulumi-resource-nugen``: starts and stops the gRPC server.

The engine starts it with its own address as the last argument, and reads from its output the port that it listens on.
"""

from __future__ import annotations

import signal
import sys
import time

from nugen_pulumi.engine.cancellation import cancellation

# What the engine itself allows (sdk/go/common/util/rpcutil); and as many calls at a time as the dynamic face.
_LARGEST_MESSAGE = 400 * 1024 * 1024
_CALLS = 512
# Seconds that calls in progress have to answer when the process is told to stop.
_GRACE = 10.0


def main() -> None:
    """Serve until interrupted or left by the engine; the calls under way are answered before an interrupt ends it."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(getattr(signal, "SIGBREAK", signal.SIGINT), stop)  # the engine's interrupt on Windows
    # A supervisor's reaches the engine, too, which cancels its calls, saves what they answer, and interrupts us.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    # Slow, and so after the signals: the engine takes a plugin that ends by itself for one that has crashed.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    import grpc  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2_grpc  # noqa: PLC0415

    from nugen_pulumi.engine.call import end_with_engine  # noqa: PLC0415
    from nugen_pulumi.plugin.servicer import Servicer  # noqa: PLC0415

    end_with_engine()
    options = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=_CALLS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
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


if __name__ == "__main__":  # pragma: no branch - the command imports this
    main()
