"""Read the settings from an explicit provider, the stack config, the environment and the defaults. No I/O."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from nugen_pulumi.errors import SettingsError

DEFAULT_BASE_URL = "https://api.nugen.in"
DEFAULT_REQUEST_TIMEOUT = 30.0
DEFAULT_MAX_CONCURRENT_REQUESTS = 128
_PREFIX = "/api/v3"

# Each setting's key in stack config, and its environment variable.
VARIABLES = {
    "nugen:apiKey": "NUGEN_API_KEY",
    "nugen:baseUrl": "NUGEN_BASE_URL",
    "nugen:requestTimeoutSeconds": "NUGEN_REQUEST_TIMEOUT_SECONDS",
    "nugen:maxConcurrentRequests": "NUGEN_MAX_CONCURRENT_REQUESTS",
}
# Whose settings these are, beside them: the name of an explicit provider. The stack config has no such key.
PROVIDER = "nugen:provider"


@dataclass(frozen=True)
class Settings:
    """
    How to reach the Nugen API.

    An explicit provider's settings arrive as if they were stack config, with its name among them.

    Attributes:
        api_key: The bearer token; never shown in a ``repr``.
        base_url: Without a trailing slash and without ``/api/v3``. Default ``https://api.nugen.in``.
        base_url_source: Where *base_url* was found, in words, for error messages.
        request_timeout: Seconds for one HTTP request in all, from connecting to the last byte. Default 30.
        max_concurrent_requests: Upper bound of the requests under way at once; how many there are depends on how far
            away the API is and on what it admits. Default 128.
        api_key_source: Where *api_key* was found, in words, for error messages.
    """

    api_key: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    base_url_source: str = "the default"
    request_timeout: float = DEFAULT_REQUEST_TIMEOUT
    max_concurrent_requests: int = DEFAULT_MAX_CONCURRENT_REQUESTS
    api_key_source: str = "nugen:apiKey"

    @classmethod
    def find(cls, config: Callable[[str], Any], environ: Mapping[str, str] | None = None) -> Settings:
        """
        Collect the settings.

        Args:
            config: Looks a key such as ``nugen:apiKey`` up in the stack's (or explicit provider's) config.
            environ: Environment variables; those of the process by default.

        Raises:
            SettingsError: One is missing or wrong. The message names it, and never shows the key.
        """
        environ = os.environ if environ is None else environ
        find = _Finder(config, environ)
        base_url, base_url_source = find("nugen:baseUrl")
        return cls(
            base_url=DEFAULT_BASE_URL if base_url is None else _base_url(base_url, base_url_source),
            base_url_source=base_url_source,
            request_timeout=_seconds(*find("nugen:requestTimeoutSeconds")),
            max_concurrent_requests=_count(*find("nugen:maxConcurrentRequests")),
            # Last, because of all settings this is the one that may be missing in a preview.
            api_key=_api_key(*(key := find("nugen:apiKey")), config(PROVIDER)),
            api_key_source=key[1],
        )


class MissingKeyError(SettingsError):
    """There is no API key. This is an error only if a request is necessary."""


@dataclass(frozen=True)
class _Finder:
    config: Callable[[str], Any]
    environ: Mapping[str, str]

    def __call__(self, key: str) -> tuple[str | None, str]:
        """Return the value, stripped, and where it was found; what is blank counts as not set."""
        variable, provider = VARIABLES[key], self.config(PROVIDER)
        given = f"{key.removeprefix('nugen:')} of the Provider {provider}" if provider else key
        for value, source in ((self.config(key), given), (self.environ.get(variable), variable)):
            if value is not None and (text := str(value).strip()):
                return text, source
        return None, "the default"


def _api_key(value: str | None, source: str, provider: object) -> str:
    if value is None and provider:
        raise MissingKeyError(f"The Provider {provider} has no API key: give it one, or set NUGEN_API_KEY.")
    if value is None:
        raise MissingKeyError(
            "There is no Nugen API key: run `pulumi config set --secret nugen:apiKey`, or set NUGEN_API_KEY."
            " An explicit provider does not read the stack config: give it the key."
        )
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise SettingsError(
            f"The API key in {source} contains a blank, a line break or another character that is not allowed in an"
            " HTTP header: set it again."
        )
    return value


def _base_url(value: str, source: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
        if "[" in parts.netloc:  # urlsplit itself looks into the brackets only since Python 3.11.4
            ipaddress.ip_address(host or "")
    except ValueError as exc:
        raise SettingsError(f"{source} is not a URL ({exc}): use something like {DEFAULT_BASE_URL}.") from exc
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\\]", value) or not value.isprintable():
        raise SettingsError(f"{source} is not an http(s) URL with a host: use something like {DEFAULT_BASE_URL}.")
    if parts.username is not None or parts.query or parts.fragment:
        raise SettingsError(
            f"{source} must contain only scheme, host and path, without user, query or fragment:"
            f" use something like {DEFAULT_BASE_URL}."
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(f"{source} is plain http to {host}, which sends the API key unencrypted: use https.")
    path = parts.path.rstrip("/").removesuffix(_PREFIX).rstrip("/")
    # A certificate knows the host without the dot of an absolute name.
    netloc = re.sub(r"\.(?=(:\d*)?$)", "", parts.netloc)
    return f"{parts.scheme}://{netloc}{path}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def _seconds(value: str | None, source: str) -> float:
    if value is None:
        return DEFAULT_REQUEST_TIMEOUT
    if not 0 < (seconds := _number(value)) < math.inf:
        raise SettingsError(f"{source} must be a number of seconds greater than 0, such as 30.")
    return seconds


def _count(value: str | None, source: str) -> int:
    if value is None:
        return DEFAULT_MAX_CONCURRENT_REQUESTS
    most = 500 if sys.platform == "win32" else 1000  # an event loop there can watch 512 sockets
    if not (1 <= (number := _number(value)) <= most and number.is_integer()):
        raise SettingsError(f"{source} must be a whole number from 1 to {most}, such as 128.")
    return int(number)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
