"""
Find out what is wrong between this machine and the Nugen API. Sends nothing but GETs, and changes nothing.

Some checks depend on a guess of ``docs/api-quirks.md``, such as the newer paths and the shapes of the list. What they
find is reported, but never makes a later check fail.
"""

from __future__ import annotations

import os
import socket
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from nugen_pulumi.api.directions import UNDEPLOY
from nugen_pulumi.api.paths import DOCUMENTED, NEWER, path_of
from nugen_pulumi.api.response_errors import is_no_model
from nugen_pulumi.api.statuses import model_status
from nugen_pulumi.doctor.machine import stack_config, versions
from nugen_pulumi.doctor.report import Check
from nugen_pulumi.doctor.requests import Answer, Requests
from nugen_pulumi.errors import NugenError, SettingsError
from nugen_pulumi.http.proxies import Proxy, find_proxy
from nugen_pulumi.http.response import Response
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.text import Redaction, duration, printable

_MODELS = "/api/v3/models"
_BASE = f"{_MODELS}/base"
_LIST = f"{_MODELS}/aligned"
# Asked about without `--model`. The emulator knows no model whose id begins so either.
_NO_SUCH_MODEL = "missing-nugen-pulumi-doctor"
# Requests for the latency, besides those of the checks.
_MORE_REQUESTS = 2


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
        self._asked: Requests | None = None
        self._first: Answer | None = None
        self._status: Answer | None = None
        self._of_what = "undeployment"
        self._listed: str | None = None
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
            if self._asked is not None:
                self._asked.close()
        told, facts, there = versions()
        yield Check("versions", "good" if there else "note", told, facts)

    @property
    def _api(self) -> Requests:
        if self._asked is None:
            self._asked = Requests(self._settings, self._proxy, self.requests, self._transport)
        return self._asked

    def _stop(self, name: str, message: str, **facts: Any) -> Check:
        """Return a check that failed and without which no later one makes sense."""
        self._failed = f'the check "{name}" failed'
        return Check(name, "bad", message, facts)

    def _without_key(self, name: str) -> Check:
        self._failed = "there is no API key"
        return Check(name, "skipped", f"not tried, because {self._failed}")

    def _check_stack(self, name: str) -> Check:
        self._stack, problem = stack_config()
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
            first = self._api.get(_BASE)
        except SettingsError as exc:
            return self._stop(name, str(exc))
        except NugenError as exc:
            return self._stop(name, self._api.advice(exc))
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
        if problem := self._api.problem(response):
            return self._stop(name, problem, status=response.status)
        if not source:
            return self._without_key(name)
        saved = "refresh and destroy use the one that the last `pulumi up` saved"
        told = f"the API accepts the API key from {source}; {saved}"
        return Check(name, "good", told, {"status": response.status})

    def _check_paths(self, name: str) -> Check:
        model = self._model_id or _NO_SUCH_MODEL
        try:
            answers = {
                paths.name: self._api.get(path_of(paths.status, model, UNDEPLOY)) for paths in (DOCUMENTED, NEWER)
            }
        except NugenError as exc:
            return self._stop(name, self._api.advice(exc))
        there = {
            family: answer
            for family, answer in answers.items()
            if is_no_model(answer.response) or not (_no_route(answer.response) or self._api.problem(answer.response))
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
                f" ({response.summary} for {self._settings.base_url}{_MODELS}/…): check the base URL (from"
                f" {self._settings.base_url_source}). If it is right, the API has changed: upgrade this package.",
                **facts,
            )
        return self._stop(name, self._api.problem(response), **facts)

    def _check_list(self, name: str) -> Check:
        try:
            response = self._api.get(_LIST).response
        except NugenError as exc:
            return Check(name, "bad", self._api.advice(exc))
        if _no_route(response):
            return Check(name, "note", f"there is no list of models here ({response.summary}); waits do not need it")
        if problem := self._api.problem(response):
            return Check(name, "bad", problem, {"status": response.status})
        body = response.json()
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
        body = response.json()
        status = body.get("status") if isinstance(body, dict) else None
        if not isinstance(status, str):
            return Check(name, "bad", f"{self._model_id}: a response without a status: {response.excerpt}")
        result = body.get("result")
        error = (result.get("error") if isinstance(result, dict) else None) or body.get("error")
        why = f" ({printable(str(error))})" if error else ""
        own = model_status(str(error)) if error else ""
        told = f"the status of its {self._of_what} is {printable(status, 40)}{why}"
        if own:  # no task runs, and a FAILED that only says so is no fault
            told = f"it is {own}; {told}"
        listed = f"; in the list it is {self._listed}" if self._listed else ""
        return Check(
            name,
            "good",
            f"{self._model_id}: {told}{listed}",
            {"model_id": self._model_id, "status": status, "error": error, "listed": self._listed},
        )

    def _check_latency(self, name: str) -> Check:
        try:
            for _ in range(_MORE_REQUESTS):
                self._api.get(_BASE)
        except NugenError as exc:
            return Check(name, "bad", f"The API answered before, but not now. {self._api.advice(exc)}")
        seconds = self._api.seconds[1:]  # the first one had to connect
        median = statistics.median(seconds)
        told = (
            f"{median * 1000:.0f} ms for one request (median of {len(seconds)}, slowest {max(seconds) * 1000:.0f} ms)"
        )
        return Check(name, "good", told, {"median": median, "slowest": max(seconds), "requests": len(seconds)})


def _no_route(response: Response) -> bool:
    """Whether there is no such path, as opposed to no such model. Another server's 404 counts, too."""
    return response.status == 404 and not is_no_model(response)


def _word(entry: Mapping[str, Any]) -> str:
    found = entry.get("deployment_status") or entry.get("status")
    return printable(found, 40).upper() if isinstance(found, str) else "without status"
