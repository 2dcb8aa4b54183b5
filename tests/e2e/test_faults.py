"""The most telling faults, one after the other, through the real engine."""

import pytest
from harness.faults import MEANINGS, REFUSED, TRANSIENT

from nugen_pulumi.emulator import faults
from nugen_pulumi.emulator.faults import FAULTS

PROGRAM = """
from nugen_pulumi import UndeployedModel

UndeployedModel("m-1", model_id="m-1", undeploy={undeploy}, timeout_seconds=60)
"""

# The most telling ones.
TELLING = ["html", "502", "half", "reset", "drop", "garbage", "bomb", "hang", "429-seconds"]


def test_one_up_survives_nine_faults_in_a_row_without_a_word(stack, emulator):
    """The request timeout is short, so that the hang costs a second."""
    emulator.script("m-1", "PENDING", *[FAULTS[name]() for name in TELLING], "COMPLETED")
    output = stack(PROGRAM.format(undeploy=False), NUGEN_REQUEST_TIMEOUT_SECONDS="1").up().ok().output

    assert "Diagnostics" not in output
    assert len(TELLING) + 2 == len(emulator.requests)
    assert {TRANSIENT, REFUSED} == {MEANINGS[name] for name in TELLING}


@pytest.mark.parametrize("fault", [faults.drop(carried_out=True), faults.status(500, carried_out=True)])
def test_a_delete_whose_answer_is_lost_is_not_sent_again(stack, emulator, fault):
    emulator.add("m-1", undeploy_seconds=0)
    emulator.script_undeploy("m-1", fault)
    stack(PROGRAM.format(undeploy=True)).up().ok()

    assert ["DELETE", "GET"] == [method for method, _ in emulator.requests]


def test_a_redirect_is_a_sentence_and_the_key_goes_nowhere(stack, emulator):
    emulator.script("m-1", faults.redirect(302, "https://evil.test/login"))
    output = stack(PROGRAM.format(undeploy=False)).up().output

    assert "redirects to evil.test (302). Redirects are not followed" in output
    assert "Traceback" not in output
    assert 1 == len(emulator.requests)


def test_an_api_cannot_write_on_the_terminal(stack, emulator):
    """Escapes in what it says are taken out."""
    emulator.script("m-1", faults.ansi())
    run = stack(PROGRAM.format(undeploy=False).replace("timeout_seconds=60", "wait=False")).up("--color", "never")

    assert 0 != run.code
    assert "\x1b" not in run.output
