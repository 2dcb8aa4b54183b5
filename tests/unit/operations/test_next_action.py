"""What an update still has to do about a model: the table of docs/how-it-works.md."""

import pytest

from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.next_action import Action, next_action, settled

UNDEPLOYED = {"status": "COMPLETED", "undeployed": True}
AT_REST = {"status": "FAILED", "undeployed": True, "error": "Model status is EVALUATED."}
PENDING = {"status": "PENDING", "undeployed": False}
RETIRING = {"status": "RETIRING", "undeployed": False}
FAILED = {"status": "FAILED", "undeployed": False, "error": "GPU on fire"}
DEPLOYED = {"status": "FAILED", "undeployed": False, "error": "No active undeployment. Model status is DEPLOYED."}

NOTHING, POLL, UNDEPLOY = Action


def wanted(**props):
    return Inputs.read(props)


@pytest.mark.parametrize("known", [UNDEPLOYED, AT_REST])
@pytest.mark.parametrize("undeploy", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_a_model_that_is_known_to_be_undeployed_is_settled_whatever_is_wanted(known, undeploy, wait):
    assert settled(known, wanted(undeploy=undeploy, wait=wait))


@pytest.mark.parametrize("props", [{}, {"wait": False}, {"on_failure": "record"}, {"wait": False, "undeploy": True}])
def test_a_model_of_which_nothing_is_known_is_never_settled(props):
    assert not settled(None, wanted(**props))


@pytest.mark.parametrize(
    ("known", "props", "is_settled"),
    [
        (PENDING, {}, False),
        (PENDING, {"on_failure": "record"}, False),
        (PENDING, {"wait": False}, True),
        (PENDING, {"wait": False, "undeploy": True}, True),
        (RETIRING, {"on_failure": "record"}, False),
        (RETIRING, {"wait": False}, True),
        (FAILED, {}, False),
        (FAILED, {"undeploy": True}, False),
        (FAILED, {"wait": False}, True),
        (FAILED, {"on_failure": "record"}, True),
        (FAILED, {"on_failure": "record", "undeploy": True}, True),
        (DEPLOYED, {}, False),
        (DEPLOYED, {"wait": False}, True),
        (DEPLOYED, {"on_failure": "record"}, True),
    ],
)
def test_what_is_not_undeployed_is_settled_if_recorded_as_a_failure_or_not_waited_for(known, props, is_settled):
    assert is_settled is settled(known, wanted(**props))


@pytest.mark.parametrize("props", [{}, {"wait": False}, {"on_failure": "record"}])
def test_a_model_that_somebody_has_deployed_again_is_not_settled_for_who_wants_it_undeployed(props):
    assert not settled(DEPLOYED, wanted(undeploy=True, **props))


@pytest.mark.parametrize(
    ("known", "props", "requested", "action"),
    [
        # undeployed
        (UNDEPLOYED, {}, False, NOTHING),
        (UNDEPLOYED, {"undeploy": True}, False, NOTHING),
        (UNDEPLOYED, {"undeploy": True}, True, NOTHING),
        (AT_REST, {"undeploy": True}, False, NOTHING),
        # settled, and the DELETE was asked for before, or is not wanted
        (PENDING, {"wait": False}, False, NOTHING),
        (PENDING, {"wait": False}, True, NOTHING),
        (PENDING, {"wait": False, "undeploy": True}, True, NOTHING),
        (FAILED, {"on_failure": "record"}, False, NOTHING),
        (FAILED, {"on_failure": "record", "undeploy": True}, True, NOTHING),
        (DEPLOYED, {"on_failure": "record"}, True, NOTHING),
        # not settled, PENDING or another word
        (PENDING, {}, False, POLL),
        (PENDING, {}, True, POLL),
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
