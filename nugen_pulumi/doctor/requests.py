"""Send the doctor's GETs, keep what came back for a report, and say what is wrong with it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from nugen_pulumi._version import VERSION
from nugen_pulumi.errors import NugenError, RejectedError, UnavailableError
from nugen_pulumi.http.connections import certificates
from nugen_pulumi.http.network_errors import is_network_error, network_error
from nugen_pulumi.http.proxies import Proxy
from nugen_pulumi.http.response import LARGEST_BODY, Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import Redaction, duration, printable

_PRIVATE_HEADERS = re.compile(r"cookie|authori[sz]|token|secret|api-?key", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """
    What came back.

    Attributes:
        response: The response, without the API key.
        seconds: How long it took.
        tls: Version, and of the certificate issuer and end; empty without TLS.
    """

    response: Response
    seconds: float
    tls: Mapping[str, str]


class Requests:
    """
    The requests of one visit, over one client.

    Args:
        settings: Where the API is and how to speak to it.
        proxy: What is in between, or None.
        record: Gets what was sent and what came back, without the API key and without cookies.
        transport: Stands in for the network in tests.

    Attributes:
        seconds: How long each took.

    Raises:
        SettingsError: The certificates that the environment names cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        proxy: Proxy | None,
        record: list[dict[str, Any]],
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.seconds: list[float] = []
        self._settings = settings
        self._proxy = proxy
        self._record = record
        self._redaction = Redaction(settings.api_key)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"nugen-pulumi/{VERSION} doctor",
        }
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key}"
        trusted = certificates()
        through = None
        if proxy is not None:
            of_proxy = trusted if proxy.url.startswith("https:") else None
            through = httpx.Proxy(proxy.url, auth=proxy.auth, ssl_context=of_proxy)
        self._client = httpx.Client(
            headers=headers,
            verify=trusted,
            proxy=through,
            trust_env=False,  # `find_proxy` has read the environment as the provider does
            timeout=settings.request_timeout,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str) -> Answer:
        """
        Send one GET.

        Raises:
            NugenError: There was no whole response.
        """
        record: dict[str, Any] = {"method": "GET", "path": self._redaction.string(path)}
        self._record.append(record)
        began = time.monotonic()
        try:
            with self._client.stream("GET", self._settings.base_url + path) as raw:
                tls = _tls(raw)  # now, because a server may close the connection with its response
                body = bytearray()
                for chunk in raw.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise UnavailableError("a response of more than 1 MiB")  # noqa: TRY301 - recorded below
                    if time.monotonic() - began > self._settings.request_timeout:
                        raise httpx.ReadTimeout("")  # noqa: TRY301 - the same as if nothing came
        except Exception as exc:
            error = self._error(exc)
            record["error"] = self._redaction.string(str(error))
            raise error from exc
        seconds = time.monotonic() - began
        self.seconds.append(seconds)
        headers = {key.lower(): self._redaction.string(value) for key, value in raw.headers.items()}
        response = Response(raw.status_code, self._redaction.body(bytes(body)), headers)
        record.update(
            status=response.status,
            seconds=round(seconds, 4),
            headers={key: value for key, value in headers.items() if not _PRIVATE_HEADERS.search(key)},
            body=response.body.decode(errors="replace") if (found := json_of(response)) is None else found,
        )
        return Answer(response, seconds, tls)

    def advice(self, error: NugenError) -> str:
        """Return what *error* says, and what to do about it."""
        said = str(error).rstrip(".")
        if not said.startswith("http"):  # a URL stays as it is
            said = said[0].upper() + said[1:]
        if "speaks plain http" in said:
            return f"{said}."
        if not isinstance(error, RejectedError):
            if self._proxy is not None and getattr(error, "sent", True) is False:
                return f"{said}. Check that the proxy is up, and that {self._proxy.source} names the right one."
            return f"{said}. Check that the server is up, and that no firewall, VPN or proxy is in the way."
        url = urlsplit(self._settings.base_url)
        through = f" -proxy {urlsplit(self._proxy.url).netloc}" if self._proxy else ""
        return f"{said}. To see who issued it: `openssl s_client -connect {url.hostname}:{url.port or 443}{through}`."

    def problem(self, response: Response) -> str:
        """Return why *response* is not the API's answer to a correct request, or an empty string."""
        base, source = self._settings.base_url, self._settings.base_url_source
        said, status = response.summary, response.status
        problem = ""
        if response.is_page:
            problem = (
                f"{base} answers with an HTML page ({said}) instead of the API's response: check the base URL (from"
                f" {source}), and whether a login page or a proxy is in the way."
            )
        elif 300 <= status < 400:
            to = printable(response.headers.get("location", "another address"), 100)
            problem = f"{base} redirects to {to} ({status}): check the base URL (from {source})."
        elif status in (401, 403):
            problem = f"The API refuses this request ({said}), although it accepted the API key."
        elif status == 429 and re.search("quota|credit", response.detail, re.IGNORECASE):
            problem = f"The Nugen account is out of credits ({said}): add credits."
        elif status >= 500 or status in (408, 425, 429):
            problem = f"The API cannot answer now ({said}): run this again in some minutes."
        elif not 200 <= status < 300:
            problem = f"The API rejects the request ({said}): report it, with the file of --capture."
        elif json_of(response) is None:
            problem = (
                f"{base} answers with something that is not JSON ({response.excerpt}): check the base URL (from"
                f" {source})."
            )
        return problem

    def _error(self, exc: Exception) -> NugenError:
        if isinstance(exc, NugenError):
            return exc
        if isinstance(exc, httpx.ReadTimeout):
            limit = duration(self._settings.request_timeout)
            return UnavailableError(f"no whole response from {self._settings.base_url} within {limit}")
        if not is_network_error(exc):
            raise exc
        return network_error(exc, self._settings, self._proxy)


def json_of(response: Response) -> Any:
    """Return the JSON in the body, or None. ``null`` is no usable response either."""
    try:
        return response.json()
    except ValueError:
        return None


def _tls(raw: httpx.Response) -> dict[str, str]:
    """Return what the certificate says; nothing without TLS."""
    stream = raw.extensions.get("network_stream")
    found = stream and stream.get_extra_info("ssl_object")
    if not found:
        return {}
    certificate = found.getpeercert()
    issuer = {key: value for part in certificate["issuer"] for key, value in part}
    names = [issuer[key] for key in ("organizationName", "commonName") if key in issuer]
    return {
        "version": str(found.version()),
        "issuer": printable(", ".join(names)) or "an authority without a name",
        "until": printable(certificate["notAfter"]),
    }
