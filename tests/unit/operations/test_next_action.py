"""What an update still has to do about a model: the table of docs/how-it-works.md."""

import pytest
from harness.operations import COMPLETED, PENDING, RETIRING, UNCONFIRMED, failed, no_task

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.next_action import Action, next_action

AT_REST = no_task("EVALUATED", reached=True)
FAILED = failed()
IN = no_task("DEPLOYED")
ASKING, LAZY, RECORDING = {"undeploy": True}, {"wait": False}, {"on_failure": "record"}

NOTHING, POLL, REQUEST = Action


@pytest.mark.parametrize(
    ("known", "props", "requested", "action"),
    [
        # undeployed
        (COMPLETED, {}, False, NOTHING),
        (COMPLETED, ASKING, False, NOTHING),
        (AT_REST, ASKING, False, NOTHING),
        # settled, and the DELETE was asked for before, or is not wanted
        (PENDING, LAZY, False, NOTHING),
        (PENDING, {**LAZY, **ASKING}, True, NOTHING),
        (RETIRING, LAZY, False, NOTHING),
        (FAILED, LAZY, False, NOTHING),
        (FAILED, RECORDING, False, NOTHING),
        (FAILED, {**RECORDING, **ASKING}, True, NOTHING),
        (IN, RECORDING, True, NOTHING),
        (IN, LAZY, True, NOTHING),
        # not settled, PENDING or another word
        (PENDING, {}, False, POLL),
        (PENDING, RECORDING, False, POLL),
        (RETIRING, RECORDING, False, POLL),
        (PENDING, ASKING, True, POLL),
        (RETIRING, ASKING, True, POLL),
        # FAILED, True
        (FAILED, ASKING, True, REQUEST),
        (IN, {**ASKING, **RECORDING}, True, REQUEST),
        (IN, {**ASKING, **LAZY}, True, REQUEST),
        # FAILED, False
        (FAILED, {}, False, POLL),
        (IN, {}, True, POLL),
        # anything but undeployed, True, and False before
        (PENDING, ASKING, False, REQUEST),
        (FAILED, ASKING, False, REQUEST),
        (PENDING, {**ASKING, **LAZY}, False, REQUEST),
        (FAILED, {**ASKING, **RECORDING}, False, REQUEST),
        # nothing is known: what was requested may be lost with it
        (None, {}, False, POLL),
        (None, LAZY, True, POLL),
        (None, ASKING, True, REQUEST),
    ],
)
def test_an_update_does_what_the_table_says(known, props, requested, action):
    """The rows of "How an update decides" in docs/how-it-works.md, in their order."""
    assert action is next_action(known, Inputs.read(props), UNDEPLOY, requested=requested)


@pytest.mark.parametrize(
    ("known", "props", "action"),
    [
        (COMPLETED, {}, NOTHING),
        (PENDING, LAZY, NOTHING),
        (PENDING, {}, POLL),
        (RETIRING, {}, POLL),
        (UNCONFIRMED, LAZY, POLL),
        (FAILED, LAZY, REQUEST),
        (no_task("UNDEPLOYED"), {}, REQUEST),
        (None, LAZY, REQUEST),
    ],
)
def test_an_update_puts_into_service_what_is_not(known, props, action):
    """A deployed model exists as long as it is in service; and whether its POST was carried out has to be found out."""
    assert action is next_action(known, Inputs.read(props), DEPLOY, requested=False)
