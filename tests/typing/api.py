"""The public API as programs use it. Type-checked, never run."""

import pulumi

from nugen_pulumi import (
    FleetModel,
    GetUndeployStatusResult,
    InputError,
    ModelNotFoundError,
    NugenError,
    Provider,
    UndeployedModel,
    UndeployedModels,
    get_undeploy_status,
    get_undeploy_status_output,
)

config = pulumi.Config()
account = Provider(
    "eu",
    api_key=config.require_secret("key"),
    base_url="https://api.nugen.in",
    request_timeout_seconds=10,
    max_concurrent_requests=pulumi.Output.from_input(4),
)

model = UndeployedModel("a", model_id="m-1")
second = UndeployedModel(
    "b",
    pulumi.ResourceOptions(provider=account, depends_on=[model]),
    model_id=model.model_id.apply(lambda model_id: model_id + "-b"),
    undeploy=True,
    wait=False,
    timeout_seconds=pulumi.Output.from_input(60.0),
    poll_interval_seconds=1,
    on_failure="record",
    triggers=[1, "x", model.end_time],
)
known: UndeployedModel = UndeployedModel.get("c", "m-2", timeout_seconds=5)
status: pulumi.Output[str] = model.status
undeployed: pulumi.Output[bool] = model.undeployed
error: pulumi.Output[str | None] = model.error

fleet = UndeployedModels("fleet", model_ids=["m-1", model.model_id], undeploy=True)
pending: pulumi.Output[list[str]] = fleet.pending.apply(list)


def word(models: dict[str, FleetModel]) -> str:
    """Read an entry of a fleet."""
    return models["m-1"].get("error") or models["m-1"]["status"]


words: pulumi.Output[str] = fleet.models.apply(lambda models: word(dict(models)))

try:
    seen: GetUndeployStatusResult = get_undeploy_status("m-1", api_key="k", request_timeout_seconds=5)
except ModelNotFoundError as missing:
    print(missing.reason.what)
except InputError:
    pass
except NugenError:
    raise
later: pulumi.Output[str] = get_undeploy_status_output(model.model_id).apply(lambda result: result.status)
