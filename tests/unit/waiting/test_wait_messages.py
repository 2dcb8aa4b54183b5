"""What an operator reads of a wait, word for word."""

from dataclasses import replace

import pytest
from harness.api import ScriptedApi, Told, body, client_for
from harness.simulated import simulate

from nugen_pulumi.api.statuses import Record
from nugen_pulumi.errors import OutageError, OverloadedError, UnavailableError, WaitTimeoutError
from nugen_pulumi.waiting.model_wait import ModelWait
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import Goal
from nugen_pulumi.waiting.wait_messages import MORE_TIME, Facts


def facts(*, status="PENDING", error=None, waited=72.0, unanswered_for=0.0, outdated=None):
    last = None if status is None else Record(status)
    return Facts("m", last, None if error is None else UnavailableError(error), waited, unanswered_for, outdated)


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({}, "PENDING · 1m 12s"),
        ({"waited": 1.0}, "PENDING · 1s"),
        ({"waited": 0.9}, "PENDING"),
        ({"status": None}, "no response yet · 1m 12s"),
        ({"status": "RETIRING"}, "RETIRING (unknown status) · 1m 12s"),
        ({"outdated": "FAILED", "status": None}, "no status yet · last poll: FAILED · 1m 12s"),
        ({"outdated": "Model not found"}, "PENDING · last poll: Model not found · 1m 12s"),
        ({"error": "503", "unanswered_for": 0.9}, "PENDING · 503 · 1m 12s"),
        ({"error": "503", "unanswered_for": 9.0}, "PENDING · 503, no usable response for 9s · 1m 12s"),
        ({"error": "503", "unanswered_for": 9.0, "status": None}, "no response yet · 503 · 1m 12s"),
        ({"unanswered_for": 9.0}, "PENDING · 1m 12s"),
        ({"error": "503", "outdated": "Model not found"}, "PENDING · last poll: Model not found · 503 · 1m 12s"),
    ],
)
def test_the_live_line_says_how_it_stands(known, line):
    assert line == facts(**known).line


def test_neither_time_that_passes_nor_another_number_is_news():
    assert facts(waited=1.0).news == facts(waited=9.0, unanswered_for=5.0).news
    assert facts(error="no response within 4s").news == facts(error="no response within 30s").news
    assert 4 == len(
        {facts(**known).news for known in ({}, {"status": "COMPLETED"}, {"error": "503"}, {"outdated": "x"})}
    )


@pytest.mark.parametrize(("unanswered_for", "ago"), [(0.9, ""), (1.0, ", 1s ago,"), (60.0, ", 1m ago,")])
def test_a_wait_that_ends_badly_says_when_it_knew_what(unanswered_for, ago):
    known = facts(unanswered_for=unanswered_for)

    assert (
        f"Model m is not undeployed after 1m 12s: its last status{ago} was PENDING."
        " The next `pulumi up` continues to wait."
    ) == str(known.given_up)
    assert (
        f"Model m: interrupted after 1m 12s; its last status{ago} was PENDING. The next `pulumi up` continues to wait."
    ) == str(known.interrupted)
    assert f"{known.given_up} To wait longer, raise timeout_seconds." == str(known.timed_out)


def test_a_wait_that_ends_badly_says_what_went_wrong_last():
    again = "The next `pulumi up` starts again."

    assert f"Model m: no usable response in 1m 12s. The last error: 503. {again}" == (
        str(facts(status=None, error="503").given_up)
    )
    assert f"Model m: interrupted after 1m 12s before the first usable response. {again}" == (
        str(facts(status=None).interrupted)
    )
    assert (
        "Model m is not undeployed after 1m 12s: its last status, 9s ago, was PENDING. Since then there was no usable"
        " response; the last error: 503. The next `pulumi up` continues to wait."
    ) == str(facts(error="503", unanswered_for=9.0).given_up)


def test_a_wait_that_does_not_know_what_became_of_its_delete_says_that_it_may_be_repeated():
    known = replace(facts(status=None, error="reset"), lost=True)

    assert (
        "Model m: no usable response in 1m 12s. The last error: reset. The API may have carried out the DELETE, and it"
        " does no harm to repeat it. The next `pulumi up` starts again."
    ) == str(known.given_up)


@pytest.mark.parametrize(
    ("error", "helps"),
    [(None, True), (OverloadedError("429"), True), (UnavailableError("500"), False), (OutageError("gone"), False)],
)
def test_more_time_is_advised_where_it_helps(error, helps):
    assert helps is (MORE_TIME in replace(facts(), error=error).timed_out.advice)


def test_an_outage_is_reported_once():
    outage = OutageError("the API has given no usable response to any request for 5m; the last error: 500")

    assert (
        "Model m is not undeployed after 1m 12s: its last status was PENDING. Since then the API has given no usable"
        " response to any request for 5m; the last error: 500. The next `pulumi up` continues to wait."
    ) == str(replace(facts(), error=outage).given_up)
    assert (
        "Model m: the API has given no usable response to any request for 5m; the last error: 500."
        " The next `pulumi up` starts again."
    ) == str(replace(facts(status=None), error=outage).given_up)


@pytest.mark.parametrize(
    ("error", "since"),
    [(None, ""), ("500", " Since then there was no usable response; the last error: 500.")],
)
def test_a_wait_that_ends_in_the_grace_period_says_what_the_last_poll_said_and_what_failed_since(error, since):
    said = f"The last poll: Model not found.{since} The next `pulumi up`"

    assert f"Model m: no status in 1m 12s. {said} starts again." == (
        str(facts(status=None, error=error, outdated="Model not found").given_up)
    )
    assert f"Model m: interrupted after 1m 12s. {said} starts again." == (
        str(facts(status=None, error=error, outdated="Model not found").interrupted)
    )
    assert (f"Model m is not undeployed after 1m 12s: its last status was PENDING. {said} continues to wait.") == str(
        facts(error=error, outdated="Model not found").given_up
    )


@pytest.mark.parametrize(
    ("outdated", "says"), [(body("COMPLETED"), "COMPLETED"), (body("FAILED", result={"error": "a."}), "FAILED, a")]
)
def test_a_status_from_before_the_request_is_shown_as_such(outdated, says):
    told = Told()

    async def main():
        api = ScriptedApi(outdated, 200, outdated)
        return await ModelWait(client_for(api), "m", WaitPolicy(timeout=2), Goal(request=True), reporter=told).follow()

    error = simulate(main)[0].error

    assert WaitTimeoutError is type(error)
    assert f"The last poll: {says}. The next" in str(error)
    assert f"PENDING · last poll: {says}" in told.said
