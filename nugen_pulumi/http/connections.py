"""Connections to the API, with their certificates, proxy and keep-alive time."""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx
import truststore

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http.network_errors import Route
from nugen_pulumi.http.proxies import find_proxy
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

_KEEP_ALIVE = 60.0
# Where systems keep their certificates, for a Python that was built for another one: BSD, Red Hat, Debian, SUSE.
_BUNDLES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)


class Connection(httpx.AsyncBaseTransport):
    """
    One HTTP/1.1 connection for one request at a time, opened at its first request.

    It is one of httpcore's, which httpx stands on, without the pool around it: a request that is cut can leave a pool
    with a connection that nobody owns (httpcore #830, #1093), and a pool's work for each request grows with its size.
    An ``httpx.AsyncHTTPTransport`` of one connection was tried in its place: it took a third more processor time for
    each request (560 against 420 microseconds, 1000 models in 1.04 of the time), and has no way to see surplus bytes: a
    response that came twice was believed as the next status of its model.
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
        return self._remembered(await self._network.connect_tcp(host, port, timeout, local_address, socket_options))

    def _remembered(self, stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
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


def certificates() -> tuple[ssl.SSLContext, str]:
    """
    Return what trusts the certificates that the environment names, or those of the system, and what to call them.

    Not the list that httpx brings along: the Pulumi CLI trusts the system's, to which companies add their own.

    Raises:
        SettingsError: They cannot be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    store = "the certificate store of the system"
    try:
        if file or folder:  # in the order of httpx (httpx/_config.py)
            store = f"SSL_CERT_FILE={printable(file)}" if file else f"SSL_CERT_DIR={printable(folder or '')}"
            context = ssl.create_default_context(cafile=file, capath=None if file else folder)
        elif sys.platform in ("win32", "darwin"):
            # Only the system itself can read these. On Linux, it would read a file for each connection: 100 ms.
            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        elif any(found := _of_system()):
            context = ssl.create_default_context(cafile=found[0], capath=found[1])
        else:
            store, context = "certifi's certificates (the system has none)", httpx.create_ssl_context(trust_env=False)
    except (OSError, ValueError) as exc:
        why = printable(getattr(exc, "strerror", None) or str(exc))
        source = store[0].upper() + store[1:]
        raise SettingsError(f"{source} contains no readable certificates ({why}): correct it, or unset it.") from exc
    # From Python 3.13 on the default is stricter than the CLI, curl and pip: it refuses the CAs of some companies.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context, store


def _of_system() -> tuple[Path | None, Path | None]:
    """Return the file of the system's certificates, or the folder, of which only those are read that are needed."""
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    if folder and any(re.fullmatch(r"[0-9a-f]{8}\.\d", path.name) for path in folder.iterdir()):
        return None, folder
    return next((file for name in (paths.cafile, *_BUNDLES) if name and (file := Path(name)).is_file()), None), None
