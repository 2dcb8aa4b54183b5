"""Find out what is wrong between this machine and the Nugen API. Sends nothing but GETs, and changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from nugen_pulumi.doctor.api_checks import ApiChecks
from nugen_pulumi.doctor.machine import stack_config, versions
from nugen_pulumi.doctor.report import Check, Step, Stopped, stopped
from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http.proxies import Proxy, find_proxy
from nugen_pulumi.settings import MissingKeyError, Settings
from nugen_pulumi.text import Redaction, duration, printable


class Doctor:
    """
    All checks: those of this machine are here, those of the API in :mod:`nugen_pulumi.doctor.api_checks`.

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
        self._skip_reason = ""

    def checks(self) -> Iterator[Check]:
        """Make one check after the other. After one that is :class:`Stopped`, only the versions are checked."""
        yield from self._run(
            ("stack", self._check_stack),
            ("settings", self._check_settings),
            ("proxy", self._check_proxy),
            ("name", self._check_name),
        )
        checks = ApiChecks(self._settings, self._proxy, self._model_id, self.requests, self._transport)
        with closing(checks):
            yield from self._run(*checks.steps())
        told, facts, there = versions()
        yield Check("versions", "good" if there else "note", told, facts)

    def _run(self, *steps: tuple[str, Step]) -> Iterator[Check]:
        for name, step in steps:
            if self._skip_reason:
                yield Check(name, "skipped", f"not tried, because {self._skip_reason}")
                continue
            try:
                found = step(name)
            except Stopped as stop:
                found, self._skip_reason = stop.check, stop.why
            yield replace(found, message=self._redaction.string(found.message))

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
            raise stopped(name, str(exc)) from exc
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
            raise stopped(name, str(exc)) from exc
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
            raise stopped(
                name,
                f"The host {host} (from {source}) has no address ({why}): check its spelling, and the DNS and the"
                " network of this machine.",
            ) from exc
        what = f"the proxy {host}" if self._proxy else host
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        told = "is an address already" if addresses == [host] else f"has the address {', '.join(addresses[:4])}"
        return Check(name, "good", f"{what} {told}", {"host": host, "addresses": addresses})
