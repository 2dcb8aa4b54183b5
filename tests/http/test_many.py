"""Many waits behind one API that is limited, distant or breaking, over real HTTP. Claims are counts, never times."""

from collections import Counter

import pytest
from harness.api import run

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.emulator import Emulator, faults
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.fleet import follow_all
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import Goal


def undeploy_all(emulator, count, **settings):
    """Undeploy models at once; return what became of them."""
    ids = [f"m-{n}" for n in range(count)]

    async def main():
        client = NugenClient(Settings("k", emulator.url, **settings))
        try:
            return await follow_all(client, dict.fromkeys(ids, Goal(request=True)), WaitPolicy(), wait=True)
        finally:
            await client.aclose()

    return run(main)


def lost(outcomes):
    return [
        str(outcome.error) or outcome.known
        for outcome in outcomes.values()
        if not (outcome.known and outcome.known.reached)
    ]


def deletes(requests):
    return Counter(path for method, path in requests if method == "DELETE")


@pytest.mark.parametrize(("burst", "refuse"), [(1, 429), (100, 503)])
def test_behind_a_limit_nothing_is_lost_and_each_delete_is_carried_out_once(burst, refuse):
    with Emulator(models="any", rate=100, burst=burst, refuse=refuse) as emulator:
        outcomes = undeploy_all(emulator, burst + 100)

        assert [] == lost(outcomes)
        assert [1] * (burst + 100) == list(deletes(emulator.requests).values())


def test_at_a_distance_nothing_is_lost():
    with Emulator(models="any", latency=0.2) as emulator:
        assert [] == lost(undeploy_all(emulator, 200))
        assert {1} == set(deletes(emulator.requests).values())


def test_no_delete_is_sent_over_a_connection_that_the_server_may_be_about_to_close():
    with Emulator(models="any", drop_used=True, undeploy_seconds=0.2) as emulator:
        assert [] == lost(undeploy_all(emulator, 100))
        assert {1} == set(deletes(emulator.requests).values())
        assert {} == deletes(emulator.stopped)
        assert [] != emulator.stopped, "polls do meet such connections"


def test_a_response_that_was_sent_twice_is_nobodys_else():
    """Half of the models fail: no response is taken for that to another request."""
    with Emulator(models="any", faults=[faults.twice()] * 3) as emulator:
        for n in range(0, 100, 2):
            emulator.add(f"m-{n}", fails="GPU on fire.")
        outcomes = undeploy_all(emulator, 100)

    assert [n % 2 == 1 for n in range(100)] == [outcomes[f"m-{n}"].known.reached for n in range(100)]
    assert {None} == {outcome.error for outcome in outcomes.values()}
