"""The requests to the Nugen API. Turns responses into values or errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from pydantic import ValidationError

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.paths import DOCUMENTED, NEWER, Paths, path_of
from nugen_pulumi.api.response_errors import error_of, is_server_error, page_instead
from nugen_pulumi.api.responses import STATUS_OF, ListedModel, ListPage, ModelStatus, TaskStatus
from nugen_pulumi.api.start_answers import Answer, Started, answer_of
from nugen_pulumi.api.statuses import AlignedModel, Phase
from nugen_pulumi.errors import (
    MisdirectedError,
    NoRouteError,
    RejectedError,
    UnavailableError,
)
from nugen_pulumi.http.request import DEFAULT_OPTIONS, RequestOptions
from nugen_pulumi.http.response import Response
from nugen_pulumi.http.retrying_sender import RetryingSender
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

T = TypeVar("T")
# Models in a page of the list.
_PAGE = 200


class NugenClient:
    """
    The requests this package sends. Belongs to one event loop.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Attributes:
        paths: The family of paths that the API answers; the documented one until it says otherwise.

    Raises:
        SettingsError: The base URL, or a proxy or certificate file that the environment names, cannot be used.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._sender = RetryingSender(settings, transport=transport)
        self._asked_about: set[str] = set()
        self.paths = DOCUMENTED
        self._newer_has_no_route = False

    async def status(
        self,
        model_id: str,
        *,
        direction: Direction = UNDEPLOY,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> TaskStatus:
        """
        Poll the status of the undeployment, or deployment, of *model_id*.

        Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``, ``…/deploy-model/{model_id}/status``.

        Args:
            model_id: Any id that is one path segment.
            direction: Which of the two.
            within: Seconds that this may take in all; a request also has its request timeout.
            options: What else the caller wants.

        Raises:
            UnavailableError: No usable response; asking again may help.
            RejectedError: Asking again will not help.
        """

        def read(response: Response, paths: Paths) -> TaskStatus:
            if not 200 <= response.status < 300:
                raise error_of(response, model_id, self._settings)
            status = _status(response, model_id, direction, paths, source=self._settings.base_url_source)
            # The API may return another spelling of the id. But an id that this process also polls belongs to another
            # model.
            if status.model_id != model_id and status.model_id in self._asked_about:
                raise MisdirectedError(f"a response about another model ({printable(status.model_id, 100)})")
            return status

        self._asked_about.add(model_id)

        async def ask(paths: Paths) -> TaskStatus:
            path = path_of(paths.status, model_id, direction)
            return await self._sender.send(
                "GET", path, lambda response: read(response, paths), within=within, options=options
            )

        return await self._in_its_paths(ask)

    async def start(
        self,
        model_id: str,
        *,
        direction: Direction = UNDEPLOY,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> Started:
        """
        Request the undeployment, or deployment, of *model_id*.

        Source: ``DELETE /api/v3/models/undeploy-model/{model_id}``, ``POST /api/v3/models/deploy-model/{model_id}``.

        Args:
            model_id: Any id that is one path segment.
            direction: As for :meth:`status`.
            within: As for :meth:`status`.
            options: As for :meth:`status`.

        Returns:
            What the API said: accepted, or a 400 that is about the state of the model.

        Raises:
            UnavailableError: No usable response. Unless its ``sent`` is False, the request may have been carried out.
            RejectedError: Asking again will not help.
        """

        def read(response: Response) -> Started:
            if 200 <= response.status < 300 and response.is_page:
                raise UnavailableError(page_instead(response, source=self._settings.base_url_source))
            if 200 <= response.status < 300:
                return Started(Answer.ACCEPTED, at=response.date)
            if response.status == 400 and not is_server_error(response):
                answer = answer_of(response.detail, direction)
                # Before an undeployment the status tells what an unknown 400 means; a deployment may cost.
                if answer is not Answer.UNCLEAR or direction is UNDEPLOY:
                    return Started(answer, said=response.detail.rstrip("."))
            raise error_of(response, model_id, self._settings)

        async def ask(paths: Paths) -> Started:
            path = path_of(paths.request, model_id, direction)
            return await self._sender.send(direction.method, path, read, within=within, options=options)

        return await self._in_its_paths(ask)

    async def models(self, *, deployed: bool | None = None, within: float) -> list[AlignedModel]:
        """
        List the account's models. The list may lag behind by a minute.

        Source: ``GET /api/v3/models/aligned``.

        Args:
            deployed: Only those that are in service, or out of it; None: all, those of which the API does not say too.
            within: Seconds that each page may take in all.

        Raises:
            UnavailableError: No usable response; asking again may help.
            RejectedError: Asking again will not help.
        """

        def read(response: Response) -> list[ListedModel]:
            if not 200 <= response.status < 300:
                raise error_of(response, "list", self._settings)
            try:
                answer = response.json()
                page = ListPage.model_validate(
                    {"domain_aligned_models": answer} if isinstance(answer, list) else answer
                )
            except ValueError as exc:  # pydantic's is one, too
                raise UnavailableError(f"an unreadable list of models ({response.excerpt})") from exc
            return page.domain_aligned_models

        found: dict[str, AlignedModel] = {}
        while True:
            path = f"/api/v3/models/aligned?limit={_PAGE}&offset={len(found)}"
            page = await self._sender.send("GET", path, read, within=within)
            news = {model.model_id: model.recorded() for model in page if model.model_id not in found}
            found |= news
            # An API that does not know the parameters answers with all of them, again and again.
            if not news or len(page) < _PAGE:
                return [model for model in found.values() if deployed is None or model["deployed"] is deployed]

    async def _in_its_paths(self, ask: Callable[[Paths], Awaitable[T]]) -> T:
        """
        Do *ask* with the documented paths, or with the newer ones once the API has said that it has no others.

        Only the API's own answer to a wrong route counts, and the newer paths are tried until they fail likewise.
        """
        if self.paths is NEWER:
            return await ask(NEWER)
        try:
            return await ask(DOCUMENTED)
        except NoRouteError as documented:
            if self._newer_has_no_route:
                raise
            try:
                result = await ask(NEWER)
            except NoRouteError:
                self._newer_has_no_route = True
                raise documented from None
            except RejectedError:
                self.paths = NEWER  # the route is there, whatever it says of the model
                raise
            self.paths = NEWER
            return result

    @property
    def answered_ever(self) -> bool:
        """Any request of the process ever got a usable response."""
        return self._sender.outage.answered_ever

    @property
    def unanswered_for(self) -> float:
        """Seconds since the requests of the process began to fail; 0 if the last one got a usable response."""
        return self._sender.outage.unanswered_for(asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()


def _status(response: Response, model_id: str, direction: Direction, paths: Paths, source: str) -> TaskStatus:
    try:
        if paths is NEWER:
            return ModelStatus.model_validate(response.json()).of_task(model_id, direction)
        status = STATUS_OF[direction].model_validate(response.json())
    except ValueError as exc:  # pydantic's is one, too
        if response.is_page:
            raise UnavailableError(page_instead(response, source)) from exc
        if isinstance(exc, ValidationError):
            field = ".".join(str(part) for part in exc.errors(include_input=False)[0]["loc"])
            what = f"its field {field} has an unexpected type or is missing" if field else "it is not a JSON object"
        else:
            what = f"it is not JSON: {response.excerpt}"
        raise UnavailableError(f"an unreadable {response.status} response ({what})") from exc
    # The API returns FAILED because no requested task runs, but the platform is undeploying the model by itself. If
    # FAILED were saved, the next `pulumi up` would treat the model as finished.
    running = status.model_status == direction.running
    return status.model_copy(update={"status": Phase.PENDING.value}) if running else status
