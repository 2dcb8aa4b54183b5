"""Connections to the API, straight or through a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import httpcore
import httpx

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http.certificates import certificates
from nugen_pulumi.http.network_errors import Route
from nugen_pulumi.http.proxies import find_proxy
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

_KEEP_ALIVE = 60.0


class Connection(httpx.AsyncBaseTransport):
    """
    One HTTP/1.1 connection for one request at a time, opened at its first request.

    It is one of httpcore's, which httpx stands on, without the pool around it: a request that is cut can leave a pool
    with a connection that nobody owns (httpcore #830, #1093). An ``httpx.AsyncHTTPTransport`` took a third more
    processor time for each request, and has no way to see surplus bytes: a response that came twice was believed as the
    next status of its model.
    :meth:`aclose` closes every socket that was opened here, those in the middle of a TLS handshake among them.

    Args:
        new: Makes one of httpcore's, which opens its sockets through the network that it is given.
        through_proxy: It goes through a proxy. What goes wrong there is a :class:`httpcore.ProxyError`.
    """

    def __init__(
        self,
        new: Callable[[httpcore.AsyncNetworkBackend], httpcore.AsyncConnectionInterface],
        *,
        through_proxy: bool = False,
    ) -> None:
        self._through_proxy = through_proxy
        self._backend = _Backend()
        self._http = new(self._backend)
        self._at_proxy = False

    @property
    def reusable(self) -> bool:
        """
        It is still open, and the last response ended where it said that it would.

        Bytes beyond it would be taken for the next response. httpcore keeps them to itself: where they are not found
        the connection is not used again. May go when httpcore closes such connections.
        """
        http11 = getattr(self._http, "_connection", self._http)
        surplus = getattr(getattr(http11, "_h11_state", None), "trailing_data", None)
        return self._http.is_available() and not self._http.has_expired() and surplus == (b"", False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            extensions={"trace": self._trace} if self._through_proxy else {},
        )
        try:
            response = await self._http.handle_async_request(asked)
        except Exception as exc:
            if self._at_proxy:
                raise httpcore.ProxyError(str(exc)) from exc
            raise
        stream = cast("httpx.AsyncByteStream", response.stream)
        return httpx.Response(response.status, headers=response.headers, stream=stream)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._backend.aclose()

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Note whether the proxy itself is spoken to. An event of another name counts as speaking to the API."""
        if event.endswith(".started") and event != "http11.response_closed.started":  # that ends either
            connects = getattr(info.get("request"), "method", None) == b"CONNECT"
            self._at_proxy = event.startswith("connection.") or connects


class _Backend(httpcore.AsyncNetworkBackend):
    """httpcore's own network, which remembers what it has opened."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()
        self._open: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        self._open.append(stream)
        return stream

    async def aclose(self) -> None:
        """Close the sockets. A TLS stream's close_notify is left out: nothing is to be said on these any more."""
        streams, self._open = self._open, []
        for stream in streams:
            await stream.aclose()


def make_connector(settings: Settings) -> tuple[Callable[[], httpx.AsyncBaseTransport], Route]:
    """
    Return what makes connections to the API, and which way they go.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """
    try:
        url = httpx.URL(settings.base_url)
        host, port = url.host, url.port or 443
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise SettingsError(f"{settings.base_url_source} is not a URL: {printable(str(exc))}.") from exc
    if url.scheme == "http":
        # Settings allow it to loopback only. It needs no certificates, whose loading would cost more than a request,
        # and a proxy would see the key.
        trusted, store, proxy = None, "", None
    else:
        (trusted, store), proxy = certificates(), find_proxy(host, port)
    if proxy and ":" in host:
        raise SettingsError(
            f"{settings.base_url_source} has an IPv6 address, which cannot be reached through the proxy of"
            f" {proxy.source}: use a name, or add the address to NO_PROXY."
        )
    origin = httpcore.URL(f"{url.scheme}://{url.netloc.decode('ascii')}/").origin

    def new(backend: httpcore.AsyncNetworkBackend) -> httpcore.AsyncConnectionInterface:
        if proxy is None:
            return httpcore.AsyncHTTPConnection(
                origin, ssl_context=trusted, keepalive_expiry=_KEEP_ALIVE, network_backend=backend
            )
        # Only a pool makes connections through a proxy; nothing is sent through the pool itself.
        return httpcore.AsyncHTTPProxy(
            proxy.url,
            proxy_auth=proxy.auth,
            # The certificate of an https proxy is checked like the API's.
            proxy_ssl_context=trusted if proxy.url.startswith("https:") else None,
            ssl_context=trusted,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=backend,
        ).create_connection(origin)

    return lambda: Connection(new, through_proxy=proxy is not None), Route(proxy, store)
