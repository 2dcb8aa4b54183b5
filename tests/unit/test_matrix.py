"""Every fault at every moment of a wait, in simulated time: nothing is lost and nothing leaks."""

import httpx
import pytest
from harness.api import ScriptedApi, client_for
from harness.faults import MEANINGS, PERMANENT, REFUSED, TRANSIENT, without_a_socket
from harness.simulated import simulate

from nugen_pulumi.errors import NugenError, RejectedError, UnavailableError, WaitTimeoutError
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task import Task

KEY = "key-for-tests"

# What no emulator can do.
BEYOND = {
    "204": httpx.Response(204),
    "no status": httpx.Response(200, json={"model_id": "m"}),
    "connection refused": httpx.ConnectError("[Errno 111] Connection refused"),
    "unresolvable": httpx.ConnectError("[Errno -2] Name or service not known"),
    "proxy": httpx.ProxyError("407 Proxy Authentication Required"),
}


def named(*meanings):
    return {name: without_a_socket(name) for name, meaning in MEANINGS.items() if meaning in meanings}


REFUSALS = named(REFUSED)
PASSING = {**named(TRANSIENT, REFUSED), **BEYOND}
LASTING = {
    **named(PERMANENT),
    "405": 405,
    "403 that quotes the key": httpx.Response(403, json={"detail": f"Could not validate {KEY}"}),
    "422 that steers a terminal": httpx.Response(
        422, json={"detail": [{"loc": ["path"], "msg": "\x1b[31mbad\x1b[0m"}]}
    ),
}

ACCEPTED = httpx.Response(200, json="m")
# What is answered before the fault, after it, and whether the wait begins with a DELETE.
MOMENTS = {
    "first poll": ([], ["PENDING", "COMPLETED"], False),
    "middle": (["PENDING"] * 5, ["PENDING", "COMPLETED"], False),
    "twice": (["PENDING"], ["COMPLETED"], False),
    "after DELETE": ([ACCEPTED], ["PENDING", "COMPLETED"], True),
    "DELETE itself": ([], ["PENDING", "COMPLETED"], True),
}


def wait(script, *, undeploy, timeout=1800.0):
    """Return what came of it, be it a status or an error, and the traffic."""
    api = ScriptedApi(*script)

    async def main():
        try:
            return await Task(client_for(api), "m", WaitPolicy(timeout=timeout)).follow(request=undeploy)
        except NugenError as exc:
            return exc

    return simulate(main)[0], api


def passes_for_acceptance(fault):
    """Any 2xx accepts a DELETE, whatever its body."""
    return isinstance(PASSING[fault], httpx.Response) and PASSING[fault].is_success


@pytest.mark.parametrize(
    ("fault", "moment"),
    [(f, m) for f in PASSING for m in MOMENTS if not (m == "DELETE itself" and passes_for_acceptance(f))],
)
def test_a_fault_that_may_pass_is_waited_out_at_any_moment(fault, moment):
    before, after, undeploy = MOMENTS[moment]
    faults = [PASSING[fault]] * (2 if moment == "twice" else 1)
    outcome, api = wait([*before, *faults, *after], undeploy=undeploy)

    assert "COMPLETED" == getattr(outcome, "status", outcome)
    not_carried_out = isinstance(PASSING[fault], (httpx.ConnectError, httpx.ProxyError)) or fault in REFUSALS
    assert (2 if moment == "DELETE itself" and not_carried_out else 1) * undeploy == api.methods.count("DELETE")


@pytest.mark.parametrize("fault", sorted(set(PASSING) - set(REFUSALS)))
def test_a_fault_of_the_last_poll_leaves_what_was_known(fault):
    """The error names the fault and what was seen before it; nothing is asked after it."""
    outcome, api = wait(["PENDING", PASSING[fault]], undeploy=False, timeout=0.4)

    assert WaitTimeoutError is type(outcome)
    assert "PENDING" == outcome.last_known.status
    assert "Since then there was no usable response; the last error: " in str(outcome)
    assert 2 == len(api.requests)


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_does_not_pass_ends_the_wait_and_is_named(fault):
    outcome, _ = wait([PASSING[fault]], undeploy=False)

    assert UnavailableError is type(outcome)
    assert outcome.last_known is None
    assert "he last error: " in str(outcome)
    assert str(outcome).isprintable()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_will_not_pass_ends_the_wait_at_once_and_keeps_what_was_learnt(fault, moment):
    before, after, undeploy = MOMENTS[moment]
    # A wrong route is asked for in the newer family, too.
    faults = [LASTING[fault]] * (2 if fault == "404-route" else 1)
    outcome, api = wait([*before, *faults, *after], undeploy=undeploy)
    if (fault, moment) in {("400", "DELETE itself"), ("404-model", "after DELETE")}:
        assert "COMPLETED" == outcome.status, "nothing to undeploy, or not known yet: the status tells"
        return

    assert isinstance(outcome, RejectedError)
    assert len(before) + len(faults) == len(api.requests)
    assert ("PENDING" if before else None) == getattr(outcome.last_known, "status", None)
    assert str(outcome).isprintable()
    assert KEY not in str(outcome)
