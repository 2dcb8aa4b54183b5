"""Look-ups from the program itself, like the functions of Pulumi's own SDKs. They work in a preview, too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from nugen_pulumi.errors import InputError
from nugen_pulumi.operations.inputs import model_id_problem
from nugen_pulumi.settings import Settings

if TYPE_CHECKING:
    from nugen_pulumi.api.client import NugenClient
    from nugen_pulumi.api.statuses import AlignedModel

T = TypeVar("T")
# Seconds for each page of the list of models.
LONGEST_LIST = 60.0


@dataclass(frozen=True)
class GetUndeployStatusResult:
    """
    The status of the undeployment of a model.

    Attributes:
        model_id: The model that you passed.
        status: ``PENDING``, ``COMPLETED``, ``FAILED`` or any other value that the API returned, in upper case.
        undeployed: Known to be undeployed: COMPLETED, or FAILED only because it was already undeployed.
        result: The ``result`` that the API returned, or None.
        start_time: The ``start_time`` that the API returned, or None.
        end_time: The ``end_time`` that the API returned, or None.
        error: Why the status is FAILED, or None.
    """

    model_id: str
    status: str
    undeployed: bool
    result: Any
    start_time: str | None
    end_time: str | None
    error: str | None


def get_undeploy_status(
    model_id: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    request_timeout_seconds: float | None = None,
) -> GetUndeployStatusResult:
    """
    Poll the status of a model's undeployment once.

    Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``. Blocks the program for one HTTP request.

    Args:
        model_id: The model.
        api_key: The API key; by default that of the stack config or the environment, as for the resources.
        base_url: The API's base URL; by default as for the resources.
        request_timeout_seconds: Seconds for the one HTTP request in all; by default as for the resources.

    Raises:
        InputError: *model_id* is not a valid model id.
        SettingsError: A setting is missing or wrong.
        ModelNotFoundError: The API knows no such model.
        RejectedError: A permanent error: the API rejects the request.
        UnavailableError: There was no usable response.

    Example:
        ``get_undeploy_status("aligned-model-01kmqm4nrn9fw6r").undeployed``
    """
    if (problem := model_id_problem(model_id)) is not None:
        raise InputError(f"model_id {problem}.")
    # Late, because programs that never call this need neither httpx nor pydantic.
    from nugen_pulumi.waiting.polling import WaitPolicy  # noqa: PLC0415
    from nugen_pulumi.waiting.task import Task  # noqa: PLC0415

    async def poll(client: NugenClient) -> GetUndeployStatusResult:
        outcome = await Task(client, model_id, WaitPolicy()).follow(once=True)
        return GetUndeployStatusResult(model_id=model_id, **outcome.status().outputs("undeployed"))

    return _ask(poll, api_key, base_url, request_timeout_seconds)


def get_undeploy_status_output(
    model_id: pulumi.Input[str],
    *,
    api_key: pulumi.Input[str | None] = None,
    base_url: pulumi.Input[str | None] = None,
    request_timeout_seconds: pulumi.Input[float | None] = None,
) -> pulumi.Output[GetUndeployStatusResult]:
    """
    Call :func:`get_undeploy_status` with inputs that may be outputs.

    Sends no request while an input is unknown.

    Example:
        ``get_undeploy_status_output(model.model_id).apply(lambda seen: seen.status)``
    """
    return pulumi.Output.all(
        model_id=model_id, api_key=api_key, base_url=base_url, request_timeout_seconds=request_timeout_seconds
    ).apply(lambda known: get_undeploy_status(**known))


@dataclass(frozen=True)
class GetModelsResult:
    """
    The models of the account.

    Attributes:
        models: The models, each a dict with ``model_id``, ``name``, ``base_model``, ``deployed`` and
            ``deployment_status``.
    """

    models: list[AlignedModel]


def get_models(
    *,
    deployed: bool | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    request_timeout_seconds: float | None = None,
) -> GetModelsResult:
    """
    List the account's aligned models. The API's list may lag behind by a minute.

    Source: ``GET /api/v3/models/aligned``. Blocks the program for one HTTP request for each 200 models.

    Args:
        deployed: Only those that are in service (True) or out of it (False). Those of which the API does not say are in
            neither. Default None: all of them.
        api_key: The API key; by default that of the stack config or the environment, as for the resources.
        base_url: The API's base URL; by default as for the resources.
        request_timeout_seconds: Seconds for each HTTP request in all; by default as for the resources.

    Raises:
        SettingsError: A setting is missing or wrong.
        RejectedError: A permanent error: the API rejects the request.
        UnavailableError: There was no usable response.

    Example:
        ``[model["model_id"] for model in get_models(deployed=True).models]``
    """

    async def models(client: NugenClient) -> GetModelsResult:
        return GetModelsResult(await client.models(deployed=deployed, within=LONGEST_LIST))

    return _ask(models, api_key, base_url, request_timeout_seconds)


def get_models_output(
    *,
    deployed: pulumi.Input[bool | None] = None,
    api_key: pulumi.Input[str | None] = None,
    base_url: pulumi.Input[str | None] = None,
    request_timeout_seconds: pulumi.Input[float | None] = None,
) -> pulumi.Output[GetModelsResult]:
    """
    Call :func:`get_models` with inputs that may be outputs.

    Sends no request while an input is unknown.

    Example:
        ``get_models_output(deployed=True).apply(lambda found: len(found.models))``
    """
    return pulumi.Output.all(
        deployed=deployed, api_key=api_key, base_url=base_url, request_timeout_seconds=request_timeout_seconds
    ).apply(lambda known: get_models(**known))


def _ask(
    question: Callable[[NugenClient], Awaitable[T]],
    api_key: str | None,
    base_url: str | None,
    request_timeout_seconds: float | None,
) -> T:
    """Answer *question* with a client of its own, and with the program's settings where none are given."""
    from nugen_pulumi.api.client import NugenClient  # noqa: PLC0415
    from nugen_pulumi.waiting.event_loop import Loop  # noqa: PLC0415

    given = {
        "nugen:apiKey": api_key,
        "nugen:baseUrl": base_url,
        "nugen:requestTimeoutSeconds": request_timeout_seconds,
        "nugen:maxConcurrentRequests": 1,  # one poll needs one connection
    }

    def find(key: str) -> object:
        """Look in what was given, then in the stack config; what is blank counts as not given."""
        value = given.get(key)
        return value if value is not None and str(value).strip() else pulumi.runtime.get_config(key)

    settings = Settings.find(find)
    if api_key is not None:
        settings = replace(settings, api_key_source="the argument api_key")
    if base_url is not None:
        settings = replace(settings, base_url_source="the argument base_url")

    async def answer() -> T:
        client = NugenClient(settings)
        try:
            return await question(client)
        finally:
            await client.aclose()

    answered: Future[T | BaseException] = Future()

    async def outcome() -> T | BaseException:
        return (await asyncio.gather(answer(), return_exceptions=True))[0]

    def run() -> None:
        with closing(Loop()) as loop:
            answered.set_result(loop.run_until_complete(outcome()))

    # Needs its own loop in its own thread, because Pulumi's loop runs in the program's thread. A daemon, because Ctrl-C
    # in the program must not wait for a whole request timeout.
    threading.Thread(target=run, name="nugen-look-up", daemon=True).start()
    found = answered.result()
    if isinstance(found, BaseException):
        raise found
    return found
