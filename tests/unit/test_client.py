"""The table of outcomes, and what goes out."""

import asyncio
import ssl
from contextlib import suppress

import httpx
import pytest
from harness.api import SETTINGS, ScriptedApi, body, client_for
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.errors import ModelNotFoundError, NugenError, RejectedError, UnavailableError
from nugen_pulumi.inputs import model_id_problem
from nugen_pulumi.models import UndeployStatus
from nugen_pulumi.settings import Settings


def ask(answer, *, method="status", model_id="m", within=100.0, settings=SETTINGS):
    """Return what the client makes of *answer*, be it a value or an error."""
    api = answer if isinstance(answer, ScriptedApi) else ScriptedApi(answer)

    async def main():
        client = client_for(api, settings)
        try:
            return await getattr(client, method)(model_id, within=within)
        except NugenError as exc:
            return exc
        finally:
            await client.aclose()

    return simulate(main)[0]


def answer(status, detail=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"detail": detail} if detail else None, headers=headers)


PASSING = [
    (408, "408 Request Timeout"),
    (425, "425 Too Early"),
    (500, "500 Internal Server Error"),
    (502, "502 Bad Gateway"),
    (503, "503 Service Unavailable"),
    (504, "504 Gateway Timeout"),
    (522, "522"),
    (530, "530"),
    (answer(400, "Internal server error "), "400: Internal server error"),
    (answer(429), "429 Too Many Requests"),
    (answer(429, "slow down"), "429: slow down"),
    (answer(429, "Quota limit reached.", Retry_After="5"), "429: Quota limit reached."),
    (httpx.Response(200), "a 200 answer that cannot be read (it is not JSON: empty)"),
    (httpx.Response(204), "a 204 answer that cannot be read (it is not JSON: empty)"),
    (httpx.Response(200, text="<html><title>Hi</title>"), "a 200 answer that cannot be read (it is not JSON: Hi)"),
    (httpx.Response(200, json=[]), "a 200 answer that cannot be read (it is no JSON object)"),
    (httpx.Response(200, json={"model_id": "m"}), "a 200 answer that cannot be read (its status is not as documented)"),
    (
        httpx.Response(200, content=b'{"model_id":"m","status":"PEN'),
        "a 200 answer that cannot be read (it is not JSON: {",
    ),
    (
        httpx.Response(200, headers={"content-encoding": "br"}, content=b""),
        "a body in an encoding nobody asked for (br)",
    ),
    (httpx.ReadError("reset"), "the connection to https://api.test (from nugen:baseUrl) broke: reset"),
    (
        httpx.RemoteProtocolError(""),
        "the connection to https://api.test (from nugen:baseUrl) broke: RemoteProtocolError",
    ),
    (httpx.ConnectError("refused"), "cannot connect to https://api.test (from nugen:baseUrl): refused"),
    (httpx.ProxyError("407"), "cannot connect to https://api.test (from nugen:baseUrl): 407"),
]

LASTING = [
    (answer(400, "Bad request"), RejectedError, "Model m: the Nugen API refuses the request (400 Bad Request)."),
    (answer(401, "Not authenticated"), RejectedError, "does not accept the API key (401: Not authenticated): check"),
    (
        answer(403, "Could not validate credentials."),
        RejectedError,
        "(403: Could not validate credentials.): check nugen",
    ),
    (answer(404, "Model not found"), ModelNotFoundError, "knows no such model, or it belongs to another account"),
    (answer(404, "model not found."), ModelNotFoundError, "knows no such model, or it belongs to another account"),
    (
        answer(404, "Not Found"),
        RejectedError,
        "https://api.test has no such endpoint (404 Not Found): check the base URL",
    ),
    (httpx.Response(404, text="<html><title>404 - Model not found"), RejectedError, "has no such endpoint"),
    (answer(405), RejectedError, "refuses the request (405 Method Not Allowed)"),
    (answer(422, [{"loc": ["path"], "msg": "bad"}]), RejectedError, "does not accept this model id (422: path: bad)"),
    (
        answer(429, "Quota limit reached. Please add credits"),
        RejectedError,
        "the Nugen account has run out (429: Quota",
    ),
    (
        answer(301, location="https://evil.test/x"),
        RejectedError,
        "redirects to evil.test (301), which is never followed",
    ),
    (answer(307, location="/elsewhere"), RejectedError, "redirects to another path (307)"),
    (answer(302, location="https://[zz"), RejectedError, "redirects to what is no URL (302)"),
    (answer(304), RejectedError, "redirects to another path (304)"),
]


@pytest.mark.parametrize(("given", "says"), PASSING)
@pytest.mark.parametrize("method", ["status", "undeploy"])
def test_trouble_that_may_pass(method, given, says):
    outcome = ask(given, method=method)
    if (
        method == "undeploy"
        and isinstance(given, httpx.Response)
        and given.status_code < 300
        and "encoding" not in says
    ):
        assert outcome is True, "any 2xx accepts a DELETE"
        return

    assert UnavailableError is type(outcome)
    assert str(outcome).startswith(says)
    assert ("cannot connect" not in says) == outcome.sent


@pytest.mark.parametrize(("given", "kind", "says"), LASTING)
@pytest.mark.parametrize("method", ["status", "undeploy"])
def test_trouble_that_will_not_pass(method, given, kind, says):
    outcome = ask(given, method=method)
    if method == "undeploy" and given.status_code == 400:
        assert outcome is False, "there is nothing to undeploy, or an undeployment runs already"
        return

    assert kind is type(outcome)
    assert says in str(outcome)


def test_retry_after_travels_with_the_error():
    assert 5.0 == ask(answer(503, Retry_After="5")).retry_after


def test_a_certificate_that_is_not_trusted_is_named_at_once():
    error = httpx.ConnectError("failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    outcome = ask(error)

    assert RejectedError is type(outcome)
    assert "SSL_CERT_FILE" in str(outcome)


def test_every_transport_error_of_httpx_becomes_one_of_ours():
    """So that a new one cannot reach the operator as a traceback."""
    kinds, todo = [], [httpx.TransportError]
    while todo:
        kinds.append(todo.pop())
        todo += kinds[-1].__subclasses__()

    assert len(kinds) > 10
    assert [UnavailableError] * len(kinds) == [type(ask(kind("x"))) for kind in kinds]


def test_an_exchange_is_cut_at_the_request_timeout():
    outcome = ask((31, "COMPLETED"))

    assert ("no complete answer within 30s", True) == (str(outcome), outcome.sent)


def test_an_exchange_is_cut_when_the_time_for_it_is_over():
    assert "no complete answer within 4s" == str(ask((5, "COMPLETED"), within=4))


def test_a_body_that_drips_is_cut_like_any_other():
    """The bound is on the whole, not on each read."""

    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                await asyncio.sleep(1)
                yield b" "

    class Api(ScriptedApi):
        async def handle_async_request(self, request):
            return httpx.Response(200, stream=Dripping())

    assert "no complete answer within 30s" == str(ask(Api()))


def test_time_in_the_queue_does_not_count_as_the_exchange():
    """Each of the two takes 20 of the 30 seconds; the second is sent after 20."""
    settings = Settings("k", "https://api.test", max_concurrent_requests=1)

    async def main():
        client = client_for(ScriptedApi((20, "COMPLETED")), settings)
        return await asyncio.gather(*(client.status("m", within=100) for _ in range(2)))

    statuses, took = simulate(main)

    assert (2, 40) == (len(statuses), took)


def test_who_asks_again_queues_behind_those_who_wait():
    """He had the only connection, and asks before the next in the queue could take it."""
    settings = Settings("k", "https://api.test", max_concurrent_requests=1)
    api = ScriptedApi((20, "COMPLETED"))

    async def main():
        client = client_for(api, settings)

        async def one(*model_ids):
            for model_id in model_ids:
                await client.status(model_id, within=100)

        await asyncio.gather(one("first", "again"), one("queues"))

    simulate(main)

    assert ["first", "queues", "again"] == [path.split("/")[-2] for _, _, path in api.requests]


def test_a_queue_that_does_not_move_is_named():
    settings = Settings("k", "https://api.test", max_concurrent_requests=1)

    async def main():
        client = client_for(ScriptedApi((20, "COMPLETED")), settings)
        return await asyncio.gather(*(client.status("m", within=10 + 90 * i) for i in (1, 0)), return_exceptions=True)

    (_, error), _ = simulate(main)

    assert "no turn (see nugen:maxConcurrentRequests) within 10s" == str(error)
    assert not error.sent


def test_overload_slows_down_all_waits_of_the_process():
    """One request is refused with Retry-After: the next one, for another model, is sent when that has passed."""
    api = ScriptedApi(answer(503, Retry_After="9"), "PENDING")

    async def main():
        client = client_for(api)
        with pytest.raises(UnavailableError):
            await client.status("a", within=100)
        await client.status("b", within=100)

    simulate(main)

    assert [0, 9] == api.times


def test_overload_holds_nobody_back_longer_than_allowed():
    """A last look leaves at the deadline, however much the API wishes to be left alone."""
    api = ScriptedApi(answer(503, Retry_After="60"), "PENDING")

    async def main():
        client = client_for(api)
        with pytest.raises(UnavailableError):
            await client.status("a", within=100)
        await client.status("b", within=5, hold=2)

    simulate(main)

    assert [0, 2] == api.times


def test_the_brake_holds_those_who_were_already_queueing():
    """100 waits meet an API that answers only 503: a hundred requests or two a minute, not a thousand."""
    api = ScriptedApi((0.2, 503))

    async def one(client):
        while True:
            with suppress(UnavailableError):
                await client.status("m", within=1000)

    async def main():
        client = client_for(api)
        tasks = [asyncio.create_task(one(client)) for _ in range(100)]
        await asyncio.sleep(120)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    simulate(main)

    assert 16 * 5 < len(api.requests) < 16 * 15


@pytest.mark.parametrize("location", ["https:foo", "mailto:x", "http://[zz", "https://xn--a/", "/ok"])
def test_no_redirect_is_too_strange_for_a_sentence(location):
    """Httpx reads the target even when it does not follow it."""
    outcome = ask(httpx.Response(307, headers={"location": location}))

    assert RejectedError is type(outcome)
    assert "https://api.test redirects to " in str(outcome)


def test_a_key_that_the_api_quotes_back_is_taken_out():
    key = "quoted-back-by-the-api"
    settings = Settings(key, "https://api.test")
    error = ask(answer(403, f"Key {key} is unknown"), settings=settings)
    status = ask(body("COMPLETED", result={"key": key}), settings=settings)

    assert "(403: Key [API key] is unknown)" in str(error)
    assert {"key": "[API key]"} == status.result


def test_what_is_sent_is_the_documented_request():
    api, seen = ScriptedApi("PENDING", 200), []

    async def record(request):
        seen.append(request)
        return await ScriptedApi.handle_async_request(api, request)

    api.handle_async_request = record
    ask(api)
    ask(api, method="undeploy")

    assert [
        ("GET", "https://api.test/api/v3/models/undeploy-model/m/status"),
        ("DELETE", "https://api.test/api/v3/models/undeploy-model/m"),
    ] == [(request.method, str(request.url)) for request in seen]
    assert "Bearer key-for-tests" == seen[0].headers["authorization"]
    assert "identity" == seen[0].headers["accept-encoding"]
    assert seen[0].headers["user-agent"].startswith("nugen-pulumi/")


def test_a_gateway_prefix_is_kept():
    api = ScriptedApi("PENDING")
    ask(api, settings=Settings("k", "https://gateway.test/nugen"))

    assert "/nugen/api/v3/models/undeploy-model/m/status" == api.requests[0][2]


@given(st.text(min_size=1, max_size=40).filter(lambda text: model_id_problem(text) is None))
def test_any_accepted_id_is_exactly_one_segment_of_the_path(model_id):
    api = ScriptedApi("PENDING")
    ask(api, model_id=model_id)
    sent = httpx.URL("https://api.test" + api.requests[0][2])

    assert 6 == api.requests[0][2].count("/")
    assert f"/api/v3/models/undeploy-model/{model_id}/status" == sent.path


@given(st.binary(max_size=200) | st.builds(lambda s: body(s).content, st.text(max_size=20)))
def test_no_body_makes_anything_but_a_value_or_one_of_our_errors(content):
    outcome = ask(httpx.Response(200, content=content))

    assert isinstance(outcome, (UndeployStatus, UnavailableError))
