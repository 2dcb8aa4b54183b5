"""An API that has only the newer family of paths: programs stay as they are."""

import pytest
from harness import KEY
from harness.stack import Stack

from nugen_pulumi.emulator import Emulator, State

PROGRAM = """
import pulumi
from nugen_pulumi import DeployedModel, UndeployedModel, UndeployedModels

old = UndeployedModel("old", model_id="old-bot", undeploy=True)
fleet = UndeployedModels("fleet", model_ids=[f"m-{n}" for n in range(200)], undeploy=True)
bot = DeployedModel("bot", model_id="new-bot")
pulumi.export("undeployed", [old.undeployed, fleet.undeployed])
pulumi.export("status", old.status)
pulumi.export("times", old.start_time)
pulumi.export("deployed", bot.deployed)
"""


@pytest.mark.parametrize("paths", ["newer", "both"])
def test_life_with_whatever_paths_there_are(tmp_path, paths):
    with Emulator(api_key=KEY, paths=paths, undeploy_seconds=0.5, deploy_seconds=0.5) as emulator:
        for model_id in ["old-bot", *(f"m-{n}" for n in range(200))]:
            emulator.add(model_id)
        emulator.add("new-bot", state=State.UNDEPLOYED)
        stack = Stack(tmp_path, PROGRAM, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url})
        stack.up().ok()
        asked = [path for _, path in emulator.requests]

        assert {"undeployed": [True, True], "status": "COMPLETED", "deployed": True}.items() <= stack.outputs.items()
        # With both, the documented ones; without these, what the first requests cost is all that they get.
        assert ("/api/v3/models/old-bot/deployment/status" in asked) == (paths == "newer")
        assert (stack.outputs.get("times") is None) == (paths == "newer")

        stack.up("--expect-no-changes").ok()
        stack.refresh("--expect-no-changes").ok()
        stack.destroy().ok()

        assert State.UNDEPLOYED is emulator.state("new-bot")
        served = {request for request in changes(emulator) if request[1].endswith("/deployment") == (paths == "newer")}
        assert 203 == len(served), "each model's DELETE, and the POST"


def changes(emulator):
    """Return what was requested to change; a request to a route that there is not is sent again elsewhere."""
    requests = [request for request in emulator.requests if request[0] != "GET"]
    assert len(requests) == len(set(requests)), "each once"
    return requests
