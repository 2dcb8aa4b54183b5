"""State that an earlier version recorded: `tests/upgrade` has a file for each. Files are never changed."""

from pathlib import Path

import pytest

UPGRADE = Path(__file__).parents[1] / "upgrade"


@pytest.mark.parametrize("recorded", sorted(UPGRADE.glob("python-*.json")), ids=lambda path: path.stem)
def test_state_of_an_earlier_version_goes_on(stack, emulator, recorded):
    """A preview replaces nothing, requests nothing, and updates what is unfinished, with its reason."""
    for model_id in ("done", "f-1"):
        emulator.add(model_id, state="UNDEPLOYED")
    for model_id in ("pending", "f-3"):
        emulator.add(model_id, state="UNDEPLOYING", undeploy_seconds=0.2)
    stack = stack((UPGRADE / "program.py").read_text())
    stack("stack", "import", "--file", str(recorded)).ok()
    preview = stack.preview().ok().output

    assert [] == emulator.requests
    assert "2 to update\n    3 unchanged" in preview
    assert "was PENDING: will keep waiting" in preview
    assert "1 of 3 not undeployed: will poll 1" in preview

    stack.up().ok()
    assert {"GET"} == {method for method, _ in emulator.requests}, "nothing is requested twice"
    stack.up("--expect-no-changes").ok()
    stack.destroy().ok()
