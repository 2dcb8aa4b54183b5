"""The checks, one line each: they ask the client of the resources, and say of an error what ``pulumi up`` says."""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import urlsplit

from nugen_pulumi._version import VERSION
from nugen_pulumi.api.paths import DOCUMENTED
from nugen_pulumi.api.statuses import Record
from nugen_pulumi.doctor.pulumi_cli import pulumi, stack_config
from nugen_pulumi.errors import BadKeyError, ModelNotFoundError, NoRouteError, NugenError, UnavailableError
from nugen_pulumi.http.pool import SentRequest
from nugen_pulumi.http.proxies import find_proxy
from nugen_pulumi.http.sender import RequestOptions
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.text import Redaction, duration, printable
from nugen_pulumi.waiting.runtime import Runtime, shared_runtime

State = Literal["good", "bad", "note", "skipped"]

_COLORS: Mapping[State, str] = {"good": "32", "bad": "1;31", "note": "33", "skipped": "2"}
# In their order: each needs those before it.
_NAMES = ("stack", "settings", "proxy", "connection", "paths", "key", "list", "model")
# The id without `--model`: that of no model, in the emulator either.
_NO_SUCH_MODEL = "missing-nugen-pulumi-doctor"
# Seconds in which a name must have an address.
_LOOK_UP = 5.0


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
        state = f"\033[{_COLORS[self.state]}m{self.state:7}\033[0m" if color else f"{self.state:7}"
        return f"{state}  {self.name:10}  {self.message}"


class Doctor:
    """
    All checks.

    Args:
        model_id: A valid model id, or None.

    Attributes:
        requests: What was sent, and what came of it.
        redaction: Takes the API key out of whatever is shown.
    """

    def __init__(self, model_id: str | None = None) -> None:
        self.requests: list[SentRequest] = []
        self.redaction = Redaction()
        self._model_id = model_id
        # A refusal is an answer, too: it is not waited out.
        self._options = RequestOptions(longest_outage=0.0, on_sent=self.requests.append)

    def checks(self) -> Iterator[Check]:
        """Make one check after the other. An error is what the next one found, and the end of those that need it."""
        left, bad = list(_NAMES), ""
        try:
            for check in self._checks():
                left.remove(check.name)
                bad = check.name if check.state == "bad" else bad
                yield check
        except NugenError as exc:
            bad = left.pop(0)
            yield Check(bad, "bad", _said(exc))
        for name in left:
            yield Check(name, "skipped", f'not tried, because the check "{bad}" is bad')
        yield _versions()

    def _checks(self) -> Iterator[Check]:
        stack, problem = stack_config()
        if problem:
            yield Check("stack", "note", f"the stack config was not read: {problem}")
        else:
            told = ", ".join(stack) or "no nugen:* settings"
            yield Check("stack", "good", f"the stack config has {told}", {"keys": list(stack)})

        missing: MissingKeyError | None = None
        try:
            settings = Settings.find(stack.get)
        except MissingKeyError as exc:
            # The base URL and the network can be checked without a key.
            missing, settings = exc, Settings.find({**stack, "nugen:apiKey": "none"}.get)
        self.redaction = Redaction(settings.api_key)
        told = f"base URL {settings.base_url} (from {settings.base_url_source}), request timeout"
        told += f" {duration(settings.request_timeout)}. {missing or f'API key from {settings.api_key_source}.'}"
        facts = {"base_url": settings.base_url, "request_timeout": settings.request_timeout}
        yield Check("settings", "bad" if missing else "good", told, facts)

        url = urlsplit(settings.base_url)
        proxy = find_proxy(url.hostname or "", url.port or 443) if url.scheme == "https" else None
        user = " with user and password" if proxy and proxy.auth else ""
        told = f"{proxy.url}{user} (from {proxy.source})" if proxy else "none"
        yield Check("proxy", "good", told, {"proxy": proxy and proxy.url})

        runtime = shared_runtime(settings)
        host = urlsplit(proxy.url if proxy else settings.base_url).hostname or ""
        yield from self._checks_of_api(runtime, settings, host, has_key=missing is None)

    def _checks_of_api(self, runtime: Runtime, settings: Settings, host: str, *, has_key: bool) -> Iterator[Check]:
        within, client = settings.request_timeout, runtime.client
        model_id = self._model_id or _NO_SUCH_MODEL
        found: Record | NugenError
        try:
            found = runtime.run(lambda: client.status(model_id, within=within, options=self._options))
        except NugenError as exc:
            found = exc
        answered = [sent.seconds for sent in self.requests if sent.status is not None]
        if isinstance(found, NugenError) and not answered:
            told = _said(found)
            # Most errors say themselves what to check.
            if isinstance(found, UnavailableError) and "check" not in told:
                told += _address(runtime, host)
            yield Check("connection", "bad", told)
            return
        milliseconds = round(answered[0] * 1000)
        told = f"connected to {settings.base_url}, {milliseconds} ms to the first response"
        yield Check("connection", "good", told, {"milliseconds": milliseconds})

        if isinstance(found, NugenError) and not isinstance(found, (BadKeyError, ModelNotFoundError)):
            raise found
        facts = {"paths": client.paths.name}
        if client.paths is DOCUMENTED:
            yield Check("paths", "good", "the documented paths answer (…/undeploy-model/…/status)", facts)
        else:
            told = "only the newer paths answer (…/deployment/status). The resources use them by themselves."
            yield Check("paths", "note", told, facts)

        if not has_key:
            return
        if isinstance(found, BadKeyError):
            raise found
        saved = "refresh and destroy use the one that the last `pulumi up` saved"
        yield Check("key", "good", f"the API accepts the API key from {settings.api_key_source}; {saved}")

        yield self._list(runtime, within)
        yield _model(self._model_id, found)

    def _list(self, runtime: Runtime, within: float) -> Check:
        try:
            models = runtime.run(lambda: runtime.client.models(within=within, options=self._options))
        except NoRouteError:
            return Check("list", "note", "this API has no list of models. The resources do not need it.")
        except NugenError as exc:
            return Check("list", "bad", _said(exc))
        counts = Counter(model["deployment_status"] or "without status" for model in models)
        told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        told = f"models in the list: {len(models)}{f' ({told})' if told else ''}"
        return Check("list", "good", told, {"models": len(models)})


def _model(model_id: str | None, found: Record | NugenError) -> Check:
    if model_id is None:
        return Check("model", "skipped", "use --model ID to check one of your models")
    if isinstance(found, NugenError):
        return Check("model", "bad", f"{model_id}: {_said(found)}")
    own = f"it is {found.model_status}; " if found.model_status else ""
    why = f" ({found.error})" if found.error else ""
    told = f"{model_id}: {own}the status of its undeployment is {found.status}{why}"
    return Check("model", "good", told, {"status": found.status, "error": found.error})


def _said(error: NugenError) -> str:
    """Return an error that is not about a model."""
    said = re.sub(r"^Model \S+: ", "", str(error))
    return f"no usable response: {said}." if isinstance(error, UnavailableError) else said


def _address(runtime: Runtime, host: str) -> str:
    """Return what to do where there is no connection to *host*."""

    async def look_up() -> list[Any]:
        async with asyncio.timeout(_LOOK_UP):
            return await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)

    try:
        found = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in runtime.run(look_up)))
    except (OSError, UnicodeError):  # a timeout is one, too
        return f" {host} has no address: check its spelling, and the DNS and the network of this machine."
    address = "" if found == host else f" has the address {found}"
    return f" {host}{address}: check that it is up, and that no firewall, VPN or proxy is in the way."


def _versions() -> Check:
    cli, problem = pulumi("version")
    facts = {
        "Python": platform.python_version(),
        "nugen-pulumi": VERSION,
        "Pulumi SDK": version("pulumi"),
        "Pulumi CLI": printable(cli) or f"not found ({problem})",
        "plugin": shutil.which("pulumi-resource-nugen") or "not on PATH (Python programs do not need it)",
        "system": platform.platform(),
    }
    told = ", ".join(f"{name} {found}" for name, found in facts.items())
    return Check("versions", "note" if problem else "good", told, facts)
