"""Undeployed models, each as it may be left: finished, FAILED and recorded, unfinished, and a fleet of all three."""

from nugen_pulumi import UndeployedModel, UndeployedModels

UndeployedModel("done", model_id="done", undeploy=True)
UndeployedModel("recorded", model_id="recorded", undeploy=True, on_failure="record")
UndeployedModel("pending", model_id="pending", undeploy=True, timeout_seconds=2)
UndeployedModels("fleet", model_ids=["f-1", "f-2", "f-3"], undeploy=True, on_failure="record", timeout_seconds=2)
