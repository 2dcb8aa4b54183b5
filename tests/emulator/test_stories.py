import pytest

from nugen_pulumi.emulator import Traits
from nugen_pulumi.emulator.stories import STORIES, story


@pytest.mark.parametrize("model_id", ["missing", "my-missing-1", "-ak-14-july-my-alignment-project"])
def test_only_the_beginning_of_an_id_tells_a_story(model_id):
    """The stories themselves are in test_world.py."""
    assert Traits() == story(model_id)


def test_each_story_can_be_told():
    """No prefix hides a later one."""
    assert [s.traits for s in STORIES] == [story(s.prefix + "1") for s in STORIES]
