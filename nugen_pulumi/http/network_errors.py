"""Convert the errors of the network libraries into errors of this package. No other module does this."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence

import httpcore
import httpx

from nugen_pulumi.errors import RejectedError, UnavailableError
from nugen_pulumi.http.proxies import Proxy
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

# Whose exceptions are about the network. ``ssl`` and ``socket`` raise kinds of OSError.
_LIBRARIES = frozenset({"httpx", "httpcore", "h11", "anyio"})
# What fails before the TLS handshake is complete; anyio gathers what it met at each of a name's addresses. Whatever
# else fails may have been carried out, whatever it looks like: a damaged record can look like plain http.
_NEVER_SENT = (
    BaseExceptionGroup,
    ssl.SSLCertVerificationError,  # as it is, from httpcore 1.0.5
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.ProxyError,
)

# X509_V_ERR_… of OpenSSL (x509_vfy.h): expired; another host's or address's certificate.
_EXPIRED = 10
_OTHER_HOST = (62, 64)

# How OpenSSL calls a first record that is none of TLS.
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")


def is_network_error(exc: BaseException) -> bool:
    """Tell whether *exc* comes from the network or the libraries that speak to it, and not from a mistake of ours."""
    return all(
        isinstance(leaf, (OSError, EOFError)) or type(leaf).__module__.split(".")[0] in _LIBRARIES
        for leaf in _leaves(exc)
    )


def network_error(
    exc: BaseException, settings: Settings, proxy: Proxy | None = None
) -> UnavailableError | RejectedError:
    """
    Return what *exc* means.

    Args:
        exc: One of which :func:`is_network_error` is true.
        settings: Where the API is.
        proxy: What the connection goes through, or None.
    """
    where = f"{settings.base_url} (from {settings.base_url_source})"
    causes = [cause for leaf in _leaves(exc) for cause in _chain(leaf)]
    if not isinstance(exc, _NEVER_SENT):
        return UnavailableError(f"connection lost ({_said(causes)}) to {where}")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RejectedError(f"{_certificate(cause, where)} ({_said([cause])}).")
    for cause in causes:
        # One that OpenSSL did not raise itself has no reason.
        if isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in _PLAIN_HTTP:
            return UnavailableError(f"{where} speaks plain http on this port, not https: check it", sent=False)
    if proxy is not None and not any(isinstance(cause, ssl.SSLError) for cause in causes):
        what = f"cannot connect ({_said(causes)}) through the proxy {proxy.url} (from {proxy.source})"
        return UnavailableError(what, sent=False)
    return UnavailableError(f"cannot connect ({_said(causes)}) to {where}", sent=False)


def _certificate(error: ssl.SSLCertVerificationError, where: str) -> str:
    code = getattr(error, "verify_code", None)
    if code == _EXPIRED:
        return f"The certificate of {where} has expired: renew it on the server, or correct the clock of this machine"
    if code in _OTHER_HOST:
        return f"The certificate of {where} belongs to another host: check the base URL"
    return f"The certificate of {where} is not trusted: for a private CA, set SSL_CERT_FILE to its file"


def _said(causes: Sequence[BaseException]) -> str:
    """Return what the system said, which tells most; else the first of the libraries that said anything."""
    said = [_of_system(cause) for cause in causes if isinstance(cause, OSError)] + [
        str(cause.args[0] if len(cause.args) == 1 else cause) for cause in causes
    ]
    return next(filter(None, map(_bare, said)), type(causes[0]).__name__)


def _bare(text: str) -> str:
    """Leave out what only who wrote the libraries needs: numbers, names of constants and of C files."""
    return re.sub(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$", "", printable(text)).rstrip(".")


def _of_system(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return getattr(error, "verify_message", "")  # one that OpenSSL did not raise itself has none
    # asyncio writes its own text beside the number; name look-ups and TLS have numbers of their own.
    own = isinstance(error, (socket.gaierror, ssl.SSLError)) or error.errno is None
    return error.strerror or "" if own else os.strerror(error.errno or 0)


def _leaves(exc: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group, or the one that is none."""
    if isinstance(exc, BaseExceptionGroup):
        for part in exc.exceptions:
            yield from _leaves(part)
    else:
        yield exc


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
