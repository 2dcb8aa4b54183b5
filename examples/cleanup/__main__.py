"""All models in service whose name begins with a prefix, out of service: a fleet that is a query."""

import pulumi

from nugen_pulumi import UndeployedModels, get_models

config = pulumi.Config()
prefix = config.get("prefix") or "exp-"

# The list may lag behind by a minute: run it again for what has just been deployed.
found = [model["model_id"] for model in get_models(deployed=True).models if (model["name"] or "").startswith(prefix)]

if found:
    fleet = UndeployedModels(
        "experiments",
        model_ids=found,
        # Off unless the stack says so: a first try must not take anything out of service.
        undeploy=config.get_bool("undeploy") or False,
        on_failure="record",
    )
    pulumi.export("failed", fleet.failed)
pulumi.export("found", found)
