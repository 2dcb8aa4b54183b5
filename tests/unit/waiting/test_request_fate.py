"""What a wait makes of its own POST or DELETE, in simulated time: which statuses are about it, and whose task it is."""

import asyncio
from itertools import pairwise

import httpx
import pytest
from harness.api import ScriptedApi, Told, body, client_for
from harness.simulated import simulate

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.errors import NugenError, UnavailableError, WaitInterruptedError, WaitTimeoutError
from nugen_pulumi.waiting.beginning import Beginning
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task import Task
from nugen_pulumi.waiting.wait_messages import SILENT

STEADY = WaitPolicy(jitter=0.0)


def failed(reason):
    return body("FAILED", result={"error": reason})


def refused(reason):
    return httpx.Response(400, json={"detail": reason})


ON_FIRE = {"status": "FAILED", "undeployed": False, "result": {"error": "GPU on fire"}, "error": "GPU on fire"}

# Of polls.
AT_REST = failed("No active deployment. Model status is UNDEPLOYED.")
UNDEPLOYING_NOW = failed("No active deployment. Model status is UNDEPLOYING.")
DEPLOYING_NOW = failed("No active undeployment. Model status is DEPLOYING.")
# Of requests.
ALREADY = refused("Model is already deployed")
ALREADY_RUNNING = refused("Model is already being deployed")
UNDEPLOYING = refused("Model cannot be redeployed. Current status: UNDEPLOYING")

IN_GRACE = 23  # polls in 15 seconds of grace, and the one after

DIRECTIONS = pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY], ids=["undeploy", "deploy"])


def requesting(*script, policy=STEADY, reporter=SILENT, api=None, once=False, **how):
    """Return the status in which a wait with a request ended, or its error; how long it took; and the API."""
    api = api or ScriptedApi(*script)

    async def main():
        task = Task(client_for(api), "m", policy, Beginning(**{"request": True, **how}), reporter=reporter)
        try:
            return await (task.poll_once() if once else task.follow())
        except NugenError as exc:
            return exc

    return *simulate(main), api


def after_a_request(*script, date=None, **more):
    """As :func:`requesting`, behind a request that was accepted."""
    accepted = httpx.Response(200, json="m", headers={"date": date} if date else None)
    return requesting(accepted, *script, **more)


def test_a_failure_that_was_known_before_the_request_is_no_answer_within_the_grace():
    """The status endpoint lags: pulumi-kubernetes #2941 is the same fault."""
    status, _, api = after_a_request(*[failed("GPU on fire")] * 3, "PENDING", "COMPLETED", before=ON_FIRE)

    assert "COMPLETED" == status.status
    assert ["DELETE", *["GET"] * 5] == api.methods


def test_after_the_grace_the_same_failure_is_believed():
    status, took, _ = after_a_request(failed("GPU on fire"), before=ON_FIRE)

    assert "GPU on fire" == status.error
    assert 15 <= took < 20


def test_the_same_failure_after_a_running_task_is_its_own():
    status, took, _ = after_a_request("PENDING", failed("GPU on fire"), before=ON_FIRE)

    assert "GPU on fire" == status.error
    assert took < 5


def test_another_failure_is_an_answer_at_once():
    status, took, _ = after_a_request(failed("no power"), before=ON_FIRE)

    assert (0, "no power") == (took, status.error)


@pytest.mark.parametrize(
    ("end_time", "counts"),
    [
        ("2024-02-24T09:59:00Z", False),
        ("2024-02-24T11:59:00+02:00", False),
        ("2024-02-24T09:59:58Z", True),  # the date is in whole seconds, and of the end of the request
        ("2024-02-24T10:00:01Z", True),
        ("2024-02-24T09:59:00", True),  # naive times were seen to be of the request
        ("yesterday", True),
        (None, True),
    ],
)
def test_a_completion_from_before_the_request_is_no_answer(end_time, counts):
    """A model that was deployed again in between; by the server's own clock."""
    early = body("COMPLETED", end_time=end_time)
    status, took, _ = after_a_request(early, date="Sat, 24 Feb 2024 10:00:00 GMT")

    assert "COMPLETED" == status.status
    assert counts == (took == 0)
    assert counts or took >= 15


def look(*script, **more):
    """As :func:`requesting`, of a task that polls once before its request."""
    return requesting(*script, look_first=True, **more)


def test_what_was_polled_before_the_request_is_no_answer_to_it():
    status, _, api = look("COMPLETED", 200, "COMPLETED", "PENDING", failed("GPU on fire"))

    assert "GPU on fire" == status.error
    assert ["GET", "DELETE", "GET", "GET", "GET"] == api.methods


@pytest.mark.parametrize("answers", [[404], [403], [500] * 3, [httpx.ConnectError("no route to host")] * 3])
def test_after_a_poll_before_the_request_that_failed_no_end_is_believed_within_the_grace(answers):
    """Nothing is known of what the status endpoint may still say."""
    stale, _, api = look(*answers, 200, "COMPLETED", "PENDING", failed("GPU on fire"))
    believed, took, _ = look(*answers, 200, "COMPLETED")

    assert "GPU on fire" == stale.error
    assert [*["GET"] * len(answers), "DELETE", "GET", "GET", "GET"] == api.methods
    assert "COMPLETED" == believed.status
    assert took >= 15


def test_a_poll_before_the_request_is_tried_again_for_a_moment():
    status, took, api = look(500, httpx.Response(200, text="junk"), "FAILED", 200, "COMPLETED")

    assert "COMPLETED" == status.status
    assert ["GET", "GET", "GET", "DELETE", "GET"] == api.methods
    assert took < 2


def test_a_poll_before_the_request_is_not_repeated_with_it():
    deploying = refused("Model cannot be undeployed. Current status: DEPLOYING")

    assert ["GET", "DELETE", "DELETE", "GET"] == look("COMPLETED", deploying, 200, "FAILED")[2].methods


def test_a_poll_before_the_request_is_a_line_of_the_debug_log():
    told = Told()

    look("COMPLETED", 200, "FAILED", reporter=told)

    assert "m, request 1: GET 200 in 0 ms: COMPLETED; sending the DELETE" == told.debugged[0]


def test_an_outage_met_before_the_request_ends_the_wait():
    error, took, api = look(503, policy=WaitPolicy(timeout=1000))

    assert isinstance(error, UnavailableError)
    assert 300 <= took < 360
    assert {"GET"} == set(api.methods)


def test_without_a_date_of_the_server_a_completion_counts():
    assert 0 == after_a_request(body("COMPLETED", end_time="2024-02-24T10:00:00Z"), date="soon")[1]


def test_a_completion_counts_at_once_if_it_is_not_known_when_the_request_was_accepted():
    assert 0 == requesting(500, body("COMPLETED", end_time="2024-02-24T10:00:00Z"))[1]


def test_an_unknown_word_counts_though_it_was_the_same_before_the_request():
    error, _, _ = look("RETIRING", 200, "RETIRING", policy=WaitPolicy(timeout=5))

    assert "RETIRING" == error.last_known.status


def deploy(*script, **more):
    return requesting(*script, direction=DEPLOY, **more)


def test_a_deployment_is_requested_once_and_followed():
    status, _, api = deploy(200, AT_REST, "PENDING", "COMPLETED")

    assert ("COMPLETED", True, False) == (status.status, status.reached, status.adopted)
    assert {"POST": "/api/v3/models/deploy-model/m", "GET": "/api/v3/models/deploy-model/m/status"} == {
        method: path for _, method, path in api.requests
    }
    assert 1 == api.methods.count("POST")


@DIRECTIONS
def test_the_opposite_task_is_waited_out_before_the_request(direction):
    opposite = refused(f"Current status: {direction.blocked}")
    status, _, api = requesting(opposite, opposite, 200, "PENDING", "COMPLETED", direction=direction)

    assert (True, False) == (status.reached, status.adopted)
    assert [*[direction.method] * 3, "GET", "GET"] == api.methods


def test_an_undeployment_that_never_ends_ends_the_wait_in_time():
    error, took, _ = deploy(UNDEPLOYING, policy=WaitPolicy(timeout=30))

    assert WaitTimeoutError is type(error)
    assert "Current status: UNDEPLOYING" in str(error)
    assert 30 <= took <= 31


def test_a_post_whose_fate_is_unknown_is_remembered_because_it_may_cost():
    error, _, _ = deploy(500, policy=WaitPolicy(timeout=10))

    assert ("PENDING", True) == (error.last_known.status, error.last_known.adopted)


def test_a_post_that_was_lost_is_sent_again_after_the_grace():
    status, took, api = deploy(500, *[AT_REST] * IN_GRACE, 200, "PENDING", "COMPLETED")

    assert status.reached
    assert 2 == api.methods.count("POST")
    assert took >= 15


def test_a_delete_of_a_model_whose_status_says_that_it_is_being_deployed_is_sent_again():
    status, _, api = requesting(400, DEPLOYING_NOW, 200, "PENDING", "COMPLETED")

    assert status.reached
    assert ["DELETE", "GET", "DELETE", "GET", "GET"] == api.methods


def test_a_wait_that_was_told_to_request_nothing_requests_nothing_when_the_opposite_task_runs():
    _, _, api = deploy(UNDEPLOYING_NOW, UNDEPLOYING_NOW, AT_REST, request=False)

    assert {"GET"} == set(api.methods)


def test_the_live_line_says_why_a_delete_has_to_be_sent_again():
    told = Told()
    requesting(400, DEPLOYING_NOW, 200, "COMPLETED", reporter=told)

    assert told.said[0].endswith("last poll: FAILED, No active undeployment. Model status is DEPLOYING")


def test_messages_of_a_deployment_name_it():
    error, _, _ = deploy(200, "PENDING", policy=WaitPolicy(timeout=30))

    assert str(error).startswith("Model m is not deployed after 30s: its last status")


def cancelled(*script, after, **how):
    """Return the error of a wait that is cancelled *after* some seconds, and the API."""
    api = ScriptedApi(*script)

    async def main():
        wait = asyncio.create_task(Task(client_for(api), "m", STEADY, Beginning(request=True, **how)).follow())
        await asyncio.sleep(after)
        wait.cancel()
        with pytest.raises(WaitInterruptedError) as caught:
            await wait
        return caught.value

    return simulate(main)[0], api


@pytest.mark.parametrize(
    ("at_first", "adopted"), [([AT_REST], False), (["PENDING"], True), (["COMPLETED"], True), ([500] * 3, True)]
)
def test_a_post_that_is_interrupted_under_way_is_remembered(at_first, adopted):
    """Nobody would know of what it may have begun. What a poll before it showed at rest, it began."""
    error, _ = cancelled(*at_first, (9, 200), after=5, direction=DEPLOY, look_first=True)

    assert ("PENDING", adopted) == (error.last_known.status, error.last_known.adopted)
    assert "The API may have carried out the POST. The next `pulumi up` continues to wait." in str(error)


def test_a_post_that_was_not_sent_when_it_was_interrupted_is_not_remembered():
    error, api = cancelled((9, AT_REST), after=5, direction=DEPLOY, look_first=True)
    overloaded, _ = cancelled(AT_REST, 503, after=0.2, direction=DEPLOY, look_first=True)

    assert (None, None) == (error.last_known, overloaded.last_known)
    assert ["GET"] == api.methods


def test_what_was_seen_after_a_post_that_was_lost_is_what_is_remembered():
    error, _, _ = look(AT_REST, 500, "RETIRING", direction=DEPLOY, policy=WaitPolicy(timeout=5))

    assert "RETIRING" == error.last_known.status


def test_a_delete_that_is_interrupted_under_way_may_have_been_carried_out():
    error, _ = cancelled((9, 200), after=5)

    assert error.last_known is None
    assert "The API may have carried out the DELETE, and it does no harm to repeat it." in str(error)


@DIRECTIONS
def test_what_somebody_began_after_our_task_ran_is_not_fought(direction):
    theirs = failed(f"No active task. Model status is {direction.blocked}.")
    status, _, api = requesting(200, "PENDING", theirs, 200, "COMPLETED", direction=direction)

    assert (f"No active task. Model status is {direction.blocked}.", False) == (status.error, status.reached)
    assert [direction.method, "GET", "GET"] == api.methods


def test_a_task_that_runs_already_is_not_over_because_of_what_an_earlier_one_left():
    """The status endpoint lags behind that one, too."""
    running = refused("Model is already being undeployed")
    status, _, api = look("COMPLETED", running, "COMPLETED", "PENDING", failed("GPU on fire"))

    assert "GPU on fire" == status.error
    assert ["GET", "DELETE", "GET", "GET", "GET"] == api.methods


def test_a_task_that_runs_already_is_known_before_the_first_poll():
    error, _ = cancelled(AT_REST, ALREADY_RUNNING, (9, "PENDING"), after=5, direction=DEPLOY, look_first=True)

    assert ("PENDING", True) == (error.last_known.status, error.last_known.adopted)


@pytest.mark.parametrize("before", ["COMPLETED", failed("GPU on fire")], ids=["completed", "failed"])
def test_a_delete_that_was_lost_is_sent_again_where_the_status_stays_as_it_was_before(before):
    status, took, api = look(before, 500, *[before] * IN_GRACE, 200, "PENDING", "COMPLETED")

    assert status.reached
    assert 2 == api.methods.count("DELETE")
    assert took >= 15


def test_an_unknown_word_that_stays_is_no_reason_to_send_a_delete_again():
    _, _, api = look("RETIRING", 500, "RETIRING", policy=WaitPolicy(timeout=60))

    assert 1 == api.methods.count("DELETE")


@pytest.mark.parametrize(
    ("status", "look_first"),
    [(failed("No active undeployment. Model status is DEPLOYED."), False), (body("COMPLETED"), True)],
    ids=["at rest", "as it was before"],
)
def test_a_delete_that_is_lost_again_and_again_is_sent_four_times_at_most(status, look_first):
    """Each time after the grace; then the status is believed."""

    class Api(ScriptedApi):
        async def handle_async_request(self, request):
            self.script = [500 if request.method == "DELETE" else status]
            return await super().handle_async_request(request)

    end, _, api = requesting(api=Api(), look_first=look_first)
    deletes = [time for time, method, _ in api.requests if method == "DELETE"]

    assert status.json()["status"] == end.status
    assert 4 == len(deletes)
    assert all(later - earlier >= 15 for earlier, later in pairwise(deletes))


@pytest.mark.parametrize("before", ["COMPLETED", failed("no GPU")], ids=["completed", "failed"])
def test_a_post_that_was_lost_is_not_sent_again_where_the_status_stays_as_it_was_before(before):
    """It may have been carried out, and may cost."""
    _, _, api = look(before, 500, *[before] * IN_GRACE, direction=DEPLOY)

    assert 1 == api.methods.count("POST")


@pytest.mark.parametrize(
    ("script", "adopted"),
    [
        (["PENDING", 500, "PENDING", "COMPLETED"], True),  # somebody's deployment ran before ours
        ([AT_REST, 500, "PENDING", "COMPLETED"], False),
        ([AT_REST, 500, "COMPLETED"], False),
        (["COMPLETED", 500, "PENDING", "COMPLETED"], False),  # out of service meanwhile
        (
            [AT_REST, 200, UNDEPLOYING_NOW, ALREADY_RUNNING, "PENDING", "COMPLETED"],
            False,
        ),  # what was accepted stays ours
        ([AT_REST, 200, UNDEPLOYING_NOW, ALREADY, "COMPLETED"], False),
        ([AT_REST, 500, *[AT_REST] * IN_GRACE, ALREADY, "COMPLETED"], False),
        (["COMPLETED", ALREADY, "COMPLETED"], True),
        ([AT_REST, ALREADY_RUNNING, "PENDING", "COMPLETED"], True),
        # Nothing is known of the time before it: what takes minutes cannot be done at once, so it was there.
        ([500, 500, 500, 500, "COMPLETED"], True),
    ],
)
def test_whose_deployment_it_is(script, adopted):
    """Ours is what was accepted, or what began to run after a request that was lost, and certainly not before."""
    status, _, _ = look(*script, direction=DEPLOY)

    assert (True, adopted) == (status.reached, status.adopted)


def test_what_ran_after_a_lost_post_and_rests_again_is_not_requested_again():
    """It was carried out, and reverted."""
    status, _, api = look(AT_REST, 500, "PENDING", AT_REST, direction=DEPLOY)

    assert not status.reached
    assert 1 == api.methods.count("POST")


def test_that_it_was_there_already_is_forgotten_once_a_later_request_is_accepted():
    there = refused("Model is already undeployed")
    status, _, _ = requesting(there, DEPLOYING_NOW, 200, "PENDING", failed("Model status is READY"))

    assert not status.rests


def poll_once(*script, **how):
    """As :func:`requesting`, of a single poll."""
    return requesting(*script, once=True, **how)


@DIRECTIONS
def test_a_single_poll_sends_its_request_again_while_the_opposite_task_runs(direction):
    opposite = refused(f"Current status: {direction.blocked}")
    status, _, api = poll_once("FAILED", opposite, opposite, 200, "PENDING", direction=direction, look_first=True)

    assert "PENDING" == status.status
    assert ["GET", *[direction.method] * 3, "GET"] == api.methods


def test_a_single_poll_gives_up_when_the_opposite_task_does_not_end():
    error, took, _ = poll_once(UNDEPLOYING, direction=DEPLOY)

    assert isinstance(error, WaitTimeoutError)
    assert error.last_known is None
    assert 1800 <= took < 1810


def test_a_single_poll_finds_out_what_became_of_a_post_that_was_lost():
    running, took, _ = poll_once(AT_REST, 500, AT_REST, AT_REST, "PENDING", direction=DEPLOY, look_first=True)
    again, took_again, api = poll_once(
        AT_REST, 500, *[AT_REST] * IN_GRACE, 200, "PENDING", direction=DEPLOY, look_first=True
    )

    assert ("PENDING", "PENDING") == (running.status, again.status)
    assert took < 2
    assert took_again >= 15
    assert 2 == api.methods.count("POST")


@pytest.mark.parametrize("once", [True, False], ids=["single poll", "wait"])
@pytest.mark.parametrize("posts", [0, 1])
def test_what_became_of_an_earlier_post_is_found_out_by_the_next_wait(once, posts):
    """As after Ctrl-C: within the grace the model may rest, and after it the POST was not carried out."""
    script = [AT_REST, "PENDING", "COMPLETED"] if posts == 0 else [*[AT_REST] * IN_GRACE, 200, "PENDING", "COMPLETED"]
    status, _, api = deploy(*script, request=False, unconfirmed=True, once=once)

    assert ("PENDING" if once else "COMPLETED") == status.status
    assert posts == api.methods.count("POST")


def test_that_the_model_is_there_is_believed_though_its_status_lags():
    status, _, api = deploy(ALREADY, AT_REST, "COMPLETED")

    assert status.reached
    assert ["POST", "GET", "GET"] == api.methods


def test_after_an_undeployment_was_waited_out_nobody_knows_who_began_what_runs():
    status, _, _ = look(AT_REST, UNDEPLOYING, 500, "COMPLETED", direction=DEPLOY)

    assert status.adopted


def test_a_single_poll_after_a_post_that_was_lost_is_an_error_that_remembers_it():
    """Else nobody would request it again."""
    error, _, _ = poll_once(AT_REST, 500, direction=DEPLOY, look_first=True)

    assert ("PENDING", False) == (error.last_known.status, error.last_known.adopted)
    assert str(error) == (
        "Model m: no usable response in 30s. The last error: 500 Internal Server Error."
        " The API may have carried out the POST. The next `pulumi up` continues to wait."
    )


def test_a_single_poll_that_fails_does_not_end_finding_out_what_became_of_a_post():
    status, _, api = poll_once(
        AT_REST, 500, *[AT_REST, 500] * 10, *[AT_REST] * IN_GRACE, 200, "PENDING", direction=DEPLOY, look_first=True
    )

    assert "PENDING" == status.status
    assert 2 == api.methods.count("POST")


@pytest.mark.parametrize("script", [["PENDING", "COMPLETED"], [AT_REST, "COMPLETED"], ["COMPLETED"]])
def test_what_an_earlier_wait_may_have_found_is_not_taken_for_its_own(script):
    status, _, _ = deploy(*script, request=False, unconfirmed=True)

    assert status.adopted


def test_what_was_accepted_stays_ours_also_after_an_earlier_wait():
    script = [*[AT_REST] * IN_GRACE, 200, UNDEPLOYING_NOW, 500, "PENDING", "COMPLETED"]
    status, _, _ = deploy(*script, request=False, unconfirmed=True)

    assert (True, False) == (status.reached, status.adopted)


def test_a_short_timeout_leaves_time_to_send_a_lost_post_again():
    status, took, _ = deploy(
        *[AT_REST] * 9, 200, "PENDING", "COMPLETED", request=False, unconfirmed=True, policy=WaitPolicy(timeout=8)
    )

    assert (True, False) == (status.reached, status.adopted)
    assert took < 8
