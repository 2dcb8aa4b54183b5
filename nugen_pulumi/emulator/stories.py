"""Ids that tell their model's story, for when every model exists. As with the test cards of a payment provider."""

import math
from dataclasses import dataclass
from typing import Final

from nugen_pulumi.emulator.catalogue import REVERTED
from nugen_pulumi.emulator.model import State, Traits


@dataclass(frozen=True)
class Story:
    """
    What an id that starts with *prefix* means.

    Attributes:
        prefix: The beginning of the id.
        meaning: The same for people, half a sentence.
        traits: How the model behaves; ``None``: there is no such model.
    """

    prefix: str
    meaning: str
    traits: Traits | None


STORIES: Final = (
    Story("missing-", "does not exist: 404", None),
    Story("new-", "is not in service yet", Traits(state=State.UNDEPLOYED)),
    Story("deployed-", "is in service already", Traits(state=State.DEPLOYED)),
    Story("undeploying-", "is being undeployed, by somebody else", Traits(state=State.UNDEPLOYING)),
    Story(
        "fail-deploy-",
        "its deployment ends FAILED, with a reason",
        Traits(state=State.UNDEPLOYED, deploy_fails=REVERTED),
    ),
    Story("stuck-deploy-", "its deployment never finishes", Traits(state=State.UNDEPLOYED, deploy_seconds=math.inf)),
    Story(
        "fail-",
        "its undeployment ends FAILED, with a reason",
        Traits(fails="Undeployment failed and was reverted to DEPLOYED status"),
    ),
    Story("stuck-", "its undeployment never finishes", Traits(undeploy_seconds=math.inf)),
    Story("gone-", "is already undeployed", Traits(state=State.UNDEPLOYED)),
    Story("", "is deployed, unless the first request deploys it", Traits()),
)


def story(model_id: str) -> Traits | None:
    """Return how the model *model_id* behaves; ``None``: there is no such model."""
    return next(story.traits for story in STORIES if model_id.startswith(story.prefix))


def nobody(_model_id: str) -> Traits | None:
    """No model exists."""
    return None
