"""The resource ``DeployedModel``, as programs declare it. It sends no requests: the provider does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import pulumi
from pulumi.dynamic import Resource

from nugen_pulumi.get import read_in_preview, refuse_unreadable
from nugen_pulumi.operations.inputs import READ_IN_PREVIEW
from nugen_pulumi.operations.outputs import OF_DEPLOYED
from nugen_pulumi.provider import DeployedModelProvider


class DeployedModel(Resource, module="nugen", name="DeployedModel"):
    """
    Put a Nugen model into service, and keep it there for as long as the resource exists. A deployment uses credits.

    Deleting the resource undeploys the model and waits until it is out of service; on any error the resource stays in
    state. A model that was in service before this resource is *adopted*: deleting the resource leaves it in service.
    Changing *model_id* deploys the new model first, and then undeploys the old one.
    Source: ``POST /api/v3/models/deploy-model/{model_id}``, ``DELETE /api/v3/models/undeploy-model/{model_id}``.

    Args:
        resource_name: The name of the resource in the stack.
        opts: The usual options of a Pulumi resource.
        model_id: The model. Changing it replaces the resource.
        wait: Wait until the deployment finishes. If False, request it, poll once and save the status. Deleting the
            resource waits all the same. Default True.
        timeout_seconds: Seconds for each whole wait. Default 1800.
        poll_interval_seconds: Longest pause between two polls, in seconds; the first ones are shorter. Default 5.
        triggers: Any values but assets and archives. When one of them changes, the resource is replaced.

    Example:
        ``DeployedModel("support-bot", model_id="aligned-model-01kmqm4nrn9fw6r")``
    """

    model_id: pulumi.Output[str]
    """The model. It is the resource's id, too."""
    wait: pulumi.Output[bool]
    """Whether ``pulumi up`` waits for the deployment to finish."""
    timeout_seconds: pulumi.Output[float | None]
    """Seconds for each whole wait, or None if the program does not set it. The default is 1800."""
    poll_interval_seconds: pulumi.Output[float]
    """Longest pause between two polls, in seconds."""
    triggers: pulumi.Output[Optional[Sequence[Any]]]  # noqa: UP045 - older SDKs end the program over `|` and a list
    """Values that replace the resource when they change."""
    status: pulumi.Output[str]
    """The status of the deployment: ``PENDING``, ``COMPLETED`` or ``FAILED``, always in upper case.

    With ``wait=False``, any value that the API returns.
    """
    deployed: pulumi.Output[bool]
    """Known to be in service: COMPLETED, or FAILED only because it was already in service."""
    adopted: pulumi.Output[bool]
    """The model was in service before this resource, so that deleting the resource leaves it in service."""
    unconfirmed: pulumi.Output[bool | None]
    """True if the POST may have been carried out and no poll has shown the deployment since, else None.

    The next ``pulumi up`` finds out.
    """
    result: pulumi.Output[Any]
    """The ``result`` that the API returned, usually an object, or None."""
    start_time: pulumi.Output[str | None]
    """The ``start_time`` that the API returned, or None."""
    end_time: pulumi.Output[str | None]
    """The ``end_time`` that the API returned, or None."""
    error: pulumi.Output[str | None]
    """Why the status is FAILED, or None."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        model_id: pulumi.Input[str],
        wait: pulumi.Input[bool] = True,
        timeout_seconds: pulumi.Input[float] | None = None,
        poll_interval_seconds: pulumi.Input[float] = 5.0,
        triggers: pulumi.Input[Sequence[Any]] | None = None,
    ) -> None:
        props = {
            "model_id": model_id,
            "wait": wait,
            "timeout_seconds": timeout_seconds,
            "poll_interval_seconds": poll_interval_seconds,
            "triggers": triggers,
            # Pulumi gives a dynamic resource an attribute only for what is among its properties from the start.
            **dict.fromkeys(OF_DEPLOYED),
            READ_IN_PREVIEW: read_in_preview(opts),
        }
        super().__init__(DeployedModelProvider(), resource_name, props, opts)

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
    ) -> DeployedModel:
        """
        Read a model without managing it. Never requests a deployment.

        During ``pulumi up`` this waits for a deployment that is under way. During a preview it polls once. A model that
        does not exist is an error, and so is one that is not in service, unless *wait* is False.

        Args:
            resource_name: The name of the resource in the stack.
            id: The model.
            opts: The usual options of a Pulumi resource.
            wait: Wait for the end; else poll once. Default True.
            timeout_seconds: Seconds for the whole wait. Default 1800.
            poll_interval_seconds: Longest pause between two polls, in seconds. Default 5.

        Example:
            ``DeployedModel.get("support-bot", "aligned-model-01kmqm4nrn9fw6r").deployed``
        """
        bare = refuse_unreadable(cls, id, wait=wait)
        return cls(
            resource_name,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=bare)),
            model_id=id,
            wait=wait,
            timeout_seconds=timeout_seconds,
            poll_interval_seconds=poll_interval_seconds,
        )
