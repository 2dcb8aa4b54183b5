"""A model out of service, and only then the next step."""

import pulumi
from command import Command

from nugen_pulumi import UndeployedModel

config = pulumi.Config()

model = UndeployedModel(
    "model",
    model_id=config.get("modelId") or "support-bot-v1",
    # Off unless the stack says so: a first try must not take anything out of service.
    undeploy=config.get_bool("undeploy") or False,
)

notice = Command(
    "notice",
    # Yours may archive the training data, give the quota back, tell the team.
    run=["echo", pulumi.Output.format("{0} is out of service since {1}.", model.model_id, model.end_time)],
    triggers=[model.end_time],
    # Using the model's outputs is enough; this says it to people, and holds for steps that use none.
    opts=pulumi.ResourceOptions(depends_on=[model]),
)

pulumi.export("status", model.status)
pulumi.export("notice", notice.stdout)
