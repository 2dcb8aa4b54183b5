"""What an update still has to do about a model: the table of docs/how-it-works.md."""

import pytest

from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.next_action import Action, next_action

UNDEPLOYED = {"status": "COMPLETED", "undeployed": True}
AT_REST = {"status": "FAILED", "undeployed": True, "error": "Model status is EVALUATED."}
PENDING = {"status": "PENDING", "undeployed": False}
RETIRING = {"status": "RETIRING", "undeployed": False}
FAILED = {"status": "FAILED", "undeployed": False, "error": "GPU on fire"}
DEPLOYED = {"status": "FAILED", "undeployed": False, "error": "No active undeployment. Model status is DEPLOYED."}

NOTHING, POLL, UNDEPLOY = Action


def wanted(**props):
    return Inputs.read(props)


@pytest.mark.parametrize(
    ("known", "props", "requested", "action"),
    [
        # undeployed
        (UNDEPLOYED, {}, False, NOTHING),
        (UNDEPLOYED, {"undeploy": True}, False, NOTHING),
        (UNDEPLOYED, {"undeploy": True}, True, NOTHING),
        (AT_REST, {"undeploy": True}, False, NOTHING),
        (AT_REST, {"wait": False}, False, NOTHING),
        # settled, and the DELETE was asked for before, or is not wanted
        (PENDING, {"wait": False}, False, NOTHING),
        (PENDING, {"wait": False}, True, NOTHING),
        (PENDING, {"wait": False, "undeploy": True}, True, NOTHING),
        (RETIRING, {"wait": False}, False, NOTHING),
        (FAILED, {"wait": False}, False, NOTHING),
        (FAILED, {"on_failure": "record"}, False, NOTHING),
        (FAILED, {"on_failure": "record", "undeploy": True}, True, NOTHING),
        (DEPLOYED, {"on_failure": "record"}, True, NOTHING),
        (DEPLOYED, {"wait": False}, True, NOTHING),
        # not settled, PENDING or another word
        (PENDING, {}, False, POLL),
        (PENDING, {}, True, POLL),
        (PENDING, {"on_failure": "record"}, False, POLL),
        (RETIRING, {"on_failure": "record"}, False, POLL),
        (PENDING, {"undeploy": True}, True, POLL),
        (RETIRING, {"undeploy": True}, True, POLL),
        # FAILED, True
        (FAILED, {"undeploy": True}, True, UNDEPLOY),
        (DEPLOYED, {"undeploy": True, "on_failure": "record"}, True, UNDEPLOY),
        (DEPLOYED, {"undeploy": True, "wait": False}, True, UNDEPLOY),
        # FAILED, False
        (FAILED, {}, False, POLL),
        (FAILED, {}, True, POLL),
        (DEPLOYED, {}, True, POLL),
        # anything but undeployed, True, and False before
        (PENDING, {"undeploy": True}, False, UNDEPLOY),
        (RETIRING, {"undeploy": True}, False, UNDEPLOY),
        (FAILED, {"undeploy": True}, False, UNDEPLOY),
        (PENDING, {"undeploy": True, "wait": False}, False, UNDEPLOY),
        (FAILED, {"undeploy": True, "on_failure": "record"}, False, UNDEPLOY),
        # nothing is known: what was requested may be lost with it
        (None, {}, False, POLL),
        (None, {"wait": False}, True, POLL),
        (None, {"undeploy": True}, False, UNDEPLOY),
        (None, {"undeploy": True}, True, UNDEPLOY),
    ],
)
def test_an_update_does_what_the_table_says(known, props, requested, action):
    """The rows of "How an update decides" in docs/how-it-works.md, in their order."""
    assert action is next_action(known, wanted(**props), requested=requested)
