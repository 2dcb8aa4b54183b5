"""Threads wait, one loop works."""

import asyncio
import concurrent.futures
import threading
from contextlib import suppress

import httpx
import pytest
from harness.api import SETTINGS, ScriptedApi, Told

from nugen_pulumi.errors import RejectedError, WaitInterruptedError
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.runtime import Runtime, shared_runtime
from nugen_pulumi.waiting.task_state import Goal

QUICK = WaitPolicy(longest_pause=0.01)


@pytest.fixture
def runtime(request):
    """A runtime over a scripted API."""
    runtime = Runtime(SETTINGS, transport=ScriptedApi(*request.param))
    yield runtime
    runtime.close()


@pytest.mark.parametrize("runtime", [("FAILED", 200, "PENDING")], indirect=True)
def test_a_thread_polls_once(runtime):
    assert "PENDING" == runtime.follow("m", goal=Goal(request=True), once=True).status().status


@pytest.mark.parametrize("runtime", [(403,)], indirect=True)
def test_errors_reach_the_thread_that_asked(runtime):
    assert isinstance(runtime.follow("m", QUICK).error, RejectedError)


@pytest.mark.parametrize("runtime", [((0.05, "COMPLETED"),)], indirect=True)
def test_all_threads_share_one_loop(runtime):
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(runtime.follow("m", once=True))) for _ in range(30)]
    before = set(threading.enumerate())
    for thread in threads:
        thread.start()
    assert set() == set(threading.enumerate()) - before - set(threads)
    for thread in threads:
        thread.join()

    assert 30 == len(seen)


@pytest.mark.parametrize("runtime", [("PENDING",)], indirect=True)
def test_an_interrupt_ends_all_work_and_no_more_is_taken(runtime):
    """It may come twice."""
    ends = []

    def wait():
        ends.append(runtime.follow("m", QUICK).error)

    threads = [threading.Thread(target=wait) for _ in range(10)]
    for thread in threads:
        thread.start()
    runtime.follow("m", once=True)
    runtime.interrupt()
    runtime.interrupt()
    for thread in threads:
        thread.join()

    assert [WaitInterruptedError] * 10 == [type(error) for error in ends]
    with pytest.raises(WaitInterruptedError, match="Not started"):
        runtime.follow("m", once=True)


def test_a_cancellation_that_a_library_loses_comes_again():
    class Deaf(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            asked.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await asyncio.sleep(60)

    asked, ends, runtime = threading.Event(), [], Runtime(SETTINGS, transport=Deaf())
    thread = threading.Thread(target=lambda: ends.append(runtime.follow("m").error))
    thread.start()
    asked.wait()
    runtime.interrupt()
    thread.join()
    runtime.close()

    assert [WaitInterruptedError] == [type(error) for error in ends]


@pytest.mark.parametrize("runtime", [("PENDING", "COMPLETED")], indirect=True)
def test_a_thread_waits_until_the_end_and_is_told_how_it_stands(runtime):
    told = Told()

    assert "COMPLETED" == runtime.follow("m", QUICK, reporter=told).status().status
    assert ["PENDING", "COMPLETED"] == [line.split(" · ")[0] for line in told.said]


@pytest.mark.parametrize("runtime", [((0.05, "COMPLETED"),)], indirect=True)
def test_only_a_main_thread_blocks_in_steps(runtime, monkeypatch):
    """On Windows Ctrl-C is noticed between two of them; a provider's many threads would only wake up for nothing."""
    steps, wait = [], concurrent.futures.wait

    def wait_briefly(work, step):
        steps.append(step)
        return wait(work, step and step / 1000)

    monkeypatch.setattr("concurrent.futures.wait", wait_briefly)
    runtime.follow("m", once=True)
    thread = threading.Thread(target=runtime.follow, args=("m",))
    thread.start()
    thread.join()

    assert {1.0} == set(steps[:-1])
    assert 2 < len(steps)
    assert None is steps[-1]


@pytest.mark.usefixtures("shared")
def test_a_new_runtime_is_announced_once():
    made = []
    for _ in range(2):
        shared_runtime(Settings("c", "http://127.0.0.1:1"), made.append)

    assert 1 == len(made)


@pytest.mark.usefixtures("shared")
def test_a_process_has_one_runtime_for_the_same_settings():
    first = shared_runtime(Settings("a", "http://127.0.0.1:1"))

    assert first is shared_runtime(Settings("a", "http://127.0.0.1:1"))
    assert first is not shared_runtime(Settings("b", "http://127.0.0.1:1"))
