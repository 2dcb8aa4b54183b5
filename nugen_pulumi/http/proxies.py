"""Which proxy the environment names for a host, read as curl reads it. Opens nothing."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import getproxies_environment

from nugen_pulumi.errors import SettingsError


@dataclass(frozen=True)
class Proxy:
    """
    A proxy for https.

    Attributes:
        url: Scheme, host and port, without user and password.
        source: The environment variable that names it.
        auth: User and password in UTF-8, as curl sends them, or None; never shown in a ``repr``.
    """

    url: str
    source: str
    auth: tuple[bytes, bytes] | None = field(default=None, repr=False)


def find_proxy(host: str, port: int) -> Proxy | None:
    """
    Return the proxy that the environment names for https to *host*, or None.

    ``HTTPS_PROXY`` wins over ``ALL_PROXY``. A value without a scheme is an http proxy. The settings of Windows and
    macOS do not count, as for the Pulumi CLI.

    Raises:
        SettingsError: The variable names no http or https proxy. The message never shows its password.
    """
    named = getproxies_environment()
    if _excluded(named.get("no", ""), host, port):
        return None
    for scheme in ("https", "all"):
        if value := named.get(scheme):
            return _read(value, f"{scheme.upper()}_PROXY")
    return None


def _read(value: str, source: str) -> Proxy:
    scheme, rest = value.split("://", 1) if re.match(r"[A-Za-z][\w+.-]*://", value) else ("http", value)
    # The last @, because a password may hold anything, / and # among it.
    user, at, address = rest.rpartition("@")
    address = re.split(r"[/?#]", address, maxsplit=1)[0]
    wanted = f"use something like {source}=http://proxy.example:3128."
    if scheme.lower() not in ("http", "https"):
        raise SettingsError(f"{source} names a type of proxy that this package does not support: {wanted}")
    try:
        parts = urlsplit(f"{scheme.lower()}://{address}")
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        if not parts.hostname or re.search(r"[\s\\]", address):
            raise ValueError  # noqa: TRY301 - the same sentence for all that is no address
        url = f"{parts.scheme}://{_bracketed(parts.hostname)}:{port}"
    except ValueError as exc:
        raise SettingsError(f"{source} is not a valid proxy address: {wanted}") from exc
    name, _, password = user.partition(":")
    return Proxy(url, source, (unquote_to_bytes(name), unquote_to_bytes(password)) if at else None)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _excluded(no_proxy: str, host: str, port: int) -> bool:
    """
    Tell whether ``NO_PROXY`` names *host*: ``*``, a name with those below it, with or without a port, a network.

    Networks count for the Pulumi CLI, too (golang.org/x/net/http/httpproxy); for ``urllib.request`` they do not.
    """
    for item in filter(None, (item.strip().lower() for item in no_proxy.split(","))):
        if item == "*":
            return True
        name, its_port = item, None
        if found := re.fullmatch(r"(\[[^\]]+\]|[^:]+):(\d+)", item):
            name, its_port = found[1], int(found[2])
        if its_port not in (None, port):
            continue
        name = name.strip("[]").lstrip(".").removeprefix("*.")
        if host.lower() == name or host.lower().endswith(f".{name}") or _in_network(host, name):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
