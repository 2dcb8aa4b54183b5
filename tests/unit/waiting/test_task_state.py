"""What a wait makes of its own POST or DELETE, in simulated time: which statuses are about it, and whose task it is."""

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import httpcore
import httpx
import pytest
from harness.api import ScriptedApi, Told, body, client_for
from harness.simulated import simulate

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.errors import GatewayError, UnavailableError, WaitInterruptedError, WaitTimeoutError
from nugen_pulumi.waiting.model_wait import ModelWait
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.reporting import SILENT
from nugen_pulumi.waiting.task_state import Goal

STEADY = WaitPolicy(jitter=0.0)


def failed(reason):
    return body("FAILED", result={"error": reason})


def refused(reason, code=400):
    return httpx.Response(code, json={"detail": reason})


# Of polls.
AT_REST = failed("No active deployment. Model status is UNDEPLOYED.")
IN_SERVICE = failed("No active undeployment. Model status is DEPLOYED.")
UNDEPLOYING_NOW = failed("No active undeployment. Model status is UNDEPLOYING.")
DEPLOYING_NOW = failed("No active undeployment. Model status is DEPLOYING.")
ON_FIRE = failed("GPU on fire")
# Of requests.
ALREADY = refused("Model is already deployed")
ALREADY_RUNNING = refused("Model is already being deployed")
UNDEPLOYING = refused("Model cannot be redeployed. Current status: UNDEPLOYING")

IN_GRACE = 23  # polls in 15 seconds of grace, and the one after

DIRECTIONS = pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY], ids=["undeploy", "deploy"])
RESTS = {UNDEPLOY: IN_SERVICE, DEPLOY: AT_REST}


def looking(*script, direction=UNDEPLOY, policy=STEADY, reporter=SILENT, api=None, once=False, **how):
    """
    Return how a wait with a request ended, how long it took, and the API. Its first poll is before the request.

    The end is what is known of the model, with the `raised` error of the wait and whether it was found.
    """
    api = api or ScriptedApi(*script)

    async def main():
        goal = Goal(direction, **{"request": True, **how})
        return await ModelWait(client_for(api), "m", policy, goal, reporter=reporter).follow(once=once)

    outcome, took = simulate(main)
    return end_of(outcome), took, api


def end_of(outcome):
    nothing = dict.fromkeys(("status", "reached", "error", "unconfirmed"))
    known = nothing if outcome.known is None else vars(outcome.known)
    return SimpleNamespace(
        **known,
        raised=outcome.error,
        found=outcome.found,
        at_rest=outcome.at_rest,
    )


def requesting(*script, direction=UNDEPLOY, **more):
    """As :func:`looking`, of a model that rests where the request finds it."""
    return looking(RESTS[direction], *script, direction=direction, **more)


def deploy(*script, **more):
    return requesting(*script, direction=DEPLOY, **more)


def resuming(*script, **more):
    """As :func:`looking`, of a wait that finds out what became of the POST of an earlier one."""
    return looking(*script, direction=DEPLOY, request=False, unconfirmed=True, **more)


def test_a_task_is_requested_once_after_a_poll_and_followed():
    end, _, api = deploy(200, AT_REST, "PENDING", "COMPLETED")

    assert ("COMPLETED", True, False, None) == (end.status, end.reached, end.found, end.raised)
    assert {"POST": "/api/v3/models/deploy-model/m", "GET": "/api/v3/models/deploy-model/m/status"} == {
        method: path for _, method, path in api.requests
    }
    assert ["GET", "POST", "GET", "GET", "GET"] == api.methods


@pytest.mark.parametrize("before", ["COMPLETED", ON_FIRE], ids=["completed", "failed"])
@pytest.mark.parametrize("answer", [200, refused("Model is already being undeployed"), 500])
def test_what_was_there_before_the_request_is_no_answer_to_it(before, answer):
    """The status endpoint lags: pulumi-kubernetes #2941 is the same fault."""
    end, _, api = looking(before, answer, *[before] * 3, "PENDING", failed("no power"))
    believed, took, _ = looking(before, 200, before)

    assert "no power" == end.error
    assert ["GET", "DELETE", *["GET"] * 5] == api.methods
    assert believed.status in ("COMPLETED", "FAILED")
    assert 15 <= took < 20


def test_after_a_running_task_the_same_end_is_its_own():
    end, took, _ = looking(ON_FIRE, 200, "PENDING", ON_FIRE)

    assert "GPU on fire" == end.error
    assert took < 5


def test_another_end_than_before_is_an_answer_at_once():
    end, took, _ = looking(ON_FIRE, 200, failed("no power"))

    assert (0, "no power") == (took, end.error)


@pytest.mark.parametrize(
    "answers",
    [
        [refused("Model not found", 404)],
        [refused("no", 403)],
        [500] * 3,
        [httpcore.ConnectError("no route to host")] * 3,
    ],
)
def test_where_the_poll_before_the_request_failed_no_end_is_believed_within_the_grace(answers):
    """Nothing is known of what the status endpoint may still say."""
    stale, _, api = looking(*answers, 200, "COMPLETED", "PENDING", ON_FIRE)
    believed, took, _ = looking(*answers, 200, "COMPLETED")

    assert "GPU on fire" == stale.error
    assert [*["GET"] * len(answers), "DELETE", "GET", "GET", "GET"] == api.methods
    assert "COMPLETED" == believed.status
    assert took >= 15


def test_nothing_is_sent_to_what_answers_in_the_place_of_an_api_that_never_did():
    end, _, api = looking(httpx.Response(403, text="<html>Log in"), direction=DEPLOY)

    assert GatewayError is type(end.raised)
    assert ["GET"] == api.methods


def test_the_poll_before_a_request_is_tried_again_for_a_moment():
    end, took, api = looking(500, httpx.Response(200, text="junk"), "FAILED", 200, "COMPLETED")

    assert "COMPLETED" == end.status
    assert ["GET", "GET", "GET", "DELETE", "GET"] == api.methods
    assert took < 2


def test_the_poll_before_a_request_is_a_line_of_the_debug_log():
    told = Told()

    looking("COMPLETED", 200, "FAILED", reporter=told)

    assert "m, request 1: GET 200 in 0 ms: COMPLETED; sending the DELETE" == told.debugged[0]


def test_an_outage_met_before_the_request_ends_the_wait():
    end, took, api = looking(503, policy=WaitPolicy(timeout=1000))

    assert isinstance(end.raised, UnavailableError)
    assert 300 <= took < 360
    assert {"GET"} == set(api.methods)


def test_an_unknown_word_counts_though_it_was_the_same_before_the_request():
    assert "RETIRING" == looking("RETIRING", 200, "RETIRING", policy=WaitPolicy(timeout=5))[0].status


@DIRECTIONS
def test_the_opposite_task_is_waited_out_before_the_request(direction):
    opposite = refused(f"Current status: {direction.blocked}", 409)
    end, _, api = requesting(opposite, opposite, 200, "PENDING", "COMPLETED", direction=direction)

    assert (True, False) == (end.reached, end.found)
    assert ["GET", *[direction.method] * 3, "GET", "GET"] == api.methods


def test_an_opposite_task_that_never_ends_ends_the_wait_in_time():
    end, took, _ = deploy(UNDEPLOYING, policy=WaitPolicy(timeout=30))

    assert WaitTimeoutError is type(end.raised)
    assert "Current status: UNDEPLOYING" in str(end.raised)
    assert 30 <= took <= 31


def test_a_post_whose_fate_is_unknown_is_remembered_because_it_may_cost():
    end, _, _ = deploy(500, policy=WaitPolicy(timeout=10))

    assert ("PENDING", True) == (end.status, end.unconfirmed)


def test_a_post_that_was_lost_is_sent_again_after_the_grace():
    end, took, api = deploy(500, *[AT_REST] * IN_GRACE, 200, "PENDING", "COMPLETED")

    assert end.reached
    assert 2 == api.methods.count("POST")
    assert took >= 15


def test_a_delete_of_a_model_whose_status_says_that_it_is_being_deployed_is_sent_again():
    told = Told()
    end, _, api = requesting(400, DEPLOYING_NOW, 200, "PENDING", "COMPLETED", reporter=told)

    assert end.reached
    assert ["GET", "DELETE", "GET", "DELETE", "GET", "GET"] == api.methods
    assert told.said[0].endswith("last poll: FAILED, No active undeployment. Model status is DEPLOYING")


def test_a_wait_that_requests_nothing_requests_nothing_when_the_opposite_task_runs():
    _, _, api = deploy(UNDEPLOYING_NOW, AT_REST, request=False)

    assert {"GET"} == set(api.methods)


def test_messages_of_a_deployment_name_it():
    end, _, _ = deploy(200, "PENDING", policy=WaitPolicy(timeout=30))

    assert str(end.raised).startswith("Model m is not deployed after 30s: its last status")


def cancelled(*script, after, direction=UNDEPLOY):
    """Return how a wait that is cancelled *after* some seconds ended, and the API."""
    api = ScriptedApi(*script)

    async def main():
        wait = ModelWait(client_for(api), "m", STEADY, Goal(direction, request=True))
        running = asyncio.create_task(wait.follow())
        await asyncio.sleep(after)
        running.cancel()
        return await running

    end = end_of(simulate(main)[0])

    assert isinstance(end.raised, WaitInterruptedError)
    return end, api


@pytest.mark.parametrize(
    ("at_first", "adopted"), [([AT_REST], False), (["PENDING"], True), (["COMPLETED"], True), ([500] * 3, True)]
)
def test_a_post_that_is_interrupted_under_way_is_remembered(at_first, adopted):
    """Nobody would know of what it may have begun. What a poll before it showed at rest, it began."""
    end, _ = cancelled(*at_first, (9, 200), after=5, direction=DEPLOY)

    assert ("PENDING", adopted, True) == (end.status, end.found, end.unconfirmed)
    assert "The API may have carried out the POST. The next `pulumi up` continues to wait." in str(end.raised)


def test_a_post_that_was_not_sent_when_it_was_interrupted_is_not_remembered():
    end, api = cancelled((9, AT_REST), after=5, direction=DEPLOY)
    overloaded, _ = cancelled(AT_REST, 503, after=0.2, direction=DEPLOY)

    assert (None, None) == (end.status, overloaded.status)
    assert ["GET"] == api.methods


def test_what_was_seen_after_a_post_that_was_lost_is_what_is_remembered():
    assert "RETIRING" == deploy(500, "RETIRING", policy=WaitPolicy(timeout=5))[0].status


def test_a_delete_that_is_interrupted_under_way_may_have_been_carried_out():
    end, _ = cancelled(IN_SERVICE, (9, 200), after=5)

    assert end.status is None
    assert "The API may have carried out the DELETE, and it does no harm to repeat it." in str(end.raised)


@DIRECTIONS
def test_what_somebody_began_after_our_task_ran_is_not_fought(direction):
    theirs = failed(f"No active task. Model status is {direction.blocked}.")
    end, _, api = requesting(200, "PENDING", theirs, 200, "COMPLETED", direction=direction)

    assert (f"No active task. Model status is {direction.blocked}.", False) == (end.error, end.reached)
    assert ["GET", direction.method, "GET", "GET"] == api.methods


def test_a_task_that_runs_already_is_known_before_the_first_poll():
    end, _ = cancelled(AT_REST, ALREADY_RUNNING, (9, "PENDING"), after=5, direction=DEPLOY)

    assert ("PENDING", True) == (end.status, end.found)


@pytest.mark.parametrize("before", ["COMPLETED", ON_FIRE], ids=["completed", "failed"])
@pytest.mark.parametrize(("direction", "requests"), [(UNDEPLOY, 2), (DEPLOY, 1)], ids=["undeploy", "deploy"])
def test_where_the_status_stays_as_it_was_a_lost_delete_is_sent_again_and_a_post_is_not(before, direction, requests):
    """It may have been carried out, and a deployment may cost."""
    end, took, api = looking(
        before, 500, *[before] * IN_GRACE, 200, "PENDING", "COMPLETED", direction=direction, policy=STEADY
    )

    assert end.status in ("COMPLETED", "FAILED")
    assert requests == api.methods.count(direction.method)
    assert took >= 15


def test_an_unknown_word_that_stays_is_no_reason_to_send_a_delete_again():
    _, _, api = looking("RETIRING", 500, "RETIRING", policy=WaitPolicy(timeout=60))

    assert 1 == api.methods.count("DELETE")


@pytest.mark.parametrize("status", [IN_SERVICE, body("COMPLETED")], ids=["at rest", "as it was before"])
def test_a_delete_that_is_lost_again_and_again_is_sent_four_times_at_most(status):
    """Each time after the grace; then the status is believed."""

    class Api(ScriptedApi):
        async def handle_async_request(self, request):
            self.script = [500 if request.method == "DELETE" else status]
            return await super().handle_async_request(request)

    end, _, api = looking(api=Api())
    deletes = [time for time, method, _ in api.requests if method == "DELETE"]

    assert status.json()["status"] == end.status
    assert 4 == len(deletes)
    assert all(later - earlier >= 15 for earlier, later in pairwise(deletes))


@pytest.mark.parametrize(
    ("script", "adopted"),
    [
        (["PENDING", 500, "PENDING", "COMPLETED"], True),  # somebody's deployment ran before ours
        ([AT_REST, 500, "PENDING", "COMPLETED"], False),
        ([AT_REST, 500, "COMPLETED"], False),
        (["COMPLETED", 500, "PENDING", "COMPLETED"], False),  # out of service meanwhile
        # What was accepted stays ours.
        ([AT_REST, 200, UNDEPLOYING_NOW, ALREADY_RUNNING, "PENDING", "COMPLETED"], False),
        ([AT_REST, 200, UNDEPLOYING_NOW, ALREADY, "COMPLETED"], False),
        ([AT_REST, 500, *[AT_REST] * IN_GRACE, ALREADY, "COMPLETED"], False),
        (["COMPLETED", ALREADY, "COMPLETED"], True),
        ([AT_REST, ALREADY_RUNNING, "PENDING", "COMPLETED"], True),
        # While an undeployment was waited out, somebody else may have begun what runs.
        ([AT_REST, UNDEPLOYING, 500, "COMPLETED"], True),
        # Nothing is known of the time before it: what takes minutes cannot be done at once, so it was there.
        ([500, 500, 500, 500, "COMPLETED"], True),
    ],
)
def test_whose_deployment_it_is(script, adopted):
    """Ours is what was accepted, or what began to run after a request that was lost, and certainly not before."""
    end, _, _ = looking(*script, direction=DEPLOY)

    assert (True, adopted, False) == (end.reached, end.found, end.unconfirmed)


def test_what_ran_after_a_lost_post_and_rests_again_is_not_requested_again():
    """It was carried out, and reverted."""
    end, _, api = deploy(500, "PENDING", AT_REST)

    assert not end.reached
    assert 1 == api.methods.count("POST")


def test_a_rest_by_another_name_is_one_only_if_the_api_said_that_the_model_was_there_already():
    there, ready = refused("Model is already undeployed"), failed("Model status is READY")

    assert requesting(there, ready)[0].at_rest
    assert not requesting(200, ready)[0].at_rest
    assert not requesting(there, DEPLOYING_NOW, 200, "PENDING", ready)[0].at_rest


@DIRECTIONS
def test_a_single_poll_sends_its_request_again_while_the_opposite_task_runs(direction):
    opposite = refused(f"Current status: {direction.blocked}")
    end, _, api = looking("FAILED", opposite, opposite, 200, "PENDING", direction=direction, once=True)

    assert "PENDING" == end.status
    assert ["GET", *[direction.method] * 3, "GET"] == api.methods


def test_a_single_poll_gives_up_when_the_opposite_task_does_not_end():
    end, took, _ = deploy(UNDEPLOYING, once=True)

    assert isinstance(end.raised, WaitTimeoutError)
    assert end.status is None
    assert 1800 <= took < 1810


def test_a_single_poll_waits_for_a_status_that_lags_behind_the_answer_that_the_model_is_there():
    end, took, api = requesting(refused("Model is already undeployed"), IN_SERVICE, IN_SERVICE, AT_REST, once=True)

    assert (True, None) == (end.reached, end.raised)
    assert ["GET", "DELETE", "GET", "GET", "GET"] == api.methods
    assert took < 2


def test_a_single_poll_after_an_accepted_request_takes_what_the_api_said():
    end, took, _ = deploy(200, AT_REST, once=True)

    assert ("PENDING", True, 0) == (end.status, end.unconfirmed, took)


@pytest.mark.parametrize("errors", [0, 10])
def test_a_single_poll_finds_out_what_became_of_a_post_that_was_lost(errors):
    """Whether the API fails in between or not."""
    running, took, _ = deploy(500, AT_REST, AT_REST, "PENDING", once=True)
    again, took_again, api = deploy(500, *[AT_REST, 500] * errors, *[AT_REST] * IN_GRACE, 200, "PENDING", once=True)

    assert ("PENDING", "PENDING") == (running.status, again.status)
    assert took < 2
    assert took_again >= 15
    assert 2 == api.methods.count("POST")


def test_a_single_poll_after_a_post_that_was_lost_is_an_error_that_remembers_it():
    """Else nobody would request it again."""
    end, _, _ = deploy(500, once=True)

    assert ("PENDING", False, True) == (end.status, end.found, end.unconfirmed)
    assert str(end.raised) == (
        "Model m: no usable response in 30s. The last error: 500 Internal Server Error."
        " The API may have carried out the POST. The next `pulumi up` continues to wait."
    )


@pytest.mark.parametrize("then", [refused("no", 403), 503, httpcore.ConnectError("gone"), (9, ALREADY)])
def test_a_post_that_was_lost_is_not_forgotten_because_it_cannot_be_sent_again(then):
    end, _, _ = deploy(500, *[AT_REST] * IN_GRACE, then, policy=WaitPolicy(timeout=20, jitter=0.0))

    assert ("PENDING", True) == (end.status, end.unconfirmed)


def test_that_the_model_is_there_is_believed_though_its_status_lags():
    end, _, api = deploy(ALREADY, AT_REST, "COMPLETED")

    assert end.reached
    assert ["GET", "POST", "GET", "GET"] == api.methods


@pytest.mark.parametrize("once", [True, False], ids=["single poll", "wait"])
@pytest.mark.parametrize("posts", [0, 1])
def test_what_became_of_an_earlier_post_is_found_out_by_the_next_wait(once, posts):
    """As after Ctrl-C: within the grace the model may rest, and after it the POST was not carried out."""
    script = [AT_REST, "PENDING", "COMPLETED"] if posts == 0 else [*[AT_REST] * IN_GRACE, 200, "PENDING", "COMPLETED"]
    end, _, api = resuming(*script, once=once)

    assert ("PENDING" if once else "COMPLETED") == end.status
    assert posts == api.methods.count("POST")


@DIRECTIONS
def test_a_wait_that_goes_on_where_nothing_confirmed_the_request_does_not_believe_an_old_end(direction):
    """Ctrl-C right after a DELETE that was accepted, and a status endpoint that lags."""
    end, _, api = looking(
        "COMPLETED", "COMPLETED", "PENDING", ON_FIRE, direction=direction, request=False, unconfirmed=True
    )
    believed, took, _ = looking("COMPLETED", direction=direction, request=False, unconfirmed=True)

    assert "GPU on fire" == end.error
    assert ["GET"] * 4 == api.methods
    assert believed.reached
    assert took >= 15


@pytest.mark.parametrize("script", [["PENDING", "COMPLETED"], [AT_REST, "COMPLETED"], ["COMPLETED"]])
def test_what_an_earlier_wait_may_have_found_is_not_taken_for_its_own(script):
    assert resuming(*script)[0].found


def test_what_was_accepted_stays_ours_also_after_an_earlier_wait():
    end, _, _ = resuming(*[AT_REST] * IN_GRACE, 200, UNDEPLOYING_NOW, 500, "PENDING", "COMPLETED")

    assert (True, False) == (end.reached, end.found)


def test_a_short_timeout_leaves_time_to_send_a_lost_post_again():
    end, took, _ = resuming(*[AT_REST] * 9, 200, "PENDING", "COMPLETED", policy=WaitPolicy(timeout=8))

    assert (True, False) == (end.reached, end.found)
    assert took < 8
