"""The resources ``UndeployedModel`` and ``UndeployedModels``, as programs declare them. They send no requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Optional

import pulumi
from pulumi.dynamic import Resource

from nugen_pulumi.get import read_in_preview, refuse_unreadable
from nugen_pulumi.operations.inputs import READ_IN_PREVIEW
from nugen_pulumi.operations.outputs import NAMING_MODELS, OF_FLEET, OF_MODEL
from nugen_pulumi.provider import UndeployedModelProvider, UndeployedModelsProvider

if TYPE_CHECKING:
    from nugen_pulumi.api.statuses import FleetModel as _Entry
else:
    # The SDK holds outputs against their annotations (runtime/rpc.py, translate_output), and takes no TypedDict there.
    _Entry = Mapping[str, Any]


class UndeployedModel(Resource, module="nugen", name="UndeployedModel"):
    """
    Wait until a Nugen model is undeployed. With *undeploy*, request the undeployment first.

    Deleting the resource removes it from state. It sends no requests and does not deploy the model again.
    Source: ``GET /api/v3/models/undeploy-model/{model_id}/status``.

    Args:
        resource_name: The name of the resource in the stack.
        opts: The usual options of a Pulumi resource.
        model_id: The model. Changing it replaces the resource.
        undeploy: Send the DELETE that starts the undeployment first. Default False.
        wait: Wait until the undeployment finishes. If False, poll once and save the status. Default True.
        timeout_seconds: Seconds for the whole wait. Default 1800.
        poll_interval_seconds: Longest pause between two polls, in seconds; the first ones are shorter. Default 5.
        on_failure: ``"error"``: an undeployment that ends as FAILED fails the deployment (the default).
            ``"record"``: it is recorded in *status* and *error*.
        triggers: Any values but assets and archives. When one of them changes, the resource is replaced.

    Example:
        ``UndeployedModel("support-bot", model_id="aligned-model-01kmqm4nrn9fw6r", undeploy=True)``
    """

    model_id: pulumi.Output[str]
    """The model. It is the resource's id, too."""
    undeploy: pulumi.Output[bool]
    """Whether the undeployment is requested."""
    wait: pulumi.Output[bool]
    """Whether ``pulumi up`` waits for the undeployment to finish."""
    timeout_seconds: pulumi.Output[float | None]
    """Seconds for the whole wait, or None if the program does not set it. The default is 1800."""
    poll_interval_seconds: pulumi.Output[float]
    """Longest pause between two polls, in seconds."""
    on_failure: pulumi.Output[str]
    """``error`` or ``record``."""
    triggers: pulumi.Output[Optional[Sequence[Any]]]  # noqa: UP045 - older SDKs end the program over `|` and a list
    """Values that replace the resource when they change."""
    status: pulumi.Output[str]
    """``PENDING``, ``COMPLETED`` or ``FAILED``, always in upper case.

    With ``wait=False``, any value that the API returns.
    """
    undeployed: pulumi.Output[bool]
    """Known to be undeployed: COMPLETED, or FAILED only because it was already undeployed."""
    result: pulumi.Output[Any]  # not a mapping: the SDK would end the program over a list
    """The ``result`` that the API returned, usually an object, or None."""
    start_time: pulumi.Output[str | None]
    """The ``start_time`` that the API returned, or None."""
    end_time: pulumi.Output[str | None]
    """The ``end_time`` that the API returned, or None."""
    error: pulumi.Output[str | None]
    """Why the status is FAILED, or None."""
    unconfirmed: pulumi.Output[bool | None]
    """True if the DELETE may have been carried out and no poll has shown the undeployment since, else None.

    The next ``pulumi up`` finds out.
    """

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        model_id: pulumi.Input[str],
        undeploy: pulumi.Input[bool] = False,
        wait: pulumi.Input[bool] = True,
        timeout_seconds: pulumi.Input[float] | None = None,
        poll_interval_seconds: pulumi.Input[float] = 5.0,
        on_failure: pulumi.Input[Literal["error", "record"]] = "error",
        triggers: pulumi.Input[Sequence[Any]] | None = None,
    ) -> None:
        props = {
            "model_id": model_id,
            "undeploy": undeploy,
            "wait": wait,
            "timeout_seconds": timeout_seconds,
            "poll_interval_seconds": poll_interval_seconds,
            "on_failure": on_failure,
            "triggers": triggers,
            # Pulumi gives a dynamic resource an attribute only for what is among its properties from the start.
            **dict.fromkeys(OF_MODEL),
            READ_IN_PREVIEW: read_in_preview(opts),
        }
        super().__init__(UndeployedModelProvider(), resource_name, props, opts)

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],  # noqa: A002 - the name it has in every SDK of Pulumi's
        opts: pulumi.ResourceOptions | None = None,
        *,
        wait: bool = True,
        timeout_seconds: pulumi.Input[float] | None = None,
        poll_interval_seconds: pulumi.Input[float] = 5.0,
        on_failure: pulumi.Input[Literal["error", "record"]] = "error",
    ) -> UndeployedModel:
        """
        Read a model without managing it. Never requests the undeployment.

        During ``pulumi up`` this waits in the same way as creating the resource. During a preview it polls once. A
        model that does not exist is an error.

        Args:
            resource_name: The name of the resource in the stack.
            id: The model.
            opts: The usual options of a Pulumi resource.
            wait: Wait for the end; else poll once. Default True.
            timeout_seconds: Seconds for the whole wait. Default 1800.
            poll_interval_seconds: Longest pause between two polls, in seconds. Default 5.
            on_failure: As for the resource. Default ``"error"``.

        Example:
            ``UndeployedModel.get("support-bot", "aligned-model-01kmqm4nrn9fw6r").status``
        """
        bare = refuse_unreadable(cls, id, wait=wait)
        return cls(
            resource_name,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=bare)),
            model_id=id,
            wait=wait,
            timeout_seconds=timeout_seconds,
            poll_interval_seconds=poll_interval_seconds,
            on_failure=on_failure,
        )


class UndeployedModels(Resource, module="nugen", name="UndeployedModels"):
    """
    Wait until up to ten thousand Nugen models are undeployed, in one resource.

    It waits for all models at the same time. If one model fails, the wait for the others continues: the error at the
    end lists up to ten reasons and the number of other models. Everything known is saved in state. The next ``pulumi
    up`` waits only for new and unfinished models, and removes from state the models that are no longer listed. Deleting
    the resource removes it from state and sends no requests.

    Args:
        resource_name: The name of the resource in the stack.
        opts: The usual options of a Pulumi resource.
        model_ids: The models: 1 to 10,000 different ids in any order. A change updates the resource in place.
        undeploy: Send the DELETEs that start the undeployments first. Default False.
        wait: Wait until the undeployments finish. If False, poll each model once and save the status. Default True.
        timeout_seconds: Seconds for the whole wait, of all models together. Default 1800.
        poll_interval_seconds: Longest pause between two polls of a model, in seconds. Default 5.
        on_failure: ``"error"``: a model whose undeployment ends as FAILED fails the deployment (the default).
            ``"record"``: it is recorded in *models* and *failed*.
        triggers: Any values but assets and archives. When one of them changes, the resource is replaced.

    Example:
        ``UndeployedModels("old-bots", model_ids=["bot-a", "bot-b"], undeploy=True, on_failure="record")``
    """

    model_ids: pulumi.Output[Sequence[str]]
    """The models."""
    undeploy: pulumi.Output[bool]
    """Whether the undeployments are requested."""
    wait: pulumi.Output[bool]
    """Whether ``pulumi up`` waits for the undeployments to finish."""
    timeout_seconds: pulumi.Output[float | None]
    """Seconds for the whole wait, or None if the program does not set it. The default is 1800."""
    poll_interval_seconds: pulumi.Output[float]
    """Longest pause between two polls of a model, in seconds."""
    on_failure: pulumi.Output[str]
    """``error`` or ``record``."""
    triggers: pulumi.Output[Optional[Sequence[Any]]]  # noqa: UP045 - older SDKs end the program over `|` and a list
    """Values that replace the resource when they change."""
    models: pulumi.Output[Mapping[str, _Entry]]
    """What is known about each model, by id. Models without a known status are missing."""
    undeployed: pulumi.Output[bool]
    """All models are known to be undeployed."""
    pending: pulumi.Output[Sequence[str]]
    """The ids of models that are not finished."""
    failed: pulumi.Output[Sequence[str]]
    """The ids of models whose undeployment FAILED."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        model_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        undeploy: pulumi.Input[bool] = False,
        wait: pulumi.Input[bool] = True,
        timeout_seconds: pulumi.Input[float] | None = None,
        poll_interval_seconds: pulumi.Input[float] = 5.0,
        on_failure: pulumi.Input[Literal["error", "record"]] = "error",
        triggers: pulumi.Input[Sequence[Any]] | None = None,
    ) -> None:
        ids = pulumi.Output.from_input(model_ids)  # once: it makes an output of each of ten thousand ids
        props = {
            "model_ids": ids,
            "undeploy": undeploy,
            "wait": wait,
            "timeout_seconds": timeout_seconds,
            "poll_interval_seconds": poll_interval_seconds,
            "on_failure": on_failure,
            "triggers": triggers,
            **dict.fromkeys(OF_FLEET),
            **{name: _secret_like(ids, empty) for name, empty in NAMING_MODELS.items()},
        }
        super().__init__(UndeployedModelsProvider(), resource_name, props, opts)


def _secret_like(output: pulumi.Output[Any], empty: Any) -> pulumi.Output[Any]:
    """
    Return *empty* as a secret if *output* is one or holds one, else None.

    The engine makes an output secret if an input of the same name is (pulumi/pulumi, ``annotateSecrets``). In a preview
    it shows inputs as outputs, so the value is unknown there: an empty fleet would be wrong.
    """

    async def value() -> Any:
        return empty if await output.is_secret() else None

    async def known() -> bool:
        return not (pulumi.runtime.is_dry_run() and await output.is_secret())

    return pulumi.Output(output.resources(), value(), known(), output.is_secret())
