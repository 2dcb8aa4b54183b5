import math

import pytest

from nugen_pulumi.emulator import State, Traits
from nugen_pulumi.emulator.stories import STORIES, nobody, story


@pytest.mark.parametrize(
    ("model_id", "traits"),
    [
        ("missing-1", None),
        ("stuck-1", Traits(undeploy_seconds=math.inf)),
        ("gone-1", Traits(state=State.UNDEPLOYED)),
        ("fail-1", Traits(fails="Undeployment failed and was reverted to DEPLOYED status")),
        ("missing", Traits()),
        ("my-missing-1", Traits()),
        ("-ak-14-july-my-alignment-project", Traits()),
    ],
)
def test_story(model_id, traits):
    """The beginning of an id, and only that, tells the story."""
    assert traits == story(model_id)


def test_each_story_can_be_told():
    """No prefix hides a later one."""
    assert [s.traits for s in STORIES] == [story(s.prefix + "1") for s in STORIES]


def test_nobody():
    """There may be no models at all."""
    assert None is nobody("m-1")
