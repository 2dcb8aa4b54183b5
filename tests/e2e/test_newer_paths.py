"""An API that has only the newer family of paths: programs stay as they are."""

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
pulumi.export("deployed", bot.deployed)
"""


def test_life_with_only_the_newer_paths(tmp_path):
    with Emulator(api_key=KEY, paths="newer", undeploy_seconds=0.5, deploy_seconds=0.5) as emulator:
        for model_id in ["old-bot", *(f"m-{n}" for n in range(200))]:
            emulator.add(model_id)
        emulator.add("new-bot", state=State.UNDEPLOYED)
        stack = Stack(tmp_path, PROGRAM, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url})
        stack.up().ok()
        assert {"undeployed": [True, True], "status": "COMPLETED", "deployed": True}.items() <= stack.outputs.items()

        stack.up("--expect-no-changes").ok()
        stack.refresh("--expect-no-changes").ok()
        stack.destroy().ok()
        assert State.UNDEPLOYED is emulator.state("new-bot")
        # A request to a route that there is not is sent again elsewhere: what the first requests cost is all.
        requests = [request for request in emulator.requests if request[0] != "GET"]
        assert len(requests) == len(set(requests)), "each once"
        served = [path for _, path in requests if path.endswith("/deployment")]
        assert 203 == len(served), "each model's DELETE, and the POST"
