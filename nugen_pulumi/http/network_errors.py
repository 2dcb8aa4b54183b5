"""Convert the errors of the network libraries into errors of this package. No other module does this."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import httpcore

from nugen_pulumi.errors import RejectedError, UnavailableError
from nugen_pulumi.http.proxies import Proxy
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

# Whose exceptions are about the network. ``ssl`` and ``socket`` raise kinds of OSError.
_LIBRARIES = frozenset({"httpcore", "h11", "anyio"})
# What fails before the TLS handshake is complete; anyio gathers what it met at each of a name's addresses. Whatever
# else fails may have been carried out, whatever it looks like: a damaged record can look like plain http.
_NEVER_SENT = (BaseExceptionGroup, httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError)

# X509_V_ERR_… of OpenSSL (x509_vfy.h), CERT_E_… of Windows and errSec… of macOS: expired; another host's certificate.
_EXPIRED = (10, 0x800B0101, -67818)
_OTHER_HOST = (62, 64, 0x800B010F, -67602)

# How OpenSSL calls a first record that is none of TLS.
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")


def is_network_error(exc: BaseException) -> bool:
    """Tell whether *exc* comes from the network or the libraries that speak to it, and not from a mistake of ours."""
    return all(
        isinstance(leaf, (OSError, EOFError)) or type(leaf).__module__.split(".")[0] in _LIBRARIES
        for leaf in _leaves(exc)
    )


class Route(NamedTuple):
    """
    Which way requests go.

    Attributes:
        proxy: The proxy that they go through, or None.
        store: What the certificates that are trusted are called.
    """

    proxy: Proxy | None = None
    store: str = ""


def network_error(exc: BaseException, settings: Settings, route: Route) -> UnavailableError | RejectedError:
    """
    Return what *exc* means.

    Args:
        exc: One of which :func:`is_network_error` is true.
        settings: Where the API is.
        route: Which way the request went.
    """
    where, setting = f"{settings.base_url} (from {settings.base_url_source})", "the base URL"
    causes = list(_causes(exc))
    if not isinstance(exc, _NEVER_SENT):
        return UnavailableError(f"connection lost ({_said(causes)}) to {where}")
    through = ""
    if route.proxy and isinstance(exc, httpcore.ProxyError):
        setting, through = route.proxy.source, "through "
        where = f"the proxy {route.proxy.url} (from {setting})"
        if str(exc).startswith("407"):
            auth = "does not accept its user and password" if route.proxy.auth else "wants a user and a password"
            return RejectedError(f"{where[0].upper()}{where[1:]} {auth} ({_bare(str(exc))}): correct {setting}.")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RejectedError(
                f"The certificate of {where} {_wrong(cause, setting, route.store)} ({_said([cause])})."
            )
    for cause in causes:
        # One that OpenSSL did not raise itself has no reason.
        if isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in _PLAIN_HTTP:
            return UnavailableError(f"{where} speaks plain http on this port, not https: check it", sent=False)
    return UnavailableError(f"cannot connect ({_said(causes)}) {through or 'to '}{where}", sent=False)


def _wrong(error: ssl.SSLCertVerificationError, setting: str, store: str) -> str:
    """Return what is wrong with a certificate, and what to do about it."""
    code = getattr(error, "verify_code", None)
    if code in _EXPIRED:
        return "has expired: renew it on the server, or correct the clock of this machine"
    if code in _OTHER_HOST:
        return f"belongs to another host: check {setting}"
    return f"is not trusted by {store}: add a private CA there, or set SSL_CERT_FILE to its file"


def _said(causes: Sequence[BaseException]) -> str:
    """Return what the system said, which tells most; else the first of the libraries that said anything."""
    system = [_bare(_of_system(cause)) for cause in causes if isinstance(cause, OSError)]
    if said := list(dict.fromkeys(filter(None, system))):
        return "; ".join(said)  # of each address that was tried
    others = (_bare(str(cause.args[0] if len(cause.args) == 1 else cause)) for cause in causes)
    return next(filter(None, others), type(causes[0]).__name__)


def _bare(text: str) -> str:
    """Leave out what only who wrote the libraries needs: numbers, names of constants and of C files."""
    return re.sub(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$", "", printable(text)).rstrip(".")


def _of_system(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return getattr(error, "verify_message", "")  # one that OpenSSL did not raise itself has none
    # asyncio writes its own text beside the number; name look-ups and TLS have numbers of their own.
    own = isinstance(error, (socket.gaierror, ssl.SSLError)) or error.errno is None
    # On Windows only socket knows those of sockets.
    numbered = getattr(socket, "errorTab", {}).get(error.errno) or os.strerror(error.errno or 0)
    return error.strerror or "" if own else numbered


def _leaves(exc: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group, or the one that is none."""
    if isinstance(exc, BaseExceptionGroup):
        for part in exc.exceptions:
            yield from _leaves(part)
    else:
        yield exc


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield *exc* and what it came from. Of a name with several addresses, anyio groups what it met at each."""
    for leaf in _leaves(exc):
        yield leaf
        if (cause := leaf.__cause__ or leaf.__context__) is not None:
            yield from _causes(cause)
