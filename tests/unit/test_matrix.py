"""Each kind of fault at every moment of a wait, in both directions and simulated time: nothing is lost or leaks."""

import httpcore
import httpx
import pytest
from harness.api import ScriptedApi, client_for
from harness.simulated import simulate

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.errors import RejectedError, UnavailableError, WaitTimeoutError
from nugen_pulumi.waiting.model_wait import ModelWait
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.task_state import Goal

KEY = "key-for-tests"

# Which fault has which of these meanings is told over real HTTP, in tests/http/test_faults.py.
REFUSALS = {"429": httpx.Response(429, json={"detail": "Too Many Requests"}), "503": 503}
PASSING = {
    **REFUSALS,
    "500": 500,
    "page": httpx.Response(200, text="<html>"),
    "no status": httpx.Response(200, json={"model_id": "m"}),
    "204": httpx.Response(204),
    "hang": (86_400.0, "PENDING"),
    "reset": httpcore.ReadError("[Errno 104] Connection reset by peer"),
    "connection refused": httpcore.ConnectError("[Errno 111] Connection refused"),
    "proxy": httpcore.ProxyError("407 Proxy Authentication Required"),
}
# What somebody else says: waited out once the API has answered.
OF_GATEWAYS = {
    "302": httpx.Response(302, headers={"Location": "https://elsewhere.invalid"}),
    "405": 405,
    "403 page": httpx.Response(403, html="<title>Just a moment...</title>"),
    "404 of a backend": httpx.Response(404, text="default backend - 404"),
}
LASTING = {
    "400": httpx.Response(400, json={"detail": "Bad request"}),
    "404-model": httpx.Response(404, json={"detail": "Model not found"}),
    "404-route": httpx.Response(404, json={"detail": "Not Found"}),
    "429-quota": httpx.Response(429, json={"detail": "Quota limit reached."}),
    "403 that quotes the key": httpx.Response(403, json={"detail": f"Could not validate {KEY}"}),
    "422 that steers a terminal": httpx.Response(
        422, json={"detail": [{"loc": ["path"], "msg": "\x1b[31mbad\x1b[0m"}]}
    ),
}

# An earlier task that ended otherwise.
REST = httpx.Response(200, json={"model_id": "m", "status": "FAILED", "result": {"error": "GPU on fire"}})
ACCEPTED = httpx.Response(200, json="m")
# What is answered before the fault, after it, and whether the wait begins with a request.
MOMENTS = {
    "first poll": ([], ["PENDING", "COMPLETED"], False),
    "middle": (["PENDING"] * 5, ["PENDING", "COMPLETED"], False),
    "twice": (["PENDING"], ["COMPLETED"], False),
    "poll before the request": ([], [REST, ACCEPTED, "PENDING", "COMPLETED"], True),
    "request itself": ([REST], ["PENDING", "COMPLETED"], True),
    "after the request": ([REST, ACCEPTED], ["PENDING", "COMPLETED"], True),
}
BEFORE_ANY_ANSWER = [moment for moment, (before, _, _) in MOMENTS.items() if not before]
ANSWERED = [moment for moment, (before, _, _) in MOMENTS.items() if before]


BOTH = pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY], ids=lambda direction: direction.will)


def wait(script, direction, *, request, timeout=1800.0):
    """Return what became of it, and the traffic."""
    api = ScriptedApi(*script)

    async def main():
        return await ModelWait(client_for(api), "m", WaitPolicy(timeout=timeout), Goal(direction, request)).follow()

    return simulate(main)[0], api


def passes_for_acceptance(fault):
    """Any 2xx accepts a request, whatever its body."""
    return isinstance(PASSING.get(fault), httpx.Response) and PASSING[fault].is_success


@BOTH
@pytest.mark.parametrize(
    ("fault", "moment"),
    [
        *[(f, m) for f in PASSING for m in MOMENTS if not (m == "request itself" and passes_for_acceptance(f))],
        *[(f, m) for f in OF_GATEWAYS for m in ANSWERED],
    ],
)
def test_a_fault_that_may_pass_is_waited_out_at_any_moment(fault, moment, direction):
    before, after, request = MOMENTS[moment]
    faults = [{**PASSING, **OF_GATEWAYS}[fault]] * (2 if moment == "twice" else 1)
    outcome, api = wait([*before, *faults, *after], direction, request=request)

    assert (None, "COMPLETED") == (outcome.error, outcome.known.status)
    not_carried_out = isinstance(faults[0], (httpcore.ConnectError, httpcore.ProxyError)) or fault in REFUSALS
    assert (2 if moment == "request itself" and not_carried_out else 1) * request == api.methods.count(direction.method)


@BOTH
@pytest.mark.parametrize("fault", sorted(set(PASSING) - set(REFUSALS)))
def test_a_fault_of_the_last_poll_leaves_what_was_known(fault, direction):
    """The error names the fault and what was seen before it; nothing is asked after it."""
    outcome, api = wait(["PENDING", PASSING[fault]], direction, request=False, timeout=0.4)

    assert WaitTimeoutError is type(outcome.error)
    assert "PENDING" == outcome.known.status
    assert "Since then there was no usable response; the last error: " in str(outcome.error)
    assert 2 == len(api.requests)


@BOTH
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_does_not_pass_ends_the_wait_and_is_named(fault, direction):
    outcome, _ = wait([PASSING[fault]], direction, request=False)

    assert UnavailableError is type(outcome.error)
    assert outcome.known is None
    assert "he last error: " in str(outcome.error)
    assert str(outcome.error).isprintable()


@BOTH
@pytest.mark.parametrize(
    ("fault", "moment"),
    [
        *[(f, m) for f in LASTING for m in MOMENTS if m != "twice"],
        *[(f, m) for f in OF_GATEWAYS for m in BEFORE_ANY_ANSWER],
    ],
)
def test_a_fault_that_will_not_pass_ends_the_wait_at_once_and_keeps_what_was_learnt(fault, moment, direction):
    before, after, request = MOMENTS[moment]
    # A poll that the API rejects does not prevent the request, which is rejected, too. A wrong route is asked for in
    # the newer family, too.
    times = 1 + (moment == "poll before the request" and fault in LASTING) + (fault == "404-route")
    faults = [{**LASTING, **OF_GATEWAYS}[fault]] * times
    outcome, api = wait([*before, *faults, *after], direction, request=request)
    # What an unknown 400 means the status tells, except for a deployment, which may cost. Right after the request, the
    # status endpoint may not know the model yet.
    requested = moment in ("request itself", "poll before the request")
    if (fault, moment) == ("404-model", "after the request") or (
        fault == "400" and requested and direction is UNDEPLOY
    ):
        assert outcome.error is None
        return

    assert isinstance(outcome.error, RejectedError)
    assert len(before) + len(faults) == len(api.requests)
    assert ("PENDING" if moment in ("middle", "after the request") else None) == (
        outcome.known and outcome.known.status
    )
    assert str(outcome.error).isprintable()
    assert KEY not in str(outcome.error)
