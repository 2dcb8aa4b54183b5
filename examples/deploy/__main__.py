"""A model in service for as long as this stack wants it."""

import pulumi

from nugen_pulumi import DeployedModel

config = pulumi.Config()

model = DeployedModel(
    "model",
    # Another id deploys that model first, and then undeploys this one.
    model_id=config.get("modelId") or "new-support-bot-v1",
    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="30m")),
)

pulumi.export("deployed", model.deployed)
pulumi.export("adopted", model.adopted)
