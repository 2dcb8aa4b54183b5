"""The table of outcomes, and what goes out."""

import asyncio
import os
import re

import httpx
import pytest
from harness.api import SETTINGS, ScriptedApi, body, client_for
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi._version import VERSION
from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.api.start_answers import Answer, answer_of
from nugen_pulumi.errors import (
    BadKeyError,
    MisdirectedError,
    ModelNotFoundError,
    NugenError,
    OutageError,
    OverloadedError,
    RejectedError,
    UnavailableError,
)
from nugen_pulumi.http.sender import RequestOptions
from nugen_pulumi.operations.inputs import model_id_problem
from nugen_pulumi.settings import Settings


async def outcome_of(client, method="status", model_id="m", *, direction=UNDEPLOY, within=100.0, longest_outage=300.0):
    """Return what comes of a request, be it a value or an error."""
    try:
        return await getattr(client, method)(
            model_id, direction=direction, within=within, options=RequestOptions(longest_outage)
        )
    except NugenError as exc:
        return exc


def ask(answer, *, settings=SETTINGS, **question):
    """Return what the client makes of *answer*."""
    api = answer if isinstance(answer, ScriptedApi) else ScriptedApi(answer)

    async def main():
        client = client_for(api, settings)
        outcome = await outcome_of(client, **question)
        await client.aclose()
        return outcome

    return simulate(main)[0]


def answer(status, detail=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"detail": detail} if detail else None, headers=headers)


def models_of(api):
    """Return the ids that the requests were about, in their order."""
    return [path.split("/")[-2] for _, _, path in api.requests]


ONE_AT_A_TIME = Settings("k", "https://api.test", max_concurrent_requests=1)

PASSING = [
    (408, "408 Request Timeout"),
    (425, "425 Too Early"),
    (500, "500 Internal Server Error"),
    (502, "502 Bad Gateway"),
    (504, "504 Gateway Timeout"),
    (522, "522"),
    (530, "530"),
    (answer(400, "Internal server error "), "400: Internal server error"),
    (
        httpx.Response(200, text="<html><title>Hi</title>"),
        "an HTML page (Hi) instead of the API's response: check the base URL",
    ),
    (
        httpx.Response(200, headers={"content-encoding": "br"}, content=b""),
        "a body in an encoding that was not requested (br)",
    ),
    (httpx.ReadError("reset"), "connection lost (reset) to https://api.test"),
    (httpx.ConnectError("refused"), "cannot connect (refused) to https://api.test"),
    (httpx.ProxyError("407"), "cannot connect (407) to https://api.test"),
]

UNREADABLE = [
    (httpx.Response(200), "200 response (it is not JSON: empty)"),
    (httpx.Response(204), "204 response (it is not JSON: empty)"),
    (httpx.Response(200, json=[]), "200 response (it is not a JSON object)"),
    (
        httpx.Response(200, json={"model_id": "m"}),
        "200 response (its field status has an unexpected type or is missing)",
    ),
    (httpx.Response(200, content=b'{"model_id":"m","status":"PEN'), "200 response (it is not JSON: {"),
]

REFUSALS = [
    (503, "503 Service Unavailable"),
    (answer(429), "429 Too Many Requests"),
    (answer(429, "slow down"), "429: slow down"),
    (answer(429, "Quota limit reached.", Retry_After="5"), "429: Quota limit reached"),
]

LASTING = [
    (answer(401, "Not authenticated"), BadKeyError, "does not accept the API key (401: Not authenticated): check"),
    (
        answer(403, "Could not validate credentials."),
        BadKeyError,
        "(403: Could not validate credentials): check the one in nugen:apiKey (in the stack config",
    ),
    (answer(404, "Model not found"), ModelNotFoundError, "knows no such model, or it belongs to another account"),
    (answer(404, "model not found."), ModelNotFoundError, "knows no such model, or it belongs to another account"),
    (
        answer(404, "Not Found"),
        RejectedError,
        "https://api.test has no such endpoint (404 Not Found): check the base URL (from nugen:baseUrl).",
    ),
    (httpx.Response(404, text="<html><title>404 - Model not found"), RejectedError, "has no such endpoint"),
    (answer(405), RejectedError, "rejects the request (405 Method Not Allowed)"),
    (answer(422, [{"loc": ["path"], "msg": "bad"}]), RejectedError, "does not accept this model id (422: path: bad)"),
    (
        answer(429, "Quota limit reached. Please add credits"),
        RejectedError,
        "the Nugen account is out of credits (429: Quota",
    ),
    (
        answer(301, location="https://evil.test/x"),
        RejectedError,
        "redirects to evil.test (301). Redirects are not followed",
    ),
    (answer(307, location="/elsewhere"), RejectedError, "redirects to another path (307)"),
    (answer(302, location="https://[zz"), RejectedError, "redirects to an invalid URL (302)"),
    (answer(304), RejectedError, "redirects to another path (304)"),
    (
        answer(300),
        RejectedError,
        (
            "redirects to another path (300). Redirects are not followed, because only the API may receive the API key:"
            " check the base URL (from nugen:baseUrl)."
        ),
    ),
    (answer(301, location="https://" + "a" * 101), RejectedError, f"redirects to {'a' * 99}… (301)"),
]


@pytest.mark.parametrize(("given", "says"), PASSING)
@pytest.mark.parametrize("method", ["status", "start"])
def test_a_transient_error(method, given, says):
    outcome = ask(given, method=method)

    assert UnavailableError is type(outcome)
    assert str(outcome).startswith(says)
    assert ("cannot connect" not in says) == outcome.sent


@pytest.mark.parametrize(("given", "says"), UNREADABLE)
def test_a_success_without_a_status_is_a_transient_error_of_a_poll_and_accepts_a_delete(given, says):
    outcome = ask(given)

    assert UnavailableError is type(outcome)
    assert str(outcome).startswith(f"an unreadable {says}")
    assert Answer.ACCEPTED is ask(given, method="start").answer


@pytest.mark.parametrize(("given", "says"), REFUSALS)
@pytest.mark.parametrize("method", ["status", "start"])
def test_a_refusal_for_overload_is_sent_again_and_was_certainly_not_carried_out(method, given, says):
    """Without one admitted request the longest outage of a poll ends it after half a minute."""
    api = ScriptedApi(given)
    outcome = ask(api, method=method, longest_outage=30.0)

    assert OverloadedError is type(outcome)
    assert says == str(outcome)
    assert not outcome.sent
    assert len(api.requests) > 3


@pytest.mark.parametrize(("given", "kind", "says"), LASTING)
@pytest.mark.parametrize("method", ["status", "start"])
def test_a_permanent_error(method, given, kind, says):
    outcome = ask(given, method=method)

    assert isinstance(outcome, kind)
    assert says in str(outcome)


def test_an_unknown_400_is_an_error_but_of_a_delete():
    """There is nothing to undeploy, or an undeployment runs already. But a model must not count as deployed."""
    unknown = answer(400, "Bad request")

    assert Answer.UNCLEAR is ask(unknown, method="start").answer
    for error in (ask(unknown), ask(unknown, method="start", direction=DEPLOY)):
        assert RejectedError is type(error)
        assert "Model m: the Nugen API rejects the request (400 Bad Request)." == str(error)


def test_retry_after_travels_with_the_error():
    assert 5.0 == ask(answer(500, Retry_After="5")).retry_after


@pytest.mark.parametrize(("takes", "within", "limit"), [(31, 100, "30s"), (5, 4, "4s")])
def test_a_request_is_cut_at_the_request_timeout_and_when_the_time_for_it_is_over(takes, within, limit):
    outcome = ask((takes, "COMPLETED"), within=within)

    assert (f"no complete response within {limit}", True) == (str(outcome), outcome.sent)


def test_a_time_out_of_the_networks_own_is_not_ours():
    """The system's TimeoutError is none of the request timeout."""
    outcome = ask(TimeoutError(110, "Connection timed out"))

    assert f"connection lost ({os.strerror(110)}) to " in str(outcome)


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

    assert "no complete response within 30s" == str(ask(Api()))


def test_time_in_the_queue_does_not_count_as_the_request():
    """Each of the two takes 20 of the 30 seconds; the second is sent after 20."""

    async def main():
        client = client_for(ScriptedApi((20, "COMPLETED")), ONE_AT_A_TIME)
        return await asyncio.gather(*(client.status("m", within=100) for _ in range(2)))

    statuses, took = simulate(main)

    assert (2, 40) == (len(statuses), took)


def test_who_asks_again_queues_behind_those_who_wait():
    """He had the only connection, and asks before the next in the queue could take it."""
    api = ScriptedApi((20, "COMPLETED"))

    async def main():
        client = client_for(api, ONE_AT_A_TIME)

        async def one(*model_ids):
            for model_id in model_ids:
                await client.status(model_id, within=100)

        await asyncio.gather(one("first", "again"), one("queues"))

    simulate(main)

    assert ["first", "queues", "again"] == models_of(api)


def test_a_queue_that_does_not_move_is_named():
    async def main():
        client = client_for(ScriptedApi((20, "COMPLETED")), ONE_AT_A_TIME)
        return await asyncio.gather(outcome_of(client), outcome_of(client, within=10))

    (_, error), _ = simulate(main)

    assert "the request was not sent within 10s: 1 requests are in progress, and none has finished" == str(error)
    assert not error.sent


@pytest.mark.parametrize("status", [503, 429])
def test_overload_slows_down_all_waits_of_the_process(status):
    """One request is refused with Retry-After: it is sent again when that has passed, and the next one after it."""
    api = ScriptedApi(answer(status, Retry_After="9"), "PENDING")

    async def main():
        client = client_for(api)
        first = asyncio.create_task(client.status("a", within=100))
        await asyncio.sleep(1)
        await asyncio.gather(first, client.status("b", within=100))

    simulate(main)

    assert [0, 9, 9.25] == pytest.approx(api.times, abs=0.1)
    assert ["a", "a", "b"] == models_of(api)


def test_who_has_no_turn_in_time_is_told_what_the_api_admits():
    error = ask(503, within=20)

    assert OverloadedError is type(error)
    assert "the request was not sent within 20s: the API admits no requests (503 Service Unavailable)" == str(error)


def test_who_has_no_turn_in_time_is_told_how_much_the_api_admits():
    api = ScriptedApi(lambda _: 503 if len(api.requests) % 2 else "PENDING")

    async def main():
        client = client_for(api)
        return await asyncio.gather(*(outcome_of(client, within=2) for _ in range(40)))

    (*_, error), _ = simulate(main)

    assert OverloadedError is type(error)
    assert re.fullmatch(
        r"the request was not sent within 2s: the API admits about \d\.\d requests a second", str(error)
    )


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ("PENDING", 11),
        (500, 11),
        (answer(401), 11),
        (answer(503, Retry_After="1"), 4),
        ((31, "PENDING"), 5),
        (httpx.ReadError("reset"), 10),
    ],
)
def test_what_a_response_means_for_the_pace(given, window):
    """Any that is no refusal admits; what is cut or lost does not."""
    api = ScriptedApi(*["PENDING"] * 6, given, "PENDING")

    async def main():
        client = client_for(api)
        for _ in range(6):
            await client.status("m", within=100)
        pace = client._sender.pace
        begun = pace.window
        asked = asyncio.create_task(client.status("m", within=100))
        await asyncio.sleep(30.01 if isinstance(given, tuple) else 0.01)
        seen = pace.window
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return begun, seen

    assert (10, window) == simulate(main)[0]


def test_once_an_outage_has_ended_all_waits_the_next_request_finds_out_whether_it_is_over():
    api = ScriptedApi(*[500] * 4, "PENDING")

    async def main():
        client, outcomes = client_for(api), []
        for _ in range(5):
            outcomes.append(await outcome_of(client, within=9))
            await asyncio.sleep(100)
        return outcomes

    outcomes, _ = simulate(main)

    assert [UnavailableError, UnavailableError, UnavailableError, OutageError, TaskStatus] == [
        type(outcome) for outcome in outcomes
    ]


def test_an_api_that_only_refuses_ends_all_waits_with_one_message():
    """After 300 seconds: those that are under way, those that queue, and those that pause and come back."""
    api = ScriptedApi((0.2, 503))

    async def one(client, number):
        await asyncio.sleep(number / 10)
        return await outcome_of(client, model_id=f"m-{number}", within=2000)

    async def main():
        client = client_for(api)
        errors = await asyncio.gather(*(one(client, number) for number in range(100)))
        with pytest.raises(OutageError):
            await client.status("late", within=2000)
        return errors

    errors, took = simulate(main)

    assert {OutageError} == {type(error) for error in errors}
    assert 1 == len({str(error) for error in errors})
    assert "https://api.test (from nugen:baseUrl) has given no usable response to any request for 5m" in str(errors[0])
    assert 300 <= took < 330
    assert len(api.requests) < 320, "no more than a probe a second"


def test_a_response_to_an_earlier_request_about_another_model_is_never_believed():
    """Nobody may be asking about that one just now: between two polls, or after its end."""
    api = ScriptedApi(body("PENDING", model_id="b"), body("FAILED", model_id="b"), body("PENDING", model_id="echo"))

    async def main():
        client = client_for(api)
        return [await outcome_of(client, model_id=model_id) for model_id in ("b", "a", "a")]

    (_, error, status), _ = simulate(main)

    assert MisdirectedError is type(error)
    assert "PENDING" == status.status


def test_a_response_about_another_model_of_ours_is_never_believed():
    """An id may be echoed differently; but one that is asked about here as well is another's."""
    api = ScriptedApi((1, body("COMPLETED", model_id="b")), (2, body("COMPLETED", model_id="b")))

    async def main():
        client = client_for(api)
        return await asyncio.gather(*(outcome_of(client, model_id=model_id) for model_id in ("a", "b")))

    (error, status), _ = simulate(main)

    assert MisdirectedError is type(error)
    assert "a response about another model (b)" == str(error)
    assert "COMPLETED" == status.status
    assert "b" == ask(body("COMPLETED", model_id="b")).model_id


def test_a_key_that_the_api_quotes_back_is_taken_out():
    key = "quoted-back-by-the-api"
    settings = Settings(key, "https://api.test")
    error = ask(answer(403, f"Key {key} is unknown"), settings=settings)
    status = ask(body("COMPLETED", result={"key": key}), settings=settings)

    assert "(403: Key [API key] is unknown)" in str(error)
    assert {"key": "[API key]"} == status.result


def test_what_is_sent_is_the_documented_request():
    seen = []
    api = ScriptedApi(lambda request: seen.append(request) or "PENDING")
    ask(api)
    ask(api, method="start")

    assert [
        ("GET", "https://api.test/api/v3/models/undeploy-model/m/status"),
        ("DELETE", "https://api.test/api/v3/models/undeploy-model/m"),
    ] == [(request.method, str(request.url)) for request in seen]
    assert [
        {
            "host": "api.test",
            "authorization": "Bearer key-for-tests",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"nugen-pulumi/{VERSION}",
        }
    ] * 2 == [dict(request.headers) for request in seen]


@pytest.mark.parametrize(
    ("given", "usable"),
    [("PENDING", True), (answer(401), True), (answer(404, "Model not found"), True), (500, False), (503, False)],
)
def test_a_rejection_is_a_usable_response_too(given, usable):
    """The API is there."""

    async def main():
        client = client_for(ScriptedApi(given))
        assert not client.answered_ever
        await outcome_of(client, within=9)
        return client.answered_ever

    assert usable == simulate(main)[0]


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

    assert isinstance(outcome, (TaskStatus, UnavailableError))


@pytest.mark.parametrize(
    ("said", "undeployment", "deployment"),
    [
        ("Model is already undeployed", Answer.THERE, Answer.UNCLEAR),
        ("Model is already being undeployed.", Answer.RUNNING, Answer.BLOCKED),
        ("Model already deployed", Answer.UNCLEAR, Answer.THERE),
        ("The model is ALREADY DEPLOYING", Answer.BLOCKED, Answer.RUNNING),
        ("Model cannot be redeployed. Current status: UNDEPLOYING", Answer.RUNNING, Answer.BLOCKED),
        ("Model cannot be undeployed. Current status: DEPLOYING", Answer.BLOCKED, Answer.RUNNING),
        ("No active deployment. Model status is EVALUATED.", Answer.THERE, Answer.UNCLEAR),
        ("Model status is READY", Answer.UNCLEAR, Answer.UNCLEAR),
        ("Bad request", Answer.UNCLEAR, Answer.UNCLEAR),
        ("the deployment quota is already used", Answer.UNCLEAR, Answer.UNCLEAR),
    ],
)
def test_only_definite_words_tell_what_a_400_means(said, undeployment, deployment):
    assert (undeployment, deployment) == (answer_of(said, UNDEPLOY), answer_of(said, DEPLOY))


def test_a_status_in_latin_1_is_read():
    content = '{"model_id": "m", "status": "COMPLETED", "result": "d\u00e9j\u00e0"}'.encode("latin-1")

    assert ask(httpx.Response(200, content=content)).reached


NO_ROUTE = httpx.Response(404, json={"detail": "Not Found"})


def newer(status, **fields):
    return httpx.Response(200, json={"status": status, **fields})


def ask_many(api, *questions):
    """Return what one client makes of several questions, one after the other, and which paths it then uses."""

    async def main():
        client = client_for(api)
        outcomes = [await outcome_of(client, method, direction=direction) for method, direction in questions]
        return outcomes, client.paths.name

    return simulate(main)[0]


OLD, NEW = "/api/v3/models/undeploy-model/m/status", "/api/v3/models/m/deployment/status"


def test_newer_paths_are_found_out_once_and_used_from_then_on():
    api = ScriptedApi(NO_ROUTE, newer("UNDEPLOYING"), newer("UNDEPLOYED"), 200)
    outcomes, paths = ask_many(api, ("status", UNDEPLOY), ("status", UNDEPLOY), ("start", DEPLOY))

    assert ["PENDING", "COMPLETED"] == [outcome.status for outcome in outcomes[:2]]
    assert Answer.ACCEPTED is outcomes[2].answer
    assert [OLD, NEW, NEW, "/api/v3/models/m/deployment"] == [path for _, _, path in api.requests]
    assert "newer" == paths


@pytest.mark.parametrize(
    "other", [answer(404, "Model not found"), httpx.Response(404, text="<html>Not Found"), httpx.Response(404)]
)
def test_only_the_apis_own_wrong_route_leads_to_the_newer_paths(other):
    api = ScriptedApi(other)
    _, paths = ask_many(api, ("status", UNDEPLOY))

    assert [OLD] == [path for _, _, path in api.requests]
    assert "documented" == paths


def test_without_any_route_the_message_is_that_of_the_documented_paths_and_the_newer_are_tried_once():
    api = ScriptedApi(NO_ROUTE)
    outcomes, paths = ask_many(api, ("status", UNDEPLOY), ("status", UNDEPLOY))

    assert all("has no such endpoint" in str(outcome) for outcome in outcomes)
    assert [OLD, NEW, OLD] == [path for _, _, path in api.requests]
    assert "documented" == paths


def test_newer_paths_that_know_no_such_model_are_there():
    api = ScriptedApi(NO_ROUTE, answer(404, "Model not found"))
    outcomes, paths = ask_many(api, ("status", UNDEPLOY))

    assert isinstance(outcomes[0], ModelNotFoundError)
    assert "newer" == paths


@pytest.mark.parametrize(
    ("seen", "undeployment", "deployment"),
    [
        (newer("UNDEPLOYED"), ("COMPLETED", None), ("FAILED", "No active task. Model status is UNDEPLOYED.")),
        (newer("UNDEPLOYED", error="no GPU"), ("COMPLETED", None), ("FAILED", "no GPU")),
        (newer("undeploying"), ("PENDING", None), ("FAILED", "No active task. Model status is UNDEPLOYING.")),
        (newer("DEPLOYING"), ("FAILED", "No active task. Model status is DEPLOYING."), ("PENDING", None)),
        (newer("DEPLOYED"), ("FAILED", "No active task. Model status is DEPLOYED."), ("COMPLETED", None)),
        (newer("PAUSED"), ("PAUSED", None), ("PAUSED", None)),
    ],
)
def test_the_newer_status_is_told_in_the_documented_words(seen, undeployment, deployment):
    for direction, told in ((UNDEPLOY, undeployment), (DEPLOY, deployment)):
        outcomes, _ = ask_many(ScriptedApi(NO_ROUTE, seen), ("status", direction))

        assert told == (outcomes[0].status, outcomes[0].error)
        assert (None, None) == (outcomes[0].start_time, outcomes[0].end_time)


def test_a_newer_status_that_is_none_is_unreadable():
    outcomes, _ = ask_many(ScriptedApi(NO_ROUTE, httpx.Response(200, json={"x": 1})), ("status", UNDEPLOY))

    assert "its field status has an unexpected type or is missing" in str(outcomes[0])
