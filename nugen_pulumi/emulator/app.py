"""The API over HTTP: routes, authentication, the record of requests. Decides nothing about models."""

import hmac
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from nugen_pulumi.emulator.answers import Answer
from nugen_pulumi.emulator.catalogue import key_rejected, not_authenticated
from nugen_pulumi.emulator.connection import respond
from nugen_pulumi.emulator.gate import Gate, Gated
from nugen_pulumi.emulator.schema import ERRORS, DeployResponse, DeployStatusResponse, UndeployStatusResponse
from nugen_pulumi.emulator.world import World

BASE_MODELS: Final = Answer(body=[{"model_id": "emulated-base-model", "name": "Emulated base model"}])

_OPENAPI: Final = "/openapi.json"


class RawPath:
    """Records each request that got this far, and lets it be routed by the path as it was sent."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        # Routing goes by `path`, which comes decoded: there a "%2F" in an id would be one more segment.
        scope["path"] = scope["raw_path"].decode()
        if scope["path"] != _OPENAPI:
            self._world.record(scope["method"], _sent(scope))
        await self._app(scope, receive, send)


def create_app(world: World, api_key: str | None, gate: Gate | None = None) -> FastAPI:
    """
    Return the API in front of *world*.

    Args:
        world: What there is, and what to answer.
        api_key: The only key to accept, str; ``None``: any, but there must be one.
        gate: What lies between the clients and the API; ``None``: nothing.
    """
    app = FastAPI(
        title="Nugen Intelligence API, emulated",
        version="25.4.20",
        openapi_url=_OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(RawPath, world=world)
    if gate is not None:
        app.add_middleware(Gated, gate=gate, on_stopped=lambda scope: world.stop(scope["method"], _sent(scope)))

    async def authenticate(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    ) -> None:
        if given is None:
            raise _refusal(not_authenticated())
        if api_key is not None and not hmac.compare_digest(given.credentials.encode(), api_key.encode()):
            raise _refusal(key_rejected())

    async def refuse(request: Request, exc: HTTPException) -> Response:
        world.refuse(request.method, _sent(request.scope))
        return JSONResponse({"detail": exc.detail}, exc.status_code, exc.headers)

    # Only the router raises these two: what the API itself answers with 404 is an answer like any other.
    for status in (404, 405):
        app.exception_handler(status)(refuse)

    _add_routes(app, world, Depends(authenticate))
    return app


def _add_routes(app: FastAPI, world: World, authenticated: Any) -> None:
    def add(method: str, path: str, operation: str, ask: Callable[[str], Answer], *, response_model: Any) -> None:
        async def answer(model_id: str, request: Request) -> Response:
            return await respond(request, ask(unquote(model_id)))

        app.add_api_route(
            path,
            answer,
            methods=[method],
            operation_id=operation,
            name=operation,
            tags=["Models"],
            response_model=response_model,
            responses=ERRORS,
            dependencies=[authenticated],
        )

    undeploy, deploy = (f"/api/v3/models/{word}-model/{{model_id}}" for word in ("undeploy", "deploy"))
    add("GET", undeploy + "/status", "get_undeploy_status", world.status, response_model=UndeployStatusResponse)
    add("DELETE", undeploy, "undeploy_model", world.undeploy, response_model=str)
    add("GET", deploy + "/status", "get_deploy_status", world.deploy_status, response_model=DeployStatusResponse)
    add("POST", deploy, "deploy_model", world.deploy, response_model=DeployResponse)

    @app.get("/api/v3/models/aligned", tags=["Models"], dependencies=[authenticated])
    async def list_aligned_models(
        request: Request,
        limit: Annotated[int | None, Query(ge=1)] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        """List the account's models."""
        return await respond(request, world.list_models(limit, offset))

    @app.get("/api/v3/models/base", tags=["Models"], dependencies=[authenticated])
    async def list_base_models(request: Request) -> Response:
        """List the base models: a cheap way to try a key."""
        return await respond(request, BASE_MODELS)


def _refusal(answer: Answer) -> HTTPException:
    return HTTPException(answer.status, answer.body["detail"])


def _sent(scope: Scope) -> str:
    path, query = scope["raw_path"].decode(), scope["query_string"].decode()
    return f"{path}?{query}" if query else path
