"""The two requests to the Nugen API, and what the responses mean: a value, or one of our errors."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from nugen_pulumi.dispatcher import Dispatcher
from nugen_pulumi.errors import ModelNotFoundError, NugenError, RejectedError, UnavailableError
from nugen_pulumi.formatting import printable
from nugen_pulumi.models import UndeployStatus
from nugen_pulumi.request import DEFAULT_OPTIONS, RequestOptions
from nugen_pulumi.response import Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.statuses import Phase
from nugen_pulumi.transient_errors import MisdirectedError, RefusedError

# An explicit provider's settings arrive as if they were the stack's.
_OF_PROVIDER = " (of the stack, or the one given to its Provider)"


class NugenClient:
    """
    The two requests this package sends. Belongs to one event loop.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._dispatcher = Dispatcher(settings, transport=transport)
        self._asked_about: set[str] = set()

    async def status(
        self,
        model_id: str,
        *,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> UndeployStatus:
        """
        Ask how the undeployment of *model_id* stands.

        Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``.

        Args:
            model_id: Any id that is one path segment.
            within: Seconds that this may take in all; a request also has its request timeout.
            options: What else the caller wants.

        Raises:
            UnavailableError: No usable response; asking again may help.
            RejectedError: Asking again will not help.
        """

        def read(response: Response) -> UndeployStatus:
            if not 200 <= response.status < 300:
                raise self._error(response, model_id)
            status = _status(response, source=self._settings.base_url_source)
            # Ids are known to be echoed differently. But one that was asked about here, too, at any time, is another's.
            if status.model_id != model_id and status.model_id in self._asked_about:
                raise MisdirectedError(f"a response about another model ({printable(status.model_id, 100)})")
            return status

        self._asked_about.add(model_id)
        path = _path(model_id) + "/status"
        return await self._dispatcher.send("GET", path, read, within=within, options=options)

    async def undeploy(
        self,
        model_id: str,
        *,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> bool:
        """
        Request the undeployment of *model_id*.

        Source: ``DELETE /api/v3/models/undeploy-model/{model_id}``.

        Args:
            model_id: Any id that is one path segment.
            within: As for :meth:`status`.
            options: As for :meth:`status`.

        Returns:
            True if the API accepted it; False if it says that there is nothing to do.

        Raises:
            UnavailableError: No usable response. Unless its ``sent`` is False, the request may have been carried out.
            RejectedError: Asking again will not help.
        """

        def read(response: Response) -> bool:
            if 200 <= response.status < 300:
                return True
            if response.status == 400 and not _is_server_error(response):
                return False
            raise self._error(response, model_id)

        path = _path(model_id)
        return await self._dispatcher.send("DELETE", path, read, within=within, options=options)

    @property
    def answered_ever(self) -> bool:
        """Any request of the process ever got a usable response."""
        return self._dispatcher.outage.answered_ever

    async def aclose(self) -> None:
        """Close the connections."""
        await self._dispatcher.aclose()

    def _error(self, response: Response, model_id: str) -> NugenError:
        """
        Tell what an answer that is not a 2xx means. This is the table of outcomes.

        It goes by what helps, not by the hundreds digit: a 400 can be an error of the server, and a 429 an empty
        account, as seen in the wild.
        """
        said = response.summary
        source = self._settings.base_url_source
        retry_after = response.retry_after()
        status = response.status
        if status == 503:
            return RefusedError(said, retry_after=retry_after)
        if status == 429 and (
            retry_after is not None or not re.search(r"quota|credit", response.detail, re.IGNORECASE)
        ):
            return RefusedError(said, retry_after=retry_after)
        if status in (408, 425) or status >= 500 or _is_server_error(response):
            return UnavailableError(said, retry_after=retry_after)

        kind: type[RejectedError] = RejectedError
        if status < 400:
            host = _host(response.headers.get("location", ""))
            why = (
                f"{self._settings.base_url} redirects to {host} ({status}), which is never followed because the API key"
                f" is for the API alone: check the base URL, which is from {source}"
            )
        elif status in (401, 403):
            why = (
                f"the Nugen API does not accept the API key ({said}): check the one in {self._settings.api_key_source}"
                f"{_OF_PROVIDER if self._settings.api_key_source == 'nugen:apiKey' else ''}"
            )
        elif status == 404 and response.detail.rstrip(".").lower() == "model not found":
            kind = ModelNotFoundError
            why = f"the Nugen API knows no such model, or it belongs to another account ({said})"
        elif status == 404:
            why = f"{self._settings.base_url} has no such endpoint ({said}): check the base URL, which is from {source}"
        elif status == 422:
            why = f"the Nugen API does not accept this model id ({said})"
        elif status == 429:
            why = f"the Nugen account is out of credits ({said})"
        else:
            why = f"the Nugen API refuses the request ({said})"
        return kind(f"Model {model_id}: {why}.")


def _status(response: Response, source: str) -> UndeployStatus:
    try:
        status = UndeployStatus.model_validate_json(response.body)
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            what = f"it is not JSON: {response.excerpt}"
            if response.is_page:
                what += f"; a page for people, not the API: check the base URL, which is from {source}"
        else:
            what = f"its {field} is not as documented" if field else "it is no JSON object"
        raise UnavailableError(f"a {response.status} response that cannot be read ({what})") from exc
    # FAILED, because no task of ours runs; but the platform undeploys the model by itself. Recorded as FAILED it would
    # look finished to the next `pulumi up`.
    return status.model_copy(update={"status": Phase.PENDING.value}) if status.model_status == "UNDEPLOYING" else status


def _path(model_id: str) -> str:
    return f"/api/v3/models/undeploy-model/{quote(model_id, safe='')}"


def _host(location: str) -> str:
    try:
        return printable(urlsplit(location).hostname or "another path", 100)
    except ValueError:
        return "what is no URL"


def _is_server_error(response: Response) -> bool:
    """Seen once: a 400 that says ``Internal server error `` and means it."""
    return response.status == 400 and response.detail.lower().startswith("internal server error")
