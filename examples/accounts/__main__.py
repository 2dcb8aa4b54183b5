"""Models of two Nugen accounts in one stack, each with a key of its own."""

import pulumi

from nugen_pulumi import Provider, UndeployedModel

config = pulumi.Config()

# Off unless the stack says so: a first try must not take anything out of service.
undeploy = config.get_bool("undeploy") or False


class Assistant(pulumi.ComponentResource):
    """A retired assistant. Knows nothing of accounts: its model inherits the component's provider."""

    status: pulumi.Output[str]
    """How the undeployment of its model stands."""

    def __init__(self, name: str, model_id: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("example:index:Assistant", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.status = UndeployedModel(f"{name}-model", child, model_id=model_id, undeploy=undeploy).status
        self.register_outputs({"status": self.status})


research = Provider("research", api_key=config.require_secret("researchKey"), base_url=config.get("researchUrl"))
product = Provider("product", api_key=config.require_secret("productKey"), base_url=config.get("productUrl"))

experiment = UndeployedModel(
    "experiment",
    pulumi.ResourceOptions(provider=research),
    model_id=config.get("researchModelId") or "experiment-v1",
    undeploy=undeploy,
)
assistant = Assistant(
    "assistant",
    config.get("productModelId") or "assistant-v1",
    pulumi.ResourceOptions(providers=[product]),
)

pulumi.export("research", experiment.status)
pulumi.export("product", assistant.status)
