"""Each way in which the emulator imitates the real API, met by the provider: what it records, and no drift after it."""

from dataclasses import fields

import pytest
from harness.host import inputs

from nugen_pulumi.emulator import Traits, catalogue

MESSAGE = {"message": "Model successfully undeployed"}
NOTHING_RUNS = "No active undeployment. Model status is UNDEPLOYED."

# Traits, and what differs in the outputs from those of a model that has none.
MET = {
    "state": ({"state": "UNDEPLOYED"}, {"status": "FAILED", "error": NOTHING_RUNS, "result": {"error": NOTHING_RUNS}}),
    "undeploy_seconds": ({"undeploy_seconds": 0.6}, {}),
    "fails": (
        {"fails": "GPU on fire."},
        {"status": "FAILED", "undeployed": False, "error": "GPU on fire.", "result": {"error": "GPU on fire."}},
    ),
    "result": ({"result": catalogue.TWIN}, {"result": {"deployment_status": "UNDEPLOYED"}}),
    "lower_case": ({"lower_case": True}, {}),
    "live_times": ({"live_times": True}, {}),
    "echoes": ({"echoes": "another-name"}, {}),
    "delete_object": ({"delete_object": True}, {}),
    "deploy_seconds": ({"deploy_seconds": 0.6}, {}),
    "deploy_fails": ({"deploy_fails": "no GPU"}, {}),
    "deploy_result": ({"deploy_result": None}, {}),
    "grace_seconds": ({"grace_seconds": 0.6}, {}),
    "grace_missing": ({"grace_seconds": 0.6, "grace_missing": True}, {}),
}


def test_each_trait_is_met():
    assert {field.name for field in fields(Traits)} == set(MET)


@pytest.mark.parametrize("face", ["dynamic"], indirect=True)
@pytest.mark.parametrize("trait", MET)
def test_a_model_is_undeployed_and_a_refresh_finds_no_drift(host, emulator, trait):
    traits, differs = MET[trait]
    emulator.add("m-1", **{"undeploy_seconds": 0.0, **traits})
    given = inputs(undeploy=True, on_failure="record")
    _, outputs = host.create(given)

    expected = {**given, "status": "COMPLETED", "undeployed": True, "result": MESSAGE, **differs}
    assert expected == {name: value for name, value in outputs.items() if not name.endswith("_time")}
    assert 1 == [method for method, _ in emulator.requests].count("DELETE")
    assert ("m-1", outputs) == host.refresh(outputs)
