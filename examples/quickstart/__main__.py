"""One model, out of service."""

import pulumi

from nugen_pulumi import UndeployedModel

config = pulumi.Config()

model = UndeployedModel(
    "model",
    model_id=config.get("modelId") or "aligned-model-01kmqm4nrn9fw6r",
    # Off unless the stack says so: a first try must not take anything out of service.
    undeploy=config.get_bool("undeploy") or False,
)

pulumi.export("status", model.status)
pulumi.export("end_time", model.end_time)
