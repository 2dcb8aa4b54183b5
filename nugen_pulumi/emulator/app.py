"""The API over HTTP: routes, authentication, the record of requests. Decides nothing about models."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from nugen_pulumi.emulator.catalogue import (
    EXAMPLE_END,
    EXAMPLE_START,
    Answer,
    bad_request,
    invalid_request,
    key_rejected,
    model_not_found,
    not_authenticated,
    wrong_route,
)
from nugen_pulumi.emulator.network import Gate, Gated, respond
from nugen_pulumi.emulator.world import World

BASE_MODELS: Final = Answer(body=[{"model_id": "emulated-base-model", "name": "Emulated base model"}])

Paths = Literal["documented", "newer", "both"]

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


def create_app(world: World, api_key: str | None, gate: Gate, paths: Paths) -> FastAPI:
    """
    Return the API in front of *world*.

    Args:
        world: What there is, and what to answer.
        api_key: The only key to accept, str; ``None``: any, but there must be one.
        gate: What lies between the clients and the API.
        paths: Which family of paths is served.
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

    _add_routes(app, world, paths, Depends(authenticate))
    return app


# The documented shapes, for the OpenAPI document only: what is really sent may deviate from them on purpose.
class DeployTaskStatus(str, Enum):
    """The phase of a task."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class UndeployStatusResponse(BaseModel):
    """One answer of the status endpoint."""

    # Pydantic before 2.10 warns of every field that starts with `model_`.
    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(description="The model that is undeployed", examples=["model_abc123"])
    status: DeployTaskStatus = Field(description="The phase of the undeployment", examples=["COMPLETED"])
    result: dict[str, Any] | None = Field(None, description="What came of it")
    start_time: datetime | None = Field(None, description="When it started", examples=[EXAMPLE_START])
    end_time: datetime | None = Field(None, description="When it ended", examples=[EXAMPLE_END])


class DeployStatusResponse(UndeployStatusResponse):
    """One answer of the status endpoint of deployments: the same shape."""


class DeployResponse(BaseModel):
    """The answer to a POST that starts a deployment."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(description="The model that is deployed", examples=["model_abc123"])


class DeploymentStatusResponse(BaseModel):
    """One answer of the newer family's status endpoint. Nobody documented it."""

    status: str = Field(description="What the model is", examples=["DEPLOYED"])
    error: str | None = Field(None, description="What went wrong last")


def _documented(description: str, answer: Answer) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": answer.body}}}


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: _documented("Bad request", bad_request()),
    404: _documented("Model not found", model_not_found()),
    422: _documented("Validation error", invalid_request()),
}


@dataclass(frozen=True)
class _Endpoint:
    """
    One endpoint about one model.

    Attributes:
        family: Of its path, "documented" or "newer".
        method: HTTP method.
        path: Behind ``/api/v3/models/``.
        operation: As the OpenAPI document calls it.
        ask: What answers.
        body: The shape of a 200.
    """

    family: Paths
    method: str
    path: str
    operation: str
    ask: Callable[[World, str], Answer]
    body: Any


_ENDPOINTS: Final = (
    _Endpoint(
        "documented",
        "GET",
        "undeploy-model/{model_id}/status",
        "get_undeploy_status",
        World.status,
        UndeployStatusResponse,
    ),
    _Endpoint("documented", "DELETE", "undeploy-model/{model_id}", "undeploy_model", World.undeploy, str),
    _Endpoint(
        "documented",
        "GET",
        "deploy-model/{model_id}/status",
        "get_deploy_status",
        World.deploy_status,
        DeployStatusResponse,
    ),
    _Endpoint("documented", "POST", "deploy-model/{model_id}", "deploy_model", World.deploy, DeployResponse),
    _Endpoint(
        "newer",
        "GET",
        "{model_id}/deployment/status",
        "get_deployment_status",
        World.newer_status,
        DeploymentStatusResponse,
    ),
    _Endpoint("newer", "POST", "{model_id}/deployment", "create_deployment", World.deploy, DeployResponse),
    # That it answers as the documented DELETE does is a guess.
    _Endpoint("newer", "DELETE", "{model_id}/deployment", "delete_deployment", World.undeploy, str),
)


def _add_routes(app: FastAPI, world: World, paths: Paths, authenticated: Any) -> None:
    def add(endpoint: _Endpoint) -> None:
        served = paths in ("both", endpoint.family)

        async def answer(model_id: str, request: Request) -> Response:
            # As the router says it, but nobody complains: that is how a client finds out what is served.
            return await respond(request, endpoint.ask(world, unquote(model_id)) if served else wrong_route())

        app.add_api_route(
            "/api/v3/models/" + endpoint.path,
            answer,
            methods=[endpoint.method],
            operation_id=endpoint.operation,
            name=endpoint.operation,
            tags=["Models"],
            response_model=endpoint.body,
            responses=ERRORS,
            dependencies=[authenticated] if served else [],
            include_in_schema=served,
        )

    for endpoint in _ENDPOINTS:
        add(endpoint)

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
