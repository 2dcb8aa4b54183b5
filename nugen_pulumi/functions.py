"""Look-ups from the program itself, like the functions of Pulumi's own SDKs. They work in a preview, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pulumi

from nugen_pulumi.errors import InputError
from nugen_pulumi.operations.inputs import model_id_problem
from nugen_pulumi.settings import Settings

if TYPE_CHECKING:
    from nugen_pulumi.api.statuses import AlignedModel
    from nugen_pulumi.waiting.runtime import Runtime


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
    outcome = _runtime(api_key, base_url, request_timeout_seconds).follow(model_id, once=True)
    return GetUndeployStatusResult(model_id=model_id, **outcome.status().outputs("undeployed"))


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
    return GetModelsResult(_runtime(api_key, base_url, request_timeout_seconds).models(deployed=deployed))


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


def _runtime(api_key: str | None, base_url: str | None, request_timeout_seconds: float | None) -> Runtime:
    """Return the process's runtime for what is given, and for the program's settings where nothing is."""
    # Late, because programs that never call this need neither httpx nor pydantic.
    from nugen_pulumi.waiting.runtime import shared_runtime  # noqa: PLC0415

    given = {
        "nugen:apiKey": api_key,
        "nugen:baseUrl": base_url,
        "nugen:requestTimeoutSeconds": request_timeout_seconds,
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
    return shared_runtime(settings)
