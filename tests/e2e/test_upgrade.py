"""State that an earlier version recorded: `tests/upgrade` has a file for each. Files are never changed."""

import sys
from pathlib import Path

import pytest

from nugen_pulumi.emulator import State

UPGRADE = Path(__file__).parents[1] / "upgrade"


@pytest.fixture
def recorded(stack, request):
    """Make a stack of the state in a file, with the program that made it."""
    file = request.param
    what, face, _ = file.stem.split("-", 2)
    program = (UPGRADE / f"{what}.{'yaml' if face == 'native' else 'py'}").read_text()
    stack = stack(program.replace("PLUGIN", str(Path(sys.executable).parent)))
    stack("stack", "import", "--file", str(file)).ok()
    return stack


def states_of(what):
    files = sorted(UPGRADE.glob(f"{what}-*.json"))
    assert {"python", "native"} <= {file.stem.split("-")[1] for file in files}
    return pytest.mark.parametrize("recorded", files, indirect=True, ids=lambda file: file.stem)


@states_of("undeployed")
def test_undeployed_models_of_an_earlier_version_go_on(recorded, emulator):
    """A preview replaces nothing, requests nothing, and updates what is unfinished, with its reason."""
    for model_id in ("done", "f-1"):
        emulator.add(model_id, state=State.UNDEPLOYED)
    for model_id in ("pending", "f-3"):
        emulator.add(model_id, state=State.UNDEPLOYING, undeploy_seconds=0.2)
    preview = recorded.preview().ok().output

    assert [] == emulator.requests
    assert "2 to update\n    3 unchanged" in preview
    assert "was PENDING: will keep waiting" in preview
    assert "1 of 3 not undeployed: will poll 1" in preview

    recorded.up().ok()
    assert {"GET"} == {method for method, _ in emulator.requests}, "nothing is requested twice"
    recorded.up("--expect-no-changes").ok()
    recorded.destroy().ok()


@states_of("deployed")
def test_deployed_models_of_an_earlier_version_go_on(recorded, emulator):
    """As above; a destroy leaves what was adopted in service."""
    for model_id in ("served", "adopted", "unwaited"):
        emulator.add(model_id, undeploy_seconds=0.2)
    emulator.add("pending", state=State.DEPLOYING, deploy_seconds=0.2, undeploy_seconds=0.2)
    emulator.add("failed", state=State.READY, deploy_seconds=0.2, undeploy_seconds=0.2)
    preview = recorded.preview().ok().output

    assert [] == emulator.requests
    assert "2 to update\n    4 unchanged" in preview
    assert "was PENDING: will keep waiting" in preview
    assert "not in service: will deploy" in preview

    recorded.up().ok()
    assert [("POST", "/api/v3/models/deploy-model/failed")] == requested(emulator)
    recorded.up("--expect-no-changes").ok()
    recorded.destroy().ok()
    out = sorted(path.rpartition("/")[2] for method, path in requested(emulator) if method == "DELETE")
    assert ["failed", "pending", "served", "unwaited"] == out
    assert State.DEPLOYED is emulator.state("adopted")


def requested(emulator):
    return [request for request in emulator.requests if request[0] != "GET"]
