"""
Find out what is wrong between this machine and the Nugen API. Sends nothing but GETs, and changes nothing.

Some checks depend on a guess of ``docs/api-quirks.md``, such as the newer paths and the shapes of the list. What they
find is reported, but never makes a later check fail.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from nugen_pulumi._version import VERSION
from nugen_pulumi.api.client import is_no_model, path_of
from nugen_pulumi.api.directions import DOCUMENTED, NEWER, UNDEPLOY
from nugen_pulumi.errors import NugenError, RejectedError, SettingsError, UnavailableError
from nugen_pulumi.http.network_errors import is_network_error, network_error
from nugen_pulumi.http.proxies import Proxy, find_proxy
from nugen_pulumi.http.response import LARGEST_BODY, Response
from nugen_pulumi.settings import VARIABLES, MissingKeyError, Settings
from nugen_pulumi.text import Redaction, duration, printable

State = Literal["good", "bad", "note", "skipped"]

_MODELS = "/api/v3/models"
_BASE = f"{_MODELS}/base"
_LIST = f"{_MODELS}/aligned"
# Asked about without `--model`. The emulator knows no model whose id begins so either.
_NO_SUCH_MODEL = "missing-nugen-pulumi-doctor"
# Seconds that a command of the Pulumi CLI may take.
_COMMAND = 20.0
# Requests for the latency, besides those of the checks.
_MORE_REQUESTS = 2
_PRIVATE_HEADERS = re.compile(r"cookie|authori[sz]|token|secret|api-?key", re.IGNORECASE)
_COLORS: Mapping[State, str] = {"good": "32", "bad": "1;31", "note": "33", "skipped": "2"}


@dataclass(frozen=True)
class Check:
    """
    What one check found.

    Attributes:
        name: What was checked.
        state: ``good``, ``bad``, ``note`` (worth to know, no error) or ``skipped``.
        message: What was found, and what to do if it is bad.
        facts: The same for machines.
    """

    name: str
    state: State
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def line(self, *, color: bool = False) -> str:
        """Return the check as one line."""
        state = f"{self.state:7}"
        if color:
            state = f"\033[{_COLORS[self.state]}m{state}\033[0m"
        return f"{state}  {self.name:10}  {self.message}"


@dataclass(frozen=True)
class _Answer:
    response: Response
    seconds: float
    tls: Mapping[str, str]


class Doctor:
    """
    The checks, each of which may be the last one that makes sense.

    Args:
        model_id: A valid model id, or None.
        environ: Environment variables for the settings; those of the process by default.
        transport: Stands in for the network in tests.

    Attributes:
        requests: What was sent and what came back, without the API key and without cookies.
    """

    def __init__(
        self,
        model_id: str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self._model_id = model_id
        self._environ = os.environ if environ is None else environ
        self._transport = transport
        self._stack: dict[str, str] = {}
        self._settings = Settings("")
        self._redaction = Redaction("")
        self._proxy: Proxy | None = None
        self._client: httpx.Client | None = None
        self._first: _Answer | None = None
        self._status: _Answer | None = None
        self._of_what = "undeployment"
        self._listed: str | None = None
        self._seconds: list[float] = []
        self._failed = ""

    def checks(self) -> Iterator[Check]:
        """Make one check after the other. Those that depend on one that failed are not tried."""
        steps: tuple[tuple[str, Callable[[str], Check]], ...] = (
            ("stack", self._check_stack),
            ("settings", self._check_settings),
            ("proxy", self._check_proxy),
            ("name", self._check_name),
            ("connection", self._check_connection),
            ("key", self._check_key),
            ("paths", self._check_paths),
            ("list", self._check_list),
            ("model", self._check_model),
            ("latency", self._check_latency),
        )
        try:
            for name, step in steps:
                if self._failed:
                    yield Check(name, "skipped", f"not tried, because {self._failed}")
                    continue
                found = step(name)
                yield replace(found, message=self._redaction.string(found.message))
        finally:
            if self._client is not None:
                self._client.close()
        yield _versions()

    def _stop(self, name: str, message: str, **facts: Any) -> Check:
        """Return a check that failed and without which no later one makes sense."""
        self._failed = f'the check "{name}" failed'
        return Check(name, "bad", message, facts)

    def _without_key(self, name: str) -> Check:
        self._failed = "there is no API key"
        return Check(name, "skipped", f"not tried, because {self._failed}")

    def _check_stack(self, name: str) -> Check:
        self._stack, problem = _stack_config()
        if problem:
            return Check(name, "note", f"the stack config was not read: {problem}")
        told = ", ".join(self._stack) or "no nugen:* settings"
        return Check(name, "good", f"the stack config has {told}", {"keys": list(self._stack)})

    def _check_settings(self, name: str) -> Check:
        # The base URL and the network can be checked without a key.
        missing = ""
        try:
            settings = Settings.find(self._stack.get, self._environ)
        except MissingKeyError:
            settings = Settings.find({**self._stack, "nugen:apiKey": "none"}.get, self._environ)
            settings = replace(settings, api_key="", api_key_source="")
            missing = (
                ". But there is no API key: set NUGEN_API_KEY, or run `pulumi config set --secret nugen:apiKey`, and"
                " run this again in the folder of Pulumi.yaml."
            )
        except SettingsError as exc:
            return self._stop(name, str(exc))
        self._settings, self._redaction = settings, Redaction(settings.api_key)
        source = settings.base_url_source
        found = f"base URL {settings.base_url} ({source if source == 'the default' else f'from {source}'})"
        found += f", request timeout {duration(settings.request_timeout)}"
        found += missing or f", API key from {settings.api_key_source}"
        facts = {
            "base_url": settings.base_url,
            "base_url_source": settings.base_url_source,
            "api_key_source": settings.api_key_source or None,
            "request_timeout": settings.request_timeout,
            "max_concurrent_requests": settings.max_concurrent_requests,
        }
        return Check(name, "bad" if missing else "good", found, facts)

    def _check_proxy(self, name: str) -> Check:
        url = urlsplit(self._settings.base_url)
        if url.scheme == "http":
            return Check(name, "good", "none: plain http to this machine never uses a proxy", {"proxy": None})
        try:
            self._proxy = find_proxy(url.hostname or "", url.port or 443)
        except SettingsError as exc:
            return self._stop(name, str(exc))
        if self._proxy is None:
            return Check(
                name,
                "good",
                f"none (HTTPS_PROXY, ALL_PROXY and NO_PROXY name none for {url.hostname})",
                {"proxy": None},
            )
        user = " with user and password" if self._proxy.auth else ""
        facts = {"proxy": self._proxy.url, "source": self._proxy.source}
        return Check(name, "good", f"{self._proxy.url}{user} (from {self._proxy.source})", facts)

    def _check_name(self, name: str) -> Check:
        # A proxy looks up the API's name itself.
        url, source = (
            (self._proxy.url, self._proxy.source)
            if self._proxy
            else (self._settings.base_url, self._settings.base_url_source)
        )
        host = urlsplit(url).hostname or ""
        if self._transport is not None:
            return Check(name, "good", f"{host} was not looked up, because a test stands in for the network")
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            why = printable(getattr(exc, "strerror", None) or str(exc))
            return self._stop(
                name,
                f"The host {host} (from {source}) has no address ({why}): check its spelling, and the DNS and the"
                " network of this machine.",
            )
        what = f"the proxy {host}" if self._proxy else host
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        told = "is an address already" if addresses == [host] else f"has the address {', '.join(addresses[:4])}"
        return Check(name, "good", f"{what} {told}", {"host": host, "addresses": addresses})

    def _check_connection(self, name: str) -> Check:
        try:
            self._client = self._open()
            first = self._get(_BASE)
        except SettingsError as exc:
            return self._stop(name, str(exc))
        except NugenError as exc:
            return self._stop(name, self._advice(exc))
        self._first = first
        took = f"{first.seconds * 1000:.0f} ms with the first response"
        if not first.tls:
            return Check(name, "good", f"connected to {self._settings.base_url} ({took})", {"seconds": first.seconds})
        return Check(
            name,
            "good",
            f"connected to {self._settings.base_url} with {first.tls['version']} ({took}); its certificate was issued"
            f" by {first.tls['issuer']} and is valid until {first.tls['until']}",
            {"seconds": first.seconds, **first.tls},
        )

    def _check_key(self, name: str) -> Check:
        assert self._first is not None  # noqa: S101 - the check before would have stopped
        response = self._first.response
        source = self._settings.api_key_source
        if response.status in (401, 403) and not response.is_page:
            if not source:
                return self._without_key(name)
            return self._stop(
                name,
                f"The API does not accept the API key ({response.summary}): set the right one in {source}.",
                status=response.status,
            )
        if _no_route(response):
            # It may have been retired: whether this is the API is told by the next check.
            return Check(
                name,
                "note",
                f"not known, because {self._settings.base_url} has no {_BASE} ({response.summary})",
                {"status": response.status},
            )
        if problem := self._problem(response):
            return self._stop(name, problem, status=response.status)
        if not source:
            return self._without_key(name)
        return Check(name, "good", f"the API accepts the API key from {source}", {"status": response.status})

    def _check_paths(self, name: str) -> Check:
        model = self._model_id or _NO_SUCH_MODEL
        try:
            answers = {paths.name: self._get(path_of(paths.status, model, UNDEPLOY)) for paths in (DOCUMENTED, NEWER)}
        except NugenError as exc:
            return self._stop(name, self._advice(exc))
        there = {
            family: answer
            for family, answer in answers.items()
            if is_no_model(answer.response) or not (_no_route(answer.response) or self._problem(answer.response))
        }
        self._status = there.get("documented") or there.get("newer")
        facts = {family: answer.response.status for family, answer in answers.items()}
        if "documented" in there:
            more = "the newer ones answer too" if "newer" in there else "the newer ones do not"
            return Check(name, "good", f"the documented paths answer (…/undeploy-model/…/status); {more}", facts)
        if "newer" in there:
            self._of_what = "deployment"
            return Check(
                name,
                "note",
                "only the newer paths answer (…/deployment/status), not the documented ones"
                f" ({answers['documented'].response.summary}). The resources use them by themselves.",
                facts,
            )
        response = answers["documented"].response
        if _no_route(response):
            return self._stop(
                name,
                f"{self._settings.base_url} has neither the documented nor the newer paths of the Nugen API"
                f" ({response.summary}): check the base URL (from {self._settings.base_url_source}). If it is right,"
                " the API has changed: upgrade this package.",
                **facts,
            )
        return self._stop(name, self._problem(response), **facts)

    def _check_list(self, name: str) -> Check:
        try:
            response = self._get(_LIST).response
        except NugenError as exc:
            return Check(name, "bad", self._advice(exc))
        if _no_route(response):
            return Check(name, "note", f"there is no list of models here ({response.summary}); waits do not need it")
        if problem := self._problem(response):
            return Check(name, "bad", problem, {"status": response.status})
        body = json.loads(response.body)
        models = body.get("domain_aligned_models") if isinstance(body, dict) else body
        if not isinstance(models, list):
            return Check(name, "note", f"the list of models has an unknown form: {response.excerpt}")
        entries = [entry for entry in models if isinstance(entry, dict)]
        for entry in entries:
            if self._model_id is not None and self._model_id in (entry.get("model_id"), entry.get("id")):
                self._listed = _word(entry)
        counts = Counter(map(_word, entries))
        told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        what = "1 model" if len(models) == 1 else f"{len(models)} models"
        return Check(
            name,
            "good",
            f"the list holds {what}{f': {told}' if told else ''}",
            {"models": len(models), "by_status": dict(counts)},
        )

    def _check_model(self, name: str) -> Check:
        if self._model_id is None:
            return Check(name, "skipped", "not asked for: use --model ID to check one of your models")
        assert self._status is not None  # noqa: S101 - the check of the paths would have stopped
        response = self._status.response
        if is_no_model(response):
            return Check(
                name,
                "bad",
                f"{self._model_id}: the API knows no such model, or it belongs to another account: correct the id, or"
                " use the API key of its account.",
                {"model_id": self._model_id, "status": None},
            )
        body = json.loads(response.body)
        status = body.get("status") if isinstance(body, dict) else None
        if not isinstance(status, str):
            return Check(name, "bad", f"{self._model_id}: a response without a status: {response.excerpt}")
        result = body.get("result")
        error = (result.get("error") if isinstance(result, dict) else None) or body.get("error")
        why = f" ({printable(str(error))})" if error else ""
        listed = f"; in the list it is {self._listed}" if self._listed else ""
        return Check(
            name,
            "good",
            f"{self._model_id}: the status of its {self._of_what} is {printable(status, 40)}{why}{listed}",
            {"model_id": self._model_id, "status": status, "error": error, "listed": self._listed},
        )

    def _check_latency(self, name: str) -> Check:
        try:
            for _ in range(_MORE_REQUESTS):
                self._get(_BASE)
        except NugenError as exc:
            return Check(name, "bad", f"The API answered before, but not now. {self._advice(exc)}")
        seconds = self._seconds[1:]  # the first one had to connect
        median = statistics.median(seconds)
        told = (
            f"{median * 1000:.0f} ms for one request (median of {len(seconds)}, slowest {max(seconds) * 1000:.0f} ms)"
        )
        return Check(name, "good", told, {"median": median, "slowest": max(seconds), "requests": len(seconds)})

    def _open(self) -> httpx.Client:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"nugen-pulumi/{VERSION} doctor",
        }
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        certificates = _certificates()
        proxy = None
        if self._proxy is not None:
            of_proxy = certificates if self._proxy.url.startswith("https:") else None
            proxy = httpx.Proxy(self._proxy.url, auth=self._proxy.auth, ssl_context=of_proxy)
        return httpx.Client(
            headers=headers,
            verify=certificates,
            proxy=proxy,
            trust_env=False,  # `find_proxy` has read the environment as the provider does
            timeout=self._settings.request_timeout,
            transport=self._transport,
        )

    def _get(self, path: str) -> _Answer:
        """
        Send one GET.

        Raises:
            NugenError: There was no whole response.
        """
        assert self._client is not None  # noqa: S101 - opened for the first request
        record: dict[str, Any] = {"method": "GET", "path": self._redaction.string(path)}
        self.requests.append(record)
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
        self._seconds.append(seconds)
        headers = {key.lower(): self._redaction.string(value) for key, value in raw.headers.items()}
        response = Response(raw.status_code, self._redaction.body(bytes(body)), headers)
        record.update(
            status=response.status,
            seconds=round(seconds, 4),
            headers={key: value for key, value in headers.items() if not _PRIVATE_HEADERS.search(key)},
            body=response.body.decode(errors="replace") if (found := _json(response.body)) is None else found,
        )
        return _Answer(response, seconds, tls)

    def _error(self, exc: Exception) -> NugenError:
        if isinstance(exc, NugenError):
            return exc
        if isinstance(exc, httpx.ReadTimeout):
            limit = duration(self._settings.request_timeout)
            return UnavailableError(f"no whole response from {self._settings.base_url} within {limit}")
        if not is_network_error(exc):
            raise exc
        return network_error(exc, self._settings, self._proxy)

    def _advice(self, error: NugenError) -> str:
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

    def _problem(self, response: Response) -> str:
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
        elif _json(response.body) is None:
            problem = (
                f"{base} answers with something that is not JSON ({response.excerpt}): check the base URL (from"
                f" {source})."
            )
        return problem


def capture(checks: list[Check], requests: list[dict[str, Any]]) -> str:
    """Return what people can attach to a report: the checks, and what came over the wire."""
    return json.dumps({"checks": [asdict(check) for check in checks], "requests": requests}, indent=2) + "\n"


def _no_route(response: Response) -> bool:
    """Whether there is no such path, as opposed to no such model. Another server's 404 counts, too."""
    return response.status == 404 and not is_no_model(response)


def _word(entry: Mapping[str, Any]) -> str:
    found = entry.get("deployment_status") or entry.get("status")
    return printable(found, 40).upper() if isinstance(found, str) else "without status"


def _json(body: bytes) -> Any:
    """Return the JSON in *body*, or None. ``null`` is no usable response either."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _certificates() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as exc:
        named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
        source = printable(named[0]) if named else "The certificate store of the system"
        why = printable(getattr(exc, "strerror", None) or str(exc))
        raise SettingsError(f"{source} contains no readable certificates ({why}): correct it, or unset it.") from exc


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


def _stack_config() -> tuple[dict[str, str], str]:
    """Return the settings of the stack that is selected here; or else nothing, and why."""
    folders = (Path.cwd(), *Path.cwd().parents)
    there = any((folder / f"Pulumi.{ending}").is_file() for folder in folders for ending in ("yaml", "yml"))
    if not there:
        return {}, "there is no Pulumi.yaml here"
    # Not interactive: it would ask for a passphrase where nobody may see the question.
    said, problem = _pulumi("config", "--json", "--show-secrets", "--non-interactive")
    if problem:
        return (
            {},
            f"{problem}. If the key is there, run `export NUGEN_API_KEY=$(pulumi config get nugen:apiKey)` first.",
        )
    try:
        entries = json.loads(said)
        return {key: str(entries[key]["value"]) for key in VARIABLES if key in entries}, ""
    except (ValueError, KeyError, TypeError):
        return {}, "`pulumi config --json` printed something unknown"


def _pulumi(*arguments: str) -> tuple[str, str]:
    """Run the Pulumi CLI; return what it said, or else why there is nothing."""
    program = shutil.which("pulumi")
    if program is None:
        return "", "`pulumi` is not on PATH"
    environ = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = f"`pulumi {arguments[0]}`"
    try:
        run = subprocess.run(  # noqa: S603 - the CLI that `pulumi` would start, with our own arguments
            [program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND,
            env=environ,
        )
    except subprocess.TimeoutExpired:
        return "", f"{command} took more than {duration(_COMMAND)}"
    except OSError as exc:
        return "", f"{command} did not start ({printable(str(exc))})"
    if run.returncode:
        return "", f"{command} failed ({printable(run.stderr, 160).removeprefix('error: ') or run.returncode})"
    return run.stdout.strip(), ""


def _versions() -> Check:
    cli, problem = _pulumi("version")
    plugin = shutil.which("pulumi-resource-nugen")
    facts = {
        "python": platform.python_version(),
        "nugen_pulumi": VERSION,
        "pulumi_sdk": version("pulumi"),
        "pulumi_cli": printable(cli) or None,
        "plugin": plugin,
        "system": platform.platform(),
    }
    told = (
        f"Python {facts['python']}, nugen-pulumi {VERSION}, Pulumi SDK {facts['pulumi_sdk']},"
        f" Pulumi CLI {printable(cli)}{f'not found: {problem}' if problem else ''};"
        f" plugin {plugin or 'not on PATH (Python programs do not need it)'}"
    )
    return Check("versions", "note" if problem else "good", told, facts)
