"""Many undeployments at once, in simulated time."""

import asyncio
import re

import httpx
import pytest
from harness.api import ScriptedApi, Told, body, client_for
from harness.simulated import simulate

from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.errors import ModelNotFoundError, UnforeseenError, WaitInterruptedError, WaitTimeoutError
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import ONLY_POLL, Goal


class Api(ScriptedApi):
    """Each model is over after the seconds that its id begins with; `missing` and `fails` are what they say."""

    def __init__(self, latency=0.01):
        super().__init__()
        self.latency = latency

    async def handle_async_request(self, request):
        now = asyncio.get_running_loop().time()
        self.requests.append((now, request.method, request.url.path))
        await asyncio.sleep(self.latency)
        model = request.url.path.split("/")[5]
        if model.startswith("missing"):
            answer = httpx.Response(404, json={"detail": "Model not found"})
        elif model.startswith("fails"):
            answer = body("FAILED", result={"error": "GPU on fire"})
        else:
            answer = body("COMPLETED" if now >= float(model.split("-")[0]) else "PENDING")
        return httpx.Response(answer.status_code, stream=httpx.ByteStream(answer.content))


def learn(api, ids, *, wait=True, undeploy=False, policy=None, cancel_after=None, **options):
    async def main():
        goals = dict.fromkeys(ids, Goal(request=undeploy))
        task = asyncio.create_task(
            follow_all(client_for(api), goals, policy or WaitPolicy(), wait=wait, **options),
        )
        if cancel_after is not None:
            await asyncio.sleep(cancel_after)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()  # it may come twice
        return await task

    return simulate(main)


def test_all_are_waited_for_at_once():
    """A hundred models of two seconds take little longer than one."""
    outcomes, took = learn(Api(), [f"2-{n}" for n in range(100)])

    assert 100 == sum(outcome.known.reached for outcome in outcomes.values())
    assert took < 3


def test_one_models_error_never_stops_the_others():
    outcomes, _ = learn(Api(), ["missing", "fails", "5-a", "9999-never"], policy=WaitPolicy(timeout=60))

    assert ModelNotFoundError is type(outcomes["missing"].error)
    assert ("FAILED", False) == (outcomes["fails"].known.status, outcomes["fails"].known.reached)
    assert outcomes["5-a"].known.reached
    assert WaitTimeoutError is type(outcomes["9999-never"].error)
    assert "PENDING" == outcomes["9999-never"].known.status


def test_whoever_is_late_is_polled_first():
    """With one slot's worth of work for a hundred, no model waits two rounds while another gets three."""
    api = Api(latency=0.2)
    learn(api, [f"30-{n}" for n in range(100)])
    polls = [sum(path.split("/")[5] == f"30-{n}" for _, _, path in api.requests) for n in range(100)]

    assert max(polls) - min(polls) <= 2


def test_poll_once_polls_each_model_once():
    api = Api()
    outcomes, _ = learn(api, ["0-a", "9-b"], wait=False)

    assert ("COMPLETED", "PENDING") == (outcomes["0-a"].known.status, outcomes["9-b"].known.status)
    assert 2 == len(api.requests)


def test_a_delete_leaves_after_one_poll():
    api = Api()
    learn(api, ["0-a"], undeploy=True)

    assert ["GET", "DELETE"] == api.methods[:2]


def test_the_live_line_counts_and_grows_rarer():
    told = Told()
    learn(Api(), ["1-a", "9-b", "fails"], reporter=told)

    assert "0 of 3 undeployed · 1 failed · 2 pending · 0.5s" == told.said[0]
    assert "1 of 3 undeployed · 1 failed · 1 pending · 1s" == told.said[1]
    assert re.fullmatch(r"2 of 3 undeployed · 1 failed · 9\.?\d*s", told.said[-1])
    assert len(told.said) <= 4


def test_the_live_line_counts_those_that_were_undeployed_before():
    told = Told()
    learn(Api(), ["1-a"], reporter=told, before=4)

    assert "4 of 5 undeployed · 1 pending · 0.5s" == told.said[0]


def test_the_live_line_of_a_fleet_says_that_nothing_answers_any_more():
    """It would look healthy otherwise."""
    told = Told()
    learn(ScriptedApi("PENDING", 500), ["a"], reporter=told, policy=WaitPolicy(timeout=60))

    assert not told.said[0].startswith("no response")
    assert re.fullmatch(
        r"no response for \d+s · 0 of 1 undeployed · 1 pending · \d+s · 500 Internal Server Error", told.said[-2]
    )


def test_a_long_wait_for_a_fleet_is_a_line_every_half_minute():
    """However many models end in it."""
    told = Told()
    policy = WaitPolicy(timeout=4000, longest_pause=20)
    learn(Api(), [f"{10 * n}-m" for n in range(120)], reporter=told, policy=policy)

    assert 35 <= len(told.said) <= 60


def test_the_live_line_of_a_fleet_without_any_response_says_why():
    """Once one of its requests is answered, the error of another is no more than that."""
    told = Told()
    learn(ScriptedApi(*[500] * 4, "PENDING", *[500] * 5, "COMPLETED"), ["a", "b"], reporter=told)

    assert [
        "no response yet · 0 of 2 undeployed · 2 pending · 0.5s · 500 Internal Server Error",
        "0 of 2 undeployed · 2 pending · 1s",
    ] == told.said[:2]


def test_a_fleet_that_is_over_at_the_first_poll_needs_no_line():
    told = Told()
    learn(Api(), ["0-a"], reporter=told)

    assert [] == told.said


def test_a_cancelled_fleet_tells_what_it_learnt():
    told = Told()
    outcomes, took = learn(Api(), ["1-a", "99-b"], cancel_after=5, reporter=told)

    assert outcomes["1-a"].known.reached
    assert WaitInterruptedError is type(outcomes["99-b"].error)
    assert "PENDING" == outcomes["99-b"].known.status
    assert 5 == pytest.approx(took)
    assert "failed" not in told.said[-1]


def test_a_mistake_of_ours_is_its_models_outcome_with_its_traceback():
    outcomes, _ = learn(ScriptedApi("PENDING", ZeroDivisionError("ours"), "COMPLETED"), ["m"])
    error = outcomes["m"].error

    assert UnforeseenError is type(error)
    assert "Model m: a bug in nugen-pulumi: ZeroDivisionError: ours." == str(error.reason)
    assert "PENDING" == outcomes["m"].known.status
    assert "in handle_async_request" in error.traceback


def test_of_a_mistake_of_ours_that_says_much_the_beginning_and_the_end_of_its_traceback_are_kept():
    outcomes, _ = learn(ScriptedApi(ZeroDivisionError("x" * 9000 + "end")), ["m"])
    error = outcomes["m"].error

    assert f"Model m: a bug in nugen-pulumi: ZeroDivisionError: {'x' * 180}…." == str(error.reason)
    assert "x" * 7996 + "end\n" == error.traceback


def test_a_mistake_of_ours_in_what_is_recorded_is_an_outcome_too(monkeypatch):
    def entry(_status, _direction):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(TaskStatus, "record", entry)
    outcomes, _ = learn(ScriptedApi("COMPLETED"), ["m"])

    assert (None, UnforeseenError) == (outcomes["m"].known, type(outcomes["m"].error))


@pytest.mark.parametrize(("models", "kept"), [(40, True), (41, False)])
def test_all_results_of_a_fleet_together_are_never_more_than_4_mib(models, kept):
    """Neither in memory nor in state; the statuses are all there."""
    result = {"log": "x" * 104_000}
    outcomes, _ = learn(ScriptedApi(body("COMPLETED", result=result)), [f"m-{n}" for n in range(models)])

    assert models == sum(outcome.known.reached for outcome in outcomes.values())
    assert all((outcome.known.result == result) is kept for outcome in outcomes.values())


def test_the_live_line_counts_from_the_beginning_of_the_fleet():
    """The loop's time goes on: other fleets came before."""
    told = Told()

    async def main():
        await asyncio.sleep(1000)
        goals = dict.fromkeys(["1001-a", "1009-b"], ONLY_POLL)
        await follow_all(client_for(Api()), goals, WaitPolicy(), wait=True, reporter=told)

    simulate(main)

    assert "0 of 2 undeployed · 2 pending · 0.5s" == told.said[0]
    assert told.said[1].startswith("1 of 2 undeployed · 1 pending · 1")
