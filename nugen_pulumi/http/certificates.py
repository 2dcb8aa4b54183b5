"""Which certificates are trusted: those that the environment names, or the system's. Connects to nothing."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import httpx
import truststore

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.text import printable

_SYSTEM = "the certificate store of the system"
# Where it is, for a Python that was built for another system: BSD, Red Hat, Debian, SUSE.
_BUNDLES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)


def certificates() -> tuple[ssl.SSLContext, str]:
    """
    Return what verifies certificates, and what to call the ones that it trusts.

    Not the list that httpx uses by default: the Pulumi CLI trusts the system's, to which companies add their own.

    Raises:
        SettingsError: They cannot be read.
    """
    if file := os.environ.get("SSL_CERT_FILE"):  # in the order of httpx (httpx/_config.py)
        return _read(f"SSL_CERT_FILE={printable(file)}", file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return _read(f"SSL_CERT_DIR={printable(folder)}", folder=folder)
    if sys.platform in ("win32", "darwin"):
        # No file holds these. On Linux, truststore would read a file for each connection, which takes 100 ms.
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), _SYSTEM
    paths = ssl.get_default_verify_paths()
    for file in (paths.cafile, *_BUNDLES):
        if file and Path(file).is_file():
            return _read(_SYSTEM, file, paths.capath)
    return _tolerant(httpx.create_ssl_context(trust_env=False)), "certifi's certificates (the system has none)"


def _read(store: str, file: str | None = None, folder: str | None = None) -> tuple[ssl.SSLContext, str]:
    try:
        context = ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ValueError) as exc:
        why = printable(getattr(exc, "strerror", None) or str(exc))
        source = store[0].upper() + store[1:]
        raise SettingsError(f"{source} contains no readable certificates ({why}): correct it, or unset it.") from exc
    return _tolerant(context), store


def _tolerant(context: ssl.SSLContext) -> ssl.SSLContext:
    # From Python 3.13 on the default is stricter than the CLI, curl and pip: it refuses the CAs of some companies.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
