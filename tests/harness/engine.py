"""As much of the engine as a provider process speaks to, a log; and the context of a call that comes from it."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class Engine(engine_pb2_grpc.EngineServicer):
    """
    Remembers what it is told to show, and what only who debugs would see.

    A context manager; `address` is the provider's last argument.
    """

    def __init__(self):
        self.logged = []
        self.debugged = []

    def Log(self, request, _context):  # noqa: N802 - the name is the protocol's
        (self.debugged if request.severity == engine_pb2.DEBUG else self.logged).append(request)
        return empty_pb2.Empty()

    def __enter__(self):
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(0).wait()


class Context:
    """A gRPC context that remembers."""

    def __init__(self, *, active=True):
        self.metadata = None
        self.callbacks = []
        self._active = active

    def set_trailing_metadata(self, metadata):
        self.metadata = metadata

    def add_callback(self, callback):
        self.callbacks.append(callback)
        return self._active
