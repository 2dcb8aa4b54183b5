"""Client and waiter joined, in simulated time: the exact traffic, and the truth at the end of any history."""

import asyncio
from dataclasses import replace

import httpcore
import httpx
import pytest
from harness.api import ScriptedApi, Told, body, client_for
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.errors import ModelNotFoundError, WaitInterruptedError, WaitTimeoutError
from nugen_pulumi.waiting.model_wait import ModelWait
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.reporting import SILENT
from nugen_pulumi.waiting.task_state import Goal

STEADY = WaitPolicy(jitter=0.0)
NOT_FOUND = httpx.Response(404, json={"detail": "Model not found"})
REFUSED = httpcore.ConnectError("[Errno 111] Connection refused")


def outcome_of(api, policy=STEADY, *, undeploy=False, reporter=SILENT, once=False):
    """Return what became of a wait, or of a single poll, and how long it took."""

    async def main():
        goal = Goal(request=undeploy)
        return await ModelWait(client_for(api), "m", policy, goal, reporter=reporter).follow(once=once)

    return simulate(main)


def follow(api, policy=STEADY, **how):
    """Return the status at the end of a wait that ends well and how long it took."""
    outcome, took = outcome_of(api, policy, **how)
    return outcome.status(), took


def undeploy(*script):
    """Return the API of a wait that requests the undeployment of a model that is in service, and its end."""
    api = ScriptedApi(IN_SERVICE, *script)
    return api, follow(api, undeploy=True)[0]


def told_of(*script, policy=STEADY, undeploy=False):
    """Return what a person is told of a wait, however it ends."""
    told = Told()
    outcome_of(ScriptedApi(*script), policy, undeploy=undeploy, reporter=told)
    return told


def failed(reason):
    return body("FAILED", result={"error": reason})


IN_SERVICE = failed("No active undeployment. Model status is DEPLOYED.")


def test_a_model_that_is_undeployed_takes_one_poll_and_no_time():
    api = ScriptedApi("COMPLETED")
    status, took = follow(api)

    assert ("COMPLETED", 0) == (status.status, took)
    assert [(0, "GET", "/api/v3/models/undeploy-model/m/status")] == api.requests


def test_pending_is_waited_out():
    api = ScriptedApi("PENDING", "pending", "completed")
    status, _ = follow(api)

    assert "COMPLETED" == status.status
    assert [0, 0.5, 1.0] == api.times


def test_an_unknown_word_is_waited_out():
    status, _ = follow(ScriptedApi("RETIRING", "COMPLETED"))

    assert "COMPLETED" == status.status


def test_retry_after_is_honoured():
    api = ScriptedApi(httpx.Response(429, headers={"Retry-After": "7"}), "COMPLETED")
    follow(api)

    assert [0, 7] == api.times


def test_an_outage_from_the_start_ends_after_30_seconds_and_names_the_last_error():
    api = ScriptedApi(REFUSED)
    outcome, _ = outcome_of(api)

    assert outcome.known is None
    assert (
        "Model m: no usable response in 30s. The last error: cannot connect (Connection refused) to https://api.test"
        " (from nugen:baseUrl). The next `pulumi up` starts again."
    ) == str(outcome.error)
    assert 30 <= api.times[-1] < 34


def test_an_outage_after_an_answer_ends_after_300_seconds():
    outcome, _ = outcome_of(ScriptedApi("PENDING", 500))

    assert (
        "Model m is not undeployed after 5m 4s: its last status, 5m 4s ago, was PENDING. Since then"
        " https://api.test (from nugen:baseUrl) has given no usable response to any request for 5m; the last error:"
        " 500 Internal Server Error. The next `pulumi up` continues to wait."
    ) == str(outcome.error)
    assert "PENDING" == outcome.known.status


def test_a_wait_that_begins_late_is_counted_from_its_beginning():
    """The loop's time goes on: other waits came before."""
    told = Told()

    async def main():
        await asyncio.sleep(1000)
        wait = ModelWait(client_for(ScriptedApi("PENDING", 500)), "m", WaitPolicy(timeout=90), reporter=told)
        return await wait.follow()

    error = simulate(main)[0].error

    assert WaitTimeoutError is type(error)
    assert "not undeployed after 1m 30s: its last status, 1m 30s ago, was" in str(error)
    assert "PENDING" == told.said[0]


@pytest.mark.parametrize("undeploy", [True, False])
def test_a_single_poll_puts_up_with_half_a_minute_of_refusals(undeploy):
    """Be it the DELETE that is refused or the poll."""
    outcome, took = outcome_of(ScriptedApi(503), undeploy=undeploy, once=True)

    assert "no usable response to a single poll: 503" in str(outcome.error)
    assert 30 <= took < 130


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (["PENDING"] * 3, ["PENDING", "COMPLETED · 1s"]),
        (["PENDING"] * 60, ["PENDING", "PENDING · 10s", "PENDING · 44s", "PENDING · 1m 19s"]),
        (["retiring"], ["RETIRING (unknown status)", "COMPLETED"]),
        ([500], ["no response yet · 500 Internal Server Error", "COMPLETED"]),
        ([503], ["no response yet · 503 Service Unavailable", "COMPLETED"]),
        (
            ["PENDING", (2, REFUSED)],
            [
                "PENDING",
                (
                    "PENDING · cannot connect (Connection refused) to https://api.test (from nugen:baseUrl),"
                    " no usable response for 2s · 2s"
                ),
            ],
        ),
        (
            ["PENDING", 500, "PENDING"],
            ["PENDING", "PENDING · 500 Internal Server Error", "PENDING · 1s", "COMPLETED · 1s"],
        ),
        ([], []),
    ],
)
def test_the_live_line_tells_what_is_new_and_gives_signs_of_life(script, said):
    """Status, error, time waited; an error ends with the next usable response. One poll needs no line."""
    told = told_of(*script, "COMPLETED")

    assert said == told.said[: len(said)] if script else [] == told.said


def interrupted(*script, once=False):
    """Return what became of a wait that is interrupted after 10.3 seconds."""

    async def main():
        task = asyncio.create_task(ModelWait(client_for(ScriptedApi(*script)), "m", STEADY).follow(once=once))
        await asyncio.sleep(10.3)
        task.cancel()
        return await task

    outcome = simulate(main)[0]

    assert WaitInterruptedError is type(outcome.error)
    return outcome


def test_an_interrupted_wait_says_what_is_known():
    outcome = interrupted("PENDING")

    assert "PENDING" == outcome.known.status
    assert (
        "Model m: interrupted after 10s; its last status was PENDING. The next `pulumi up` continues to wait."
    ) == str(outcome.error)


@pytest.mark.parametrize(
    ("answer", "once", "why"),
    [(503, False, " The last error: 503 Service Unavailable."), ((3600, 200), False, ""), ((3600, 200), True, "")],
)
def test_an_interruption_before_anything_is_known_says_so_and_why(answer, once, why):
    """Also in the middle of a request, and of a single poll."""
    outcome = interrupted(answer, once=once)

    assert outcome.known is None
    assert (
        f"Model m: interrupted after 10s before the first usable response.{why} The next `pulumi up` starts again."
    ) == str(outcome.error)


def test_the_last_poll_may_outlast_the_deadline_by_five_seconds():
    api = ScriptedApi("PENDING", (3600, "COMPLETED"))
    outcome, took = outcome_of(api, WaitPolicy(timeout=0.4))

    assert WaitTimeoutError is type(outcome.error)
    assert 5.4 == pytest.approx(took)


def test_a_delete_that_hangs_leaves_a_last_poll_at_the_deadline():
    api = ScriptedApi(IN_SERVICE, (3600, 200), "COMPLETED")
    status, took = follow(api, WaitPolicy(timeout=2), undeploy=True)

    assert ("COMPLETED", 2) == (status.status, took)


def test_the_last_poll_leaves_at_the_deadline_even_if_the_api_asked_to_stay_away():
    """It counts if it is answered."""
    api = ScriptedApi("PENDING", httpx.Response(503, headers={"Retry-After": "86400"}), "COMPLETED")
    status, took = follow(api, WaitPolicy(timeout=20))

    assert ("COMPLETED", 20) == (status.status, pytest.approx(took))
    assert 3 == len(api.requests)


def test_a_mistake_of_ours_does_not_cost_what_is_known():
    """It says what to report, and where it happened."""
    outcome, _ = outcome_of(ScriptedApi("PENDING", ZeroDivisionError("ours")))

    assert "PENDING" == outcome.known.status
    assert str(outcome.error).startswith("Model m: a bug in nugen-pulumi: ZeroDivisionError: ours.\nTraceback")
    assert "Model m: a bug in nugen-pulumi: ZeroDivisionError: ours." == str(outcome.error.reason)


def test_an_answer_of_the_last_poll_counts():
    """A status that arrives late is still the truth."""
    status, took = follow(ScriptedApi("PENDING", (4, "COMPLETED")), WaitPolicy(timeout=0.4))

    assert ("COMPLETED", 4.4) == (status.status, pytest.approx(took))


def test_a_model_that_undeploys_by_itself_is_recorded_as_pending():
    """As FAILED it would look finished to the next `pulumi up`, or be asked for once more."""
    known = interrupted(failed("No active undeployment. Model status is UNDEPLOYING.")).known

    assert ("PENDING", None) == (known.status, known.error)


def test_a_delete_that_never_left_is_tried_again():
    """A refused connection has carried no request."""
    api, _ = undeploy(REFUSED, REFUSED, 200, "COMPLETED")

    assert ["GET", "DELETE", "DELETE", "DELETE", "GET"] == api.methods
    assert [0, 0, 0.5, 1.0, 1.0] == api.times


@pytest.mark.parametrize("early", [NOT_FOUND, IN_SERVICE])
def test_answers_about_the_time_before_the_delete_get_15_seconds_of_grace(early):
    assert "COMPLETED" == undeploy(200, early, early, "PENDING", "COMPLETED")[1].status


def test_grace_ends():
    api = ScriptedApi(IN_SERVICE, 200, NOT_FOUND)
    outcome, _ = outcome_of(api, undeploy=True)

    assert ModelNotFoundError is type(outcome.error)
    assert 15 <= api.times[-1] < 17
    assert "PENDING" == outcome.known.status, "an accepted DELETE is something known"


def test_grace_ends_for_a_model_that_stays_deployed():
    status, took = follow(ScriptedApi(IN_SERVICE, 200, IN_SERVICE), undeploy=True)

    assert ("FAILED", False) == (status.status, status.reached)
    assert 15 <= took < 17


@pytest.mark.parametrize("word", ["PENDING", "COMPLETED", "FAILED", "RETIRING"])
def test_a_single_poll_takes_whatever_is_said(word):
    api = ScriptedApi(word)

    assert word == follow(api, once=True)[0].status
    assert 1 == len(api.requests)


@pytest.mark.parametrize("answer", [NOT_FOUND, 500])
def test_a_single_poll_after_an_accepted_delete_knows_at_least_that(answer):
    assert "PENDING" == follow(ScriptedApi(IN_SERVICE, 200, answer), undeploy=True, once=True)[0].status


def test_a_single_poll_behind_a_limit_takes_its_turn():
    assert "PENDING" == follow(ScriptedApi(503, 429, "PENDING"), once=True)[0].status


@pytest.mark.parametrize("answer", [500, REFUSED])
def test_a_single_poll_that_fails_says_so(answer):
    api = ScriptedApi(answer)
    outcome, _ = outcome_of(api, once=True)

    assert "Model m: no usable response to a single poll: " in str(outcome.error)
    assert 1 == len(api.requests)


def test_a_single_poll_whose_delete_was_lost_and_that_fails_says_so():
    outcome, _ = outcome_of(ScriptedApi(IN_SERVICE, 500), undeploy=True, once=True)

    assert "The API may have carried out the DELETE, and it does no harm to repeat" in str(outcome.error)


ANSWERS = st.sampled_from(
    [
        *("PENDING", "COMPLETED", "FAILED", "retiring"),
        *(200, 400, 403, 404, 408, 429, 500, 502, 503),
        *(NOT_FOUND, REFUSED),
        httpcore.ReadError("reset"),
        httpx.Response(200, text="<html>"),
        httpx.Response(429, headers={"Retry-After": "9"}),
    ]
)
HISTORIES = st.lists(st.tuples(st.sampled_from([0, 0.01, 1, 4, 29, 31, 3600]), ANSWERS), min_size=1, max_size=40)


@given(history=HISTORIES, timeout=st.floats(0.1, 500), undeploy=st.booleans())
def test_any_history_ends_in_time_with_the_truth(history, timeout, undeploy):
    """Whatever the API says and however slow it is."""
    api = ScriptedApi(*history)
    outcome, took = outcome_of(api, WaitPolicy(timeout=timeout), undeploy=undeploy)
    answered = [history[min(i, len(history) - 1)][1] for i in range(len(api.requests))]

    assert took <= timeout + 5.001
    assert max(api.times) <= timeout + 5.001, "a last poll in its turn"
    again = sum(a is REFUSED or a in (429, 503) or getattr(a, "status_code", 0) == 429 for a in answered)
    # A DELETE that was lost is sent again where the status stays as it was.
    assert api.methods.count("DELETE") <= (again + 4 if undeploy else 0)
    if outcome.error is None:
        assert outcome.known.status == answered[-1]
        assert api.methods[-1] == "GET"
    else:
        assert outcome.known is None or outcome.known.status in {"PENDING", "RETIRING", "FAILED", "COMPLETED"}
        assert str(outcome.error).count("Model m") == 1


ACCEPTED = httpx.Response(200, json="m")


@pytest.mark.parametrize(
    ("script", "undeploy", "lines"),
    [
        (
            ["PENDING", "COMPLETED"],
            False,
            ["1: GET 200 in 0 ms: PENDING; next poll in 0.5s", "2: GET 200 in 0 ms: COMPLETED, finished"],
        ),
        (
            ["FAILED", (0.25, ACCEPTED), httpx.Response(500, headers={"X-Request-Id": "4f1c"}), "COMPLETED"],
            True,
            [
                "1: GET 200 in 0 ms: FAILED; sending the DELETE",
                "2: DELETE 200 in 250 ms: accepted: polling",
                "3: GET 500 in 0 ms (request 4f1c): PENDING · 500 Internal Server Error; next poll in 0.5s",
                "4: GET 200 in 0 ms: COMPLETED, finished",
            ],
        ),
        (
            ["retiring", httpx.Response(400, json={"detail": "already"}), "COMPLETED"],
            True,
            [
                "1: GET 200 in 0 ms: RETIRING; sending the DELETE",
                "2: DELETE 400 in 0 ms: nothing to undeploy: polling",
                "3: GET 200 in 0 ms: COMPLETED, finished",
            ],
        ),
        (
            ["FAILED", 500, "COMPLETED"],
            True,
            [
                "1: GET 200 in 0 ms: FAILED; sending the DELETE",
                "2: DELETE 500 in 0 ms: 500 Internal Server Error; the API may have carried out the DELETE: polling",
                "3: GET 200 in 0 ms: COMPLETED, finished",
            ],
        ),
        (
            [503, httpcore.ReadError("reset"), httpx.Response(405, json={"detail": "no"})],
            False,
            [
                "1: GET 503 in 0 ms: 503 Service Unavailable; will send it again",
                (
                    "2: GET without a response in 0 ms: no response yet · connection lost (reset) to https://api.test"
                    " (from nugen:baseUrl); next poll in 0.5s"
                ),
                "3: GET 405 in 0 ms: Model m: the Nugen API rejects the request (405: no).",
            ],
        ),
    ],
)
def test_each_request_is_one_line_of_the_debug_log(script, undeploy, lines):
    """With what was decided after it, and why."""
    told = told_of(*script, undeploy=undeploy)

    assert [f"m, request {line}" for line in lines] == told.debugged


@pytest.mark.parametrize(
    ("script", "policy", "why"),
    [
        (["PENDING"], WaitPolicy(timeout=0.5), "PENDING; stopping: the deadline passed"),
        (
            [500],
            WaitPolicy(),
            "no response yet · 500 Internal Server Error · 30s; stopping: no usable response for too long",
        ),
    ],
)
def test_the_debug_log_ends_with_why_a_wait_stops(script, policy, why):
    told = told_of(*script, policy=replace(policy, jitter=0.0))

    assert told.debugged[-1].endswith(f" in 0 ms: {why}")


def test_a_single_poll_is_one_line_of_the_debug_log():
    told = Told()
    follow(ScriptedApi("PENDING"), reporter=told, once=True)

    assert ["m, request 1: GET 200 in 0 ms: PENDING; single poll finished"] == told.debugged
