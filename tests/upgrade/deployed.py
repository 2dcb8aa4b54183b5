"""Deployed models, each as it may be left: in service, adopted, FAILED, unfinished, and not waited for."""

from nugen_pulumi import DeployedModel

DeployedModel("served", model_id="served")
DeployedModel("adopted", model_id="adopted")
DeployedModel("failed", model_id="failed")
DeployedModel("pending", model_id="pending", timeout_seconds=2)
DeployedModel("unwaited", model_id="unwaited", wait=False)
