"""The requests to the Nugen API. Turns responses into values or errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from nugen_pulumi.api.directions import UNDEPLOY, Direction
from nugen_pulumi.api.paths import DOCUMENTED, NEWER, Paths, path_of
from nugen_pulumi.api.response_errors import error_of, is_of_api, is_server_error, page_instead
from nugen_pulumi.api.responses import ListedModel, ListPage, ModelStatus, TaskStatus
from nugen_pulumi.api.start_answers import Started, answer_of
from nugen_pulumi.api.statuses import AlignedModel, Record
from nugen_pulumi.errors import (
    MisdirectedError,
    NoRouteError,
    NugenError,
    RejectedError,
    UnavailableError,
)
from nugen_pulumi.http.response import Response
from nugen_pulumi.http.sender import DEFAULT_OPTIONS, RequestOptions, Sender
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

T = TypeVar("T")
B = TypeVar("B", bound=BaseModel)
# Models in a page of the list.
_PAGE = 200
# Seconds for which the others wait until the first request has found out which paths there are.
_FINDING_OUT = 5.0


class NugenClient:
    """
    The requests this package sends. Belongs to one event loop.

    Each takes *within* seconds at most, and raises what :meth:`Sender.send` does, whose *options* it has.

    Args:
        settings: Where the API is and how to speak to it.
        transport: Stands in for the network in tests.

    Attributes:
        paths: The family of paths that the API answers; the documented one until it says otherwise.
    """

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.paths = DOCUMENTED
        self._settings = settings
        self._sender = Sender(settings, transport=transport)
        self._asked_about: set[str] = set()
        self._newer_has_no_route = False
        self._first: asyncio.Future[None] | None = None
        self._first_until = 0.0

    async def status(
        self,
        model_id: str,
        *,
        direction: Direction = UNDEPLOY,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> Record:
        """
        Poll the status of the undeployment, or deployment, of *model_id*.

        Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``, ``…/deploy-model/{model_id}/status``.
        """

        def read(paths: Paths, response: Response) -> Record:
            if not 200 <= response.status < 300:
                raise self._error_of(response, f"Model {model_id}")
            source = self._settings.base_url_source
            if paths is NEWER:
                return _parsed(ModelStatus, response, source).record(direction)
            status = _parsed(TaskStatus, response, source)
            # The API may return another spelling of the id. But an id that this process also polls belongs to another
            # model.
            if status.model_id != model_id and status.model_id in self._asked_about:
                raise MisdirectedError(f"a response about another model ({printable(status.model_id, 100)})")
            return status.record(direction)

        self._asked_about.add(model_id)

        async def ask(paths: Paths, seconds: float) -> Record:
            path = path_of(paths.status, model_id, direction)
            return await self._sender.send("GET", path, partial(read, paths), within=seconds, options=options)

        return await self._in_its_paths(ask, within)

    async def start(
        self,
        model_id: str,
        *,
        direction: Direction = UNDEPLOY,
        within: float,
        options: RequestOptions = DEFAULT_OPTIONS,
    ) -> tuple[Started, str]:
        """
        Request the undeployment, or deployment, of *model_id*; return what the API said to it, and in which words.

        Source: ``DELETE /api/v3/models/undeploy-model/{model_id}``, ``POST /api/v3/models/deploy-model/{model_id}``.
        """

        def read(response: Response) -> tuple[Started, str]:
            if 200 <= response.status < 300 and response.is_page:
                raise UnavailableError(page_instead(response, source=self._settings.base_url_source))
            if 200 <= response.status < 300:
                return Started.ACCEPTED, ""
            if 400 <= response.status < 500 and is_of_api(response) and not is_server_error(response):
                answer = answer_of(response.detail, direction)
                # Before an undeployment the status tells what an unknown 400 means; a deployment may cost.
                if answer is not Started.UNCLEAR or (response.status == 400 and direction is UNDEPLOY):
                    return answer, response.detail.rstrip(".")
            raise self._error_of(response, f"Model {model_id}")

        async def ask(paths: Paths, seconds: float) -> tuple[Started, str]:
            path = path_of(paths.request, model_id, direction)
            return await self._sender.send(direction.method, path, read, within=seconds, options=options)

        return await self._in_its_paths(ask, within)

    async def models(
        self, *, deployed: bool | None = None, within: float, options: RequestOptions = DEFAULT_OPTIONS
    ) -> list[AlignedModel]:
        """
        List the account's models, each page *within* so many seconds. The list may lag behind by a minute.

        If *deployed* is True or False, only those that are in service, or out of it, and not those of which the API
        does not say. Source: ``GET /api/v3/models/aligned``.
        """

        def read(response: Response) -> list[ListedModel]:
            if not 200 <= response.status < 300:
                raise self._error_of(response, "The list of models")
            return _parsed(ListPage, response, self._settings.base_url_source).domain_aligned_models

        found: dict[str, AlignedModel] = {}
        while True:
            path = f"/api/v3/models/aligned?limit={_PAGE}&offset={len(found)}"
            page = await self._sender.send("GET", path, read, within=within, options=options)
            news = {model.model_id: model.record() for model in page if model.model_id not in found}
            found |= news
            # An API may have shorter pages than we ask for, or answer with all of them again and again.
            if not news:
                return [model for model in found.values() if deployed is None or model["deployed"] is deployed]

    async def _in_its_paths(self, ask: Callable[[Paths, float], Awaitable[T]], within: float) -> T:
        """
        Do *ask* with the documented paths, or with the newer ones once the API has said that it has no others.

        The first request finds out for all that come meanwhile. Only the API's own answer to a wrong route counts, and
        the newer paths are tried until they fail likewise.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + within
        if self._first is None:
            self._first, self._first_until = asyncio.get_running_loop().create_future(), clock() + _FINDING_OUT
            try:
                return await self._in_either(ask, within)
            finally:
                self._first.set_result(None)
        if not self._first.done() and clock() < self._first_until:
            # Half of the time stays for the request itself.
            await asyncio.wait([self._first], timeout=min(self._first_until - clock(), within / 2))
        return await self._in_either(ask, max(0.0, deadline - clock()))

    async def _in_either(self, ask: Callable[[Paths, float], Awaitable[T]], within: float) -> T:
        if self.paths is NEWER:
            return await ask(NEWER, within)
        try:
            return await ask(DOCUMENTED, within)
        except NoRouteError as documented:
            if self._newer_has_no_route:
                raise
            try:
                result = await ask(NEWER, within)
            except NoRouteError:
                self._newer_has_no_route = True
                raise documented from None
            except RejectedError:
                self.paths = NEWER  # the route is there, whatever it says of the model
                raise
            self.paths = NEWER
            return result

    def _error_of(self, response: Response, subject: str) -> NugenError:
        return error_of(response, subject, self._settings, answered=self.answered_ever)

    @property
    def answered_ever(self) -> bool:
        """Any request of the process ever got a usable response."""
        return self._sender.outage.answered_ever

    @property
    def longest_outage(self) -> float:
        """Seconds for which failing requests are waited out."""
        return self._sender.outage.longest

    @property
    def failing_for(self) -> float:
        """Seconds since the requests of the process began to fail; 0 if the last one got a usable response."""
        return self._sender.outage.failing_for(asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()


def _parsed(kind: type[B], response: Response, source: str) -> B:
    try:
        return kind.model_validate(response.json())
    except ValueError as exc:  # pydantic's is one, too
        if response.is_page:
            raise UnavailableError(page_instead(response, source)) from exc
        if isinstance(exc, ValidationError):
            field = ".".join(str(part) for part in exc.errors(include_input=False)[0]["loc"])
            what = f"its field {field} has an unexpected type or is missing" if field else "it is not a JSON object"
        else:
            what = f"it is not JSON: {response.excerpt}"
        raise UnavailableError(f"an unreadable {response.status} response ({what})") from exc
