"""The emulator as one thing to start, script, question and stop."""

import asyncio
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self

from uvicorn import Config
from uvicorn.server import ServerState

from nugen_pulumi.emulator.app import Paths, create_app
from nugen_pulumi.emulator.faults import Fault
from nugen_pulumi.emulator.model import State, Traits
from nugen_pulumi.emulator.network import Connection, Gate, Limit
from nugen_pulumi.emulator.stories import nobody, story
from nugen_pulumi.emulator.world import Endpoint, ListShape, World

_STORIES: Final = {"added": nobody, "any": story}

# Hundreds of clients may knock at once.
_BACKLOG: Final = 2048


class Emulator:
    """
    The Nugen API on loopback, in a thread, from ``with`` to the end of its block.

    Args:
        api_key: The only key to accept, str. Default ``None``: any, but there must be one.
        undeploy_seconds: How long an undeployment takes, seconds, float. Default 0.2.
        deploy_seconds: How long a deployment takes, seconds, float. Default ``None``: as long as an undeployment.
        port: Where to listen on 127.0.0.1, int. Default 0: the system chooses.
        models: Which models exist: ``"added"`` with ``add`` or a script, or ``"any"``, with the stories that their
            ids tell. Default ``"added"``.
        paths: Which family of paths is served: ``"documented"``, ``"newer"`` or ``"both"``. The other one has no route,
            but ``verify`` does not complain of requests to it. Default ``"documented"``.
        list_shape: How the list describes models, ``"old"`` or ``"new"``. Default ``"old"``.
        list_lags: The list answers what was true when it was asked for the last time, bool. Default False.
        faults: What the first status answers of each model meet, in each direction, that no script speaks for,
            ``Fault``s or tuples of them. Default: nothing.
        rate: Requests a second that are admitted, float. Default ``None``: no limit.
        burst: Requests that are admitted at once after a pause, int. Default 1.
        refuse: What the others are refused with, 429 or 503. Default 429.
        latency: Seconds on the way, there and back, float. Default 0.
        drop_used: Close a connection that has carried a request when the next one arrives, bool. Default False.
        tls: What to encrypt with; the clients must trust its certificate. Default ``None``: plain HTTP.

    Attributes:
        url: Where it is, without a path and a trailing slash, str.
        list_shape: As given; may be set at any time.
        list_lags: As given; may be set at any time.

    Raises:
        ValueError: One of *rate*, *burst*, *refuse* and *latency* cannot be.
    """

    url: str

    def __init__(
        self,
        *,
        api_key: str | None = None,
        undeploy_seconds: float = 0.2,
        deploy_seconds: float | None = None,
        port: int = 0,
        models: Literal["added", "any"] = "added",
        paths: Paths = "documented",
        list_shape: ListShape = "old",
        list_lags: bool = False,
        faults: Sequence[Fault | tuple[Fault, ...]] = (),
        rate: float | None = None,
        burst: int = 1,
        refuse: int = 429,
        latency: float = 0.0,
        drop_used: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._world = World(
            undeploy_seconds=undeploy_seconds,
            deploy_seconds=deploy_seconds,
            list_shape=list_shape,
            list_lags=list_lags,
            stories=_STORIES[models],
            faults=faults,
        )
        self._port = port
        self._tls = tls
        self._ready = threading.Event()
        self._config = Config(
            create_app(self._world, api_key, Gate(Limit(rate, burst), refuse, latency, drop_used), paths),
            ws="none",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=60,  # longer than any pause between two polls
        )

    def __enter__(self) -> Self:
        """Start to listen."""
        # Bound here, so that a port that is taken is the caller's error.
        listener = _listener(self._port)
        self.url = f"{'http' if self._tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
        self._config.load()
        self._thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cut all connections and end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self, listener: socket.socket) -> None:
        # Windows' default is another loop, which has no `remove_reader`.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        # Not `uvicorn.Server`: its ticks would cost each start and stop a tenth of a second or two.
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        state = ServerState()
        server = await self._loop.create_server(
            lambda: Connection(self._config, state, {}), sock=listener, backlog=_BACKLOG, ssl=self._tls
        )
        self._ready.set()
        await self._stop.wait()
        # A connection that was accepted just now is made, and so can be cut, only some turns of the loop later; asyncio
        # forgets to close it if the server is closed before.
        self._loop.remove_reader(listener)
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks)

    def add(self, model_id: str, **traits: Any) -> None:
        """Let there be a model, deployed unless *traits*, the fields of ``Traits``, say otherwise."""
        self._world.add(model_id, Traits(**traits))

    def redeploy(self, model_id: str) -> None:
        """Deploy a model again, as somebody else might. Raises ``KeyError`` if there is none."""
        self._world.redeploy(model_id)

    def state(self, model_id: str) -> State:
        """Return what a model is now, without a request. Raises ``KeyError`` if there is none."""
        return self._world.state(model_id)

    @property
    def list_shape(self) -> ListShape:
        """How the list describes models."""
        return self._world.list_shape

    @list_shape.setter
    def list_shape(self, shape: ListShape) -> None:
        self._world.list_shape = shape

    @property
    def list_lags(self) -> bool:
        """Whether the list answers what was true when it was asked for the last time."""
        return self._world.list_lags

    @list_lags.setter
    def list_lags(self, lags: bool) -> None:
        self._world.list_lags = lags

    def script(self, model_id: str, *elements: Any) -> None:
        """
        Queue exact answers to status requests for *model_id*.

        They come before what the model, if it was added, would answer, and do not change it. An element is

        * a str: 200 with this status word, of any case, known or not
        * an int: that HTTP status, with the body it is known with, below 400 with none
        * a ``StatusBody`` or an ``Answer``, such as each function of ``catalogue`` returns
        * a ``Fault``, such as each function of ``faults`` returns: what is wrong with the answer that the model, or one
          that is PENDING if there is none, would give
        * a tuple: its elements, one after the other
        * anything else: 200 with that JSON
        """
        self._world.script(Endpoint.STATUS, model_id, elements)

    def script_undeploy(self, model_id: str, *elements: Any) -> None:
        """
        Queue exact answers to DELETE requests for *model_id*.

        As ``script``, except that a str is JSON like any other, a 400 says "already undeployed", and 200 to 202 come
        with the id. A ``Fault`` leaves the model as it is, unless it is ``carried_out``.
        """
        self._world.script(Endpoint.UNDEPLOY, model_id, elements)

    def script_deploy_status(self, model_id: str, *elements: Any) -> None:
        """Queue exact answers to requests for the status of the deployment of *model_id*. As ``script``."""
        self._world.script(Endpoint.DEPLOY_STATUS, model_id, elements)

    def script_deploy(self, model_id: str, *elements: Any) -> None:
        """Queue exact answers to POST requests for *model_id*. As ``script_undeploy``; 400: "already deployed"."""
        self._world.script(Endpoint.DEPLOY, model_id, elements)

    def script_list(self, *elements: Any) -> None:
        """Queue exact answers to requests for the list of models: an int, an ``Answer``, a ``Fault``, or JSON."""
        self._world.script(Endpoint.LIST, "", elements)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and path, as it was sent, of each request that got as far as the API; a copy."""
        return self._world.requests

    @property
    def stopped(self) -> list[tuple[str, str]]:
        """Likewise of each that did not: beyond the limit, or over a connection that was closed. A copy."""
        return self._world.stopped

    def reset(self) -> None:
        """Forget models, scripts and requests."""
        self._world.reset()

    def verify(self) -> None:
        """Raise ``AssertionError``, naming them, if there were unexpected requests or are unused script elements."""
        self._world.verify()


def _listener(port: int) -> socket.socket:
    # Not `socket.create_server`: asyncio turns Nagle's 40 ms off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows this would let another process listen on the same port, and a port is free again at once anyway.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, sys.platform != "win32")
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener
