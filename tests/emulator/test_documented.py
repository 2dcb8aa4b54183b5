"""Whatever schemathesis makes up from the description that is served, is answered as the description says."""

import math

import pytest
import schemathesis
from harness import KEY
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup

from nugen_pulumi.emulator import ABSENT, Traits
from nugen_pulumi.emulator.app import create_app
from nugen_pulumi.emulator.world import World

PATH = "/api/v3/models/undeploy-model/{model_id}/status"
KINDS = (
    None,
    Traits(),
    Traits(state="UNDEPLOYED"),
    Traits(state="UNDEPLOYING", undeploy_seconds=math.inf),
    Traits(state="UNDEPLOYING", undeploy_seconds=0),
    Traits(state="UNDEPLOYING", undeploy_seconds=0, result=None),
    Traits(state="UNDEPLOYING", undeploy_seconds=0, result=ABSENT),
    Traits(state="UNDEPLOYING", undeploy_seconds=0, fails="no"),
)


def answers(kinds):
    """Ask for made-up models, which are of all *kinds*; return each status with its word, if all was as documented."""
    world = World(undeploy_seconds=0, stories=lambda model_id: kinds[sum(model_id.encode()) % len(kinds)])
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(world, KEY))
    seen = set()

    @settings(
        max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(schema[PATH]["GET"].as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def ask(case):
        # By itself it asks with no key and with made-up ones too, and wants those refused.
        response = case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"})
        seen.add((response.status_code, response.json().get("status")))

    ask()
    return seen


def test_as_documented():
    """For whatever id and kind of model the answer is one of those that are documented, and all of them are given."""
    documented = {(404, None), (200, "PENDING"), (200, "COMPLETED"), (200, "FAILED")}

    assert documented == answers(KINDS)


@pytest.mark.parametrize(
    "kind",
    [
        Traits(lower_case=True),
        Traits(live_times=True),
        Traits(state="UNDEPLOYING", undeploy_seconds=0, result="no"),
    ],
)
def test_deviations_are_found(kind):
    """What differs from the description on purpose, as the API in the wild does, does not pass the test above."""
    with pytest.raises(FailureGroup) as caught:
        answers([kind])

    assert {"Response violates schema"} == {failure.title for failure in caught.value.exceptions}
