"""Every fault at every moment of a wait, in simulated time: nothing is lost and nothing leaks."""

import gzip

import httpx
import pytest
from harness.api import ScriptedApi, client_for
from harness.simulated import simulate

from nugen_pulumi.errors import NugenError, RejectedError, UnavailableError, WaitTimeoutError
from nugen_pulumi.undeployment import Undeployment
from nugen_pulumi.waiter import WaitPolicy

KEY = "key-for-tests"


def html(status, title):
    return httpx.Response(status, html=f"<!DOCTYPE html><html><head><title>{title}</title></head></html>")


def detail(status, text, **headers):
    return httpx.Response(status, json={"detail": text}, headers=headers)


def packed(content):
    """Return a 200 that says it is gzip; httpx would unpack it if it were given the body at once."""
    response = httpx.Response(200, content=content)
    response.headers["content-encoding"] = "gzip"
    return response


PASSING = {
    "408": 408,
    "425": 425,
    "429 with Retry-After": detail(429, "Quota limit reached.", **{"Retry-After": "3"}),
    "429 with a date": detail(429, "slow down", **{"Retry-After": "Thu, 01 Jan 1970 00:00:01 GMT"}),
    "500": 500,
    "502 HTML": html(502, "502 Bad Gateway"),
    "503": 503,
    "503 with Retry-After": detail(503, "busy", **{"Retry-After": "7"}),
    "504 HTML": html(504, "504 Gateway Time-out"),
    "522": 522,
    "530": 530,
    "400 of the server's own": detail(400, "Internal server error "),
    "HTML with 200": html(200, "Maintenance"),
    "empty": httpx.Response(200),
    "204": httpx.Response(204),
    "garbage": httpx.Response(200, content=bytes(range(256))),
    "half JSON": httpx.Response(200, content=b'{"model_id":"m","status":"COMPL'),
    "JSON of another shape": httpx.Response(200, json=["COMPLETED"]),
    "no status": httpx.Response(200, json={"model_id": "m"}),
    "gigantic": httpx.Response(200, content=b" " * 2**21),
    "bomb": packed(gzip.compress(b" " * 2**24)),
    "false gzip": packed(b"not gzip"),
    "connection refused": httpx.ConnectError("[Errno 111] Connection refused"),
    "unresolvable": httpx.ConnectError("[Errno -2] Name or service not known"),
    "reset": httpx.ReadError("[Errno 104] Connection reset by peer"),
    "dropped": httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "half a body": httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    "proxy": httpx.ProxyError("407 Proxy Authentication Required"),
    "hang": (86_400, "COMPLETED"),
}

REFUSALS = {"429 with Retry-After", "429 with a date", "503", "503 with Retry-After"}

LASTING = {
    "400": detail(400, "Bad request"),
    "401": detail(401, "Not authenticated"),
    "403": detail(403, f"Could not validate {KEY}"),
    "404 route": detail(404, "Not Found"),
    "404 model": detail(404, "Model not found"),
    "405": 405,
    "422": detail(422, [{"loc": ["path", "model_id"], "msg": "\x1b[31mbad\x1b[0m"}]),
    "429 quota": detail(429, "Quota limit reached. Please add credits to your account to continue using the API."),
    "301": httpx.Response(301, headers={"location": "https://evil.test/"}),
    "302": httpx.Response(302, headers={"location": "//evil.test"}),
    "307": httpx.Response(307, headers={"location": "/login"}),
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
            return await Undeployment(client_for(api), "m", WaitPolicy(timeout=timeout)).follow(undeploy=undeploy)
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


@pytest.mark.parametrize("fault", sorted(set(PASSING) - REFUSALS))
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
    assert "The last error: " in str(outcome)
    assert str(outcome).isprintable()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_will_not_pass_ends_the_wait_at_once_and_keeps_what_was_learnt(fault, moment):
    before, after, undeploy = MOMENTS[moment]
    outcome, api = wait([*before, LASTING[fault], *after], undeploy=undeploy)
    if (fault, moment) in {("400", "DELETE itself"), ("404 model", "after DELETE")}:
        assert "COMPLETED" == outcome.status, "nothing to undeploy, or not known yet: the status tells"
        return

    assert isinstance(outcome, RejectedError)
    assert len(before) + 1 == len(api.requests)
    assert ("PENDING" if before else None) == getattr(outcome.last_known, "status", None)
    assert str(outcome).isprintable()
    assert KEY not in str(outcome)
