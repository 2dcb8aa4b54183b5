"""Each fault over real HTTP means what the one table says."""

import asyncio

import pytest
from harness import KEY
from harness.api import run
from harness.faults import MEANINGS, Meaning

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.emulator import Emulator
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.errors import NugenError, RejectedError
from nugen_pulumi.http.sender import RequestOptions
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.polling import WaitPolicy


def test_each_fault_is_in_the_table():
    assert set(FAULTS) - {"flapping"} == set(MEANINGS)


@pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY], ids=lambda direction: direction.will)
@pytest.mark.parametrize("fault", MEANINGS)
def test_a_fault_means_what_the_table_says(emulator, fault, direction):
    assert MEANINGS[fault] is meaning(emulator, fault, direction)


@pytest.mark.usefixtures("_trusted")
def test_what_tls_cannot_decrypt_is_waited_out_too(tls):
    with Emulator(api_key=KEY, tls=tls) as emulator:
        assert Meaning.TRANSIENT is meaning(emulator, "damaged", UNDEPLOY)


def meaning(emulator, fault, direction):
    """Return what a fault is to polls, of which the next one is answered as ever."""
    script = emulator.script if direction is UNDEPLOY else emulator.script_deploy_status
    script("m", FAULTS[fault](), "COMPLETED")
    refusals = []
    never = fault in ("hang", "drip")

    async def main():
        client = NugenClient(Settings(KEY, emulator.url, request_timeout=1.0 if never else 30.0))
        options, outcomes = RequestOptions(on_refusal=refusals.append), []
        while len(outcomes) < 2 and len(emulator.requests) < 2 + (fault == "404-route"):
            # A wrong route makes the process try the newer paths, once.
            outcomes += await asyncio.gather(
                client.status("m", direction=direction, within=60, options=options), return_exceptions=True
            )
            if MEANINGS[fault] is Meaning.NONE:
                # As between two polls. A second copy that comes later than the next request would be its response.
                await asyncio.sleep(WaitPolicy.shortest_pause)
        await client.aclose()
        return outcomes

    outcomes = run(main)
    assert "COMPLETED" == outcomes[-1].status
    if refusals:
        return Meaning.REFUSED
    if not isinstance(outcomes[0], NugenError):
        return Meaning.NONE
    return Meaning.PERMANENT if isinstance(outcomes[0], RejectedError) else Meaning.TRANSIENT
