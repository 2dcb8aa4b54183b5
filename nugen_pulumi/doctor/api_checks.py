"""
The checks that ask the API.

The newer paths and the shapes of the list are guesses of ``docs/api-quirks.md``. Where one of them is wrong, no check
fails.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import httpx

from nugen_pulumi.api.directions import UNDEPLOY
from nugen_pulumi.api.paths import DOCUMENTED, NEWER, path_of
from nugen_pulumi.api.response_errors import is_no_model
from nugen_pulumi.api.statuses import model_status
from nugen_pulumi.doctor.report import Check, Step, Stopped, stopped
from nugen_pulumi.doctor.requests import Answer, Requests
from nugen_pulumi.errors import NugenError, SettingsError
from nugen_pulumi.http.proxies import Proxy
from nugen_pulumi.http.response import Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

_MODELS = "/api/v3/models"
_BASE = f"{_MODELS}/base"
_LIST = f"{_MODELS}/aligned"
# The id without `--model`: that of no model, in the emulator either.
_NO_SUCH_MODEL = "missing-nugen-pulumi-doctor"
# Requests for the latency, besides those of the checks.
_MORE_REQUESTS = 2


class ApiChecks:
    """
    The checks that send requests, in their order.

    Args:
        settings: Where the API is and how to speak to it.
        proxy: What is in between, or None.
        model_id: The model to check, or None.
        record: Gets what was sent and what came back.
        transport: Stands in for the network in tests.
    """

    def __init__(
        self,
        settings: Settings,
        proxy: Proxy | None,
        model_id: str | None,
        record: list[dict[str, Any]],
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._settings = settings
        self._proxy = proxy
        self._model_id = model_id
        self._record = record
        self._transport = transport
        self._to_close = ExitStack()
        # Each is set by one check and read by later ones.
        self._requests: Requests
        self._first: Answer
        self._status: Answer
        self._of_what = "undeployment"
        self._listed: str | None = None

    def steps(self) -> tuple[tuple[str, Step], ...]:
        """Return the names of the checks and the checks, each of which needs those before it."""
        return (
            ("connection", self._check_connection),
            ("key", self._check_key),
            ("paths", self._check_paths),
            ("list", self._check_list),
            ("model", self._check_model),
            ("latency", self._check_latency),
        )

    def close(self) -> None:
        """Close the connections."""
        self._to_close.close()

    def _get(self, name: str, path: str) -> Answer:
        try:
            return self._requests.get(path)
        except NugenError as exc:
            raise stopped(name, self._requests.advice(exc)) from exc

    def _check_connection(self, name: str) -> Check:
        try:
            self._requests = Requests(self._settings, self._proxy, self._record, self._transport)
        except SettingsError as exc:
            raise stopped(name, str(exc)) from exc
        self._to_close.callback(self._requests.close)
        self._first = first = self._get(name, _BASE)
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
        response = self._first.response
        source = self._settings.api_key_source
        if response.status in (401, 403) and not response.is_page:
            if not source:
                raise _without_key(name)
            raise stopped(
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
        if problem := self._requests.problem(response):
            raise stopped(name, problem, status=response.status)
        if not source:
            raise _without_key(name)
        saved = "refresh and destroy use the one that the last `pulumi up` saved"
        told = f"the API accepts the API key from {source}; {saved}"
        return Check(name, "good", told, {"status": response.status})

    def _check_paths(self, name: str) -> Check:
        model = self._model_id or _NO_SUCH_MODEL
        answers = {paths.name: self._get(name, path_of(paths.status, model, UNDEPLOY)) for paths in (DOCUMENTED, NEWER)}
        there = {family: answer for family, answer in answers.items() if self._has_path(answer.response)}
        facts = {family: answer.response.status for family, answer in answers.items()}
        if "documented" in there:
            self._status = there["documented"]
            more = "the newer ones answer too" if "newer" in there else "the newer ones do not"
            return Check(name, "good", f"the documented paths answer (…/undeploy-model/…/status); {more}", facts)
        if "newer" in there:
            self._status, self._of_what = there["newer"], "deployment"
            return Check(
                name,
                "note",
                "only the newer paths answer (…/deployment/status), not the documented ones"
                f" ({answers['documented'].response.summary}). The resources use them by themselves.",
                facts,
            )
        response = answers["documented"].response
        if _no_route(response):
            raise stopped(
                name,
                f"{self._settings.base_url} has neither the documented nor the newer paths of the Nugen API"
                f" ({response.summary} for {self._settings.base_url}{_MODELS}/…): check the base URL (from"
                f" {self._settings.base_url_source}). If it is right, the API has changed: upgrade this package.",
                **facts,
            )
        raise stopped(name, self._requests.problem(response), **facts)

    def _has_path(self, response: Response) -> bool:
        return is_no_model(response) or not (_no_route(response) or self._requests.problem(response))

    def _check_list(self, name: str) -> Check:
        try:
            response = self._requests.get(_LIST).response
        except NugenError as exc:
            return Check(name, "bad", self._requests.advice(exc))
        if _no_route(response):
            return Check(name, "note", f"there is no list of models here ({response.summary}); waits do not need it")
        if problem := self._requests.problem(response):
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
                self._requests.get(_BASE)
        except NugenError as exc:
            return Check(name, "bad", f"The API answered before, but not now. {self._requests.advice(exc)}")
        seconds = self._requests.seconds[1:]  # the first one had to connect
        median = statistics.median(seconds)
        told = (
            f"{median * 1000:.0f} ms for one request (median of {len(seconds)}, slowest {max(seconds) * 1000:.0f} ms)"
        )
        return Check(name, "good", told, {"median": median, "slowest": max(seconds), "requests": len(seconds)})


def _without_key(name: str) -> Stopped:
    why = "there is no API key"
    return Stopped(Check(name, "skipped", f"not tried, because {why}"), why)


def _no_route(response: Response) -> bool:
    """Whether there is no such path, as opposed to no such model. Another server's 404 counts, too."""
    return response.status == 404 and not is_no_model(response)


def _word(entry: Mapping[str, Any]) -> str:
    found = entry.get("deployment_status") or entry.get("status")
    return printable(found, 40).upper() if isinstance(found, str) else "without status"
