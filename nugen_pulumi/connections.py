"""The connections that requests go over: how many, with which certificates, through which proxy. Sends nothing."""

from __future__ import annotations

import importlib.util
import ssl
import sys
from urllib.request import getproxies, proxy_bypass

import httpx

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

# httpcore tries to import sniffio at each lock of each exchange (_synchronization.py, current_async_library). Where it
# is not installed each try searches sys.path anew, a quarter of an exchange's time: this says so once and for all.
if importlib.util.find_spec("sniffio") is None:  # pragma: no branch - it is not among what the tests install
    sys.modules["sniffio"] = None  # type: ignore[assignment]


def make_connections(settings: Settings) -> list[httpx.AsyncBaseTransport]:
    """
    Make as many connections as requests may be under way; none is opened before its first request.

    They are httpx's transports, one connection each, without its client around them: what the client adds (redirects,
    cookies, authentication) is what must not happen here, and the time it spends on each request grows with the size of
    its pool. docs/benchmarks.md has the numbers.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """
    try:
        base_url = httpx.URL(settings.base_url)
        host = base_url.host
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise SettingsError(f"{settings.base_url_source} is not a URL: {printable(str(exc))}.") from exc
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60.0)
    try:
        if base_url.scheme == "http":
            # Settings allow it to loopback only. It needs no certificates, whose loading would cost more than an
            # exchange, and a proxy would see the key.
            certificates, proxy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), None
        else:
            certificates = httpx.create_ssl_context()
            named = getproxies()
            proxy = None if proxy_bypass(host) else named.get("https") or named.get("all")
        return [
            httpx.AsyncHTTPTransport(verify=certificates, limits=limits, proxy=proxy)
            for _ in range(settings.max_concurrent_requests)
        ]
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as exc:
        raise SettingsError(
            "The proxies or certificates that the environment names (HTTPS_PROXY, ALL_PROXY, NO_PROXY,"
            f" SSL_CERT_FILE, SSL_CERT_DIR) cannot be used: {printable(str(exc))}."
        ) from exc
