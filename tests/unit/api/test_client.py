"""The table of outcomes, and what goes out."""

import asyncio
import itertools
import os
import re
from functools import partial
from http import HTTPStatus

import httpcore
import httpx
import pytest
from harness.api import SETTINGS, ScriptedApi, body, client_for
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi._version import VERSION
from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.start_answers import Started, answer_of
from nugen_pulumi.api.statuses import Record
from nugen_pulumi.errors import (
    BadKeyError,
    GatewayError,
    MisdirectedError,
    ModelNotFoundError,
    NoRouteError,
    NugenError,
    OutageError,
    OverloadedError,
    RejectedError,
    UnavailableError,
)
from nugen_pulumi.http.sender import RequestOptions
from nugen_pulumi.operations.inputs import model_id_problem
from nugen_pulumi.settings import Settings

POLL = partial(NugenClient.status, model_id="m")
DELETE = partial(NugenClient.start, model_id="m")
POST = partial(NugenClient.start, model_id="m", direction=DEPLOY)
LIST = NugenClient.models

ONE_AT_A_TIME = Settings("k", "https://api.test", max_concurrent_requests=1)


async def outcome_of(client, question=POLL, *, within=100.0, longest_outage=300.0, **about):
    """Return what comes of a request, be it a value or an error."""
    try:
        return await question(client, within=within, options=RequestOptions(longest_outage), **about)
    except NugenError as exc:
        return exc


def ask_one_after_the_other(api, *questions, settings=SETTINGS, **how):
    """Return what one client makes of each question, and the client."""

    async def main():
        client = client_for(api, settings)
        outcomes = [await outcome_of(client, question, **how) for question in questions]
        await client.aclose()
        return outcomes, client

    return simulate(main)[0]


def ask(given, question=POLL, **how):
    """Return what a client makes of a response, or of the first one of an API."""
    api = given if isinstance(given, httpx.AsyncBaseTransport) else ScriptedApi(given)
    return ask_one_after_the_other(api, question, **how)[0][0]


def answer(status, detail=None, **headers):
    """Return a response of the API itself, or without *detail* one of something in front of it."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"detail": detail} if detail else None, headers=headers)


def page(status, title, **headers):
    return httpx.Response(status, text=f"<html><title>{title}</title>", headers=headers)


def models_of(api):
    """Return the ids that the requests were about, in their order."""
    return [path.split("/")[-2] for _, _, path in api.requests]


ELSEWHERE = "Redirects are not followed, because only the API may receive the API key: check the base URL (from nugen:"
ERRORS = [
    (408, UnavailableError, "408 Request Timeout"),
    (425, UnavailableError, "425 Too Early"),
    (500, UnavailableError, "500 Internal Server Error"),
    (502, UnavailableError, "502 Bad Gateway"),
    (522, UnavailableError, "522"),
    (answer(400, "Internal server error "), UnavailableError, "400: Internal server error"),
    (
        page(200, "Log in"),
        UnavailableError,
        "an HTML page (Log in) instead of the API's response: check the base URL (from nugen:baseUrl)",
    ),
    (
        httpx.Response(200, headers={"content-encoding": "br"}, content=b""),
        UnavailableError,
        "a body in an encoding that this package does not read (br)",
    ),
    (httpcore.ReadError("reset"), UnavailableError, "connection lost (reset) to https://api.test"),
    (httpcore.ConnectError("refused"), UnavailableError, "cannot connect (refused) to https://api.test"),
    # The system's TimeoutError is none of the request timeout.
    (TimeoutError(110, "Connection timed out"), UnavailableError, f"connection lost ({os.strerror(110)}) to "),
    (503, OverloadedError, "503 Service Unavailable"),
    (answer(429), OverloadedError, "429 Too Many Requests"),
    (page(429, "Quota"), OverloadedError, "429: Quota"),
    (answer(429, "slow down"), OverloadedError, "429: slow down"),
    (answer(429, "Quota limit reached.", Retry_After="5"), OverloadedError, "429: Quota limit reached"),
    (answer(429, "Please add credits"), RejectedError, ": the Nugen account is out of credits (429: Please add"),
    (answer(401, "Not authenticated"), BadKeyError, "does not accept the API key (401: Not authenticated): check the"),
    (
        answer(403, "Could not validate credentials."),
        BadKeyError,
        "(403: Could not validate credentials): check the one in nugen:apiKey (in the stack config, or in the Provider",
    ),
    (answer(404, "model not found."), ModelNotFoundError, "knows no such model, or it belongs to another account"),
    (answer(404, "Not Found"), NoRouteError, "https://api.test has no such endpoint (404 Not Found): check the base"),
    (answer(404, "No such thing"), RejectedError, "https://api.test has no such endpoint (404: No such thing): check"),
    (answer(405, "No"), RejectedError, ": the Nugen API rejects the request (405: No)."),
    (answer(422, [{"loc": ["path"], "msg": "bad"}]), RejectedError, "does not accept this model id (422: path: bad)"),
    (page(404, "Model not found"), GatewayError, ": an HTML page (Model not found) instead of the API's response: che"),
    (answer(404), GatewayError, ": https://api.test has no such endpoint (404 Not Found): check the base URL (from nu"),
    (answer(405), GatewayError, ": https://api.test answers with something else than the API (405 Method Not Allowed)"),
    (answer(304), GatewayError, ": https://api.test answers with something else than the API (304 Not Modified)"),
    (answer(301, location="https://evil.test/x"), GatewayError, f" redirects to evil.test (301). {ELSEWHERE}"),
    (page(307, "Login", location="/login"), GatewayError, " redirects to another path (307). "),
    (answer(302, location="https://[zz"), GatewayError, " redirects to an invalid URL (302). "),
    (answer(301, location="https://" + "a" * 101), GatewayError, f" redirects to {'a' * 99}… (301). "),
]


@pytest.mark.parametrize(("given", "kind", "says"), ERRORS)
@pytest.mark.parametrize("question", [POLL, DELETE, POST, LIST])
def test_what_is_no_success_is_an_error_of_one_kind(question, given, kind, says):
    """Refusals alone are sent again. They, and what never was sent, were certainly not carried out."""
    api = ScriptedApi(given)
    (error,), client = ask_one_after_the_other(api, question, longest_outage=30.0)

    assert kind is type(error)
    assert says in str(error)
    assert (kind is OverloadedError) == (len(api.requests) > 3)
    assert client.answered_ever == (isinstance(error, RejectedError) and kind is not GatewayError)
    if isinstance(error, UnavailableError):
        assert error.sent == (kind is not OverloadedError and "cannot connect" not in says)
    else:
        assert str(error).startswith("The list of models: " if question is LIST else "Model m: ")


# Asking again, or waiting, helps with the others whoever says it.
FINAL = [code.value for code in HTTPStatus if 300 <= code < 500 and code not in (408, 425, 429)]
OF_OTHERS = {
    "page": lambda code: page(code, "Just a moment..."),
    "login": lambda code: page(code, "Log in", location="https://login.test/"),
    "plain text": lambda code: httpx.Response(code, text="default backend"),
    "other JSON": lambda code: httpx.Response(code, json={"message": "Forbidden"}),
    "nothing": httpx.Response,
}


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("question", [POLL, POST, LIST])
def test_what_the_api_itself_says_is_final_whenever_it_comes(question, answered):
    for code in FINAL:
        script = [answer(401, "Who?")] * answered + [answer(code, "No")]
        outcomes, _ = ask_one_after_the_other(ScriptedApi(*script), *[question] * len(script))

        assert isinstance(outcomes[-1], RejectedError)
        assert GatewayError is not type(outcomes[-1])
        assert (code in (401, 403)) == (BadKeyError is type(outcomes[-1]))


@pytest.mark.parametrize("form", OF_OTHERS)
@pytest.mark.parametrize("question", [POLL, POST, LIST])
def test_what_others_say_is_final_only_before_the_api_has_ever_answered(question, form):
    """It is no answer of the API, so that the next wait of the process ends as soon; and never a wrong key."""
    others = [OF_OTHERS[form](code) for code in FINAL]
    before, client = ask_one_after_the_other(ScriptedApi(*others), *[question] * len(others))

    assert {GatewayError} == set(map(type, before))
    assert not any("accept the API key" in str(error) for error in before)
    assert not client.answered_ever

    api = ScriptedApi(answer(401, "Who?"), *others)
    (_, *after), _ = ask_one_after_the_other(api, *[question] * (1 + len(others)))

    assert {UnavailableError} == set(map(type, after))
    assert all(str(error).endswith("(not the API's own response)") for error in after)
    assert all(error.sent for error in after)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (httpx.Response(200), "200 response (it is not JSON: empty)"),
        (httpx.Response(204), "204 response (it is not JSON: empty)"),
        (httpx.Response(200, json="x"), "200 response (it is not a JSON object)"),
        (httpx.Response(200, json={"model_id": "m"}), " has an unexpected type or is missing)"),
        (httpx.Response(200, content=b'{"model_id":"m","status":"PEN'), "200 response (it is not JSON: {"),
    ],
)
def test_a_success_that_cannot_be_read_is_no_answer_but_accepts_a_request(given, says):
    for question in (POLL, LIST):
        outcome = ask(given, question)

        assert UnavailableError is type(outcome)
        assert str(outcome).startswith("an unreadable ")
        assert says in str(outcome)
    assert [(Started.ACCEPTED, "")] * 2 == [ask(given, DELETE), ask(given, POST)]


def test_an_unknown_400_is_an_error_but_of_a_delete():
    """There is nothing to undeploy, or an undeployment runs already. But a model must not count as deployed."""
    unknown = answer(400, "Bad request")

    assert (Started.UNCLEAR, "Bad request") == ask(unknown, DELETE)
    for error in (ask(unknown), ask(unknown, POST)):
        assert "Model m: the Nugen API rejects the request (400 Bad Request)." == str(error)


@pytest.mark.parametrize(
    ("words", "undeployment", "deployment"),
    [
        ("Model is already undeployed", Started.THERE, Started.UNCLEAR),
        ("Model is already being undeployed", Started.RUNNING, Started.BLOCKED),
        ("Model already deployed", Started.UNCLEAR, Started.THERE),
        ("The model is ALREADY DEPLOYING", Started.BLOCKED, Started.RUNNING),
        ("Model cannot be redeployed. Current status: UNDEPLOYING", Started.RUNNING, Started.BLOCKED),
        ("Model cannot be undeployed. Current status: DEPLOYING", Started.BLOCKED, Started.RUNNING),
        ("No active deployment. Model status is EVALUATED", Started.THERE, Started.UNCLEAR),
        ("Model status is READY", Started.UNCLEAR, Started.UNCLEAR),
        ("Bad request", Started.UNCLEAR, Started.UNCLEAR),
        ("the deployment quota is already used", Started.UNCLEAR, Started.UNCLEAR),
    ],
)
def test_definite_words_count_with_any_4xx_but_not_in_a_page(words, undeployment, deployment):
    for question, direction, started in ((DELETE, UNDEPLOY, undeployment), (POST, DEPLOY, deployment)):
        assert started is answer_of(words, direction)
        for code in [400, 403, 404, 409, 410, 422, 423] if started is not Started.UNCLEAR else []:
            assert (started, words) == ask(answer(code, f"{words}."), question)
            assert GatewayError is type(ask(page(code, words), question))


def test_retry_after_travels_with_the_error():
    assert 5.0 == ask(answer(500, Retry_After="5")).retry_after


@pytest.mark.parametrize(("takes", "within", "limit"), [(31, 100, "30s"), (5, 4, "4s")])
def test_a_request_is_cut_at_the_request_timeout_and_when_the_time_for_it_is_over(takes, within, limit):
    outcome = ask((takes, "COMPLETED"), within=within)

    assert (f"no complete response within {limit}", True) == (str(outcome), outcome.sent)


def test_a_body_that_drips_is_cut_like_any_other():
    """The bound is on the whole, not on each read."""

    async def dripping():
        while True:
            await asyncio.sleep(1)
            yield b" "

    api = httpx.MockTransport(lambda _: httpx.Response(200, content=dripping()))

    assert "no complete response within 30s" == str(ask(api))


def test_time_in_the_queue_does_not_count_as_the_request_and_who_asks_again_queues_behind_those_who_wait():
    """Each request takes 20 of the 30 seconds."""
    api = ScriptedApi((20, "COMPLETED"))

    async def main():
        client = client_for(api, ONE_AT_A_TIME)

        async def one(*model_ids):
            for model_id in model_ids:
                await client.status(model_id, within=100)

        await asyncio.gather(one("first", "again"), one("queues"))

    _, took = simulate(main)

    assert (60, ["first", "queues", "again"]) == (took, models_of(api))


def test_a_queue_that_does_not_move_is_named():
    async def main():
        client = client_for(ScriptedApi((20, "COMPLETED")), ONE_AT_A_TIME)
        await client.status("m", within=100)
        return await asyncio.gather(outcome_of(client), outcome_of(client, within=10))

    (_, error), _ = simulate(main)

    assert "the request was not sent within 10s: 1 requests are in progress, and none has finished" == str(error)
    assert not error.sent


@pytest.mark.parametrize(
    ("waiting", "answers", "admits"),
    [
        (1, [503], r"no requests \(503 Service Unavailable\)"),
        (100, [503], "no requests"),
        (100, [503, "PENDING"], r"about \d\.\d requests a second"),
    ],
)
def test_who_has_no_turn_in_time_is_told_how_much_the_api_admits(waiting, answers, admits):
    in_turn = itertools.chain(["PENDING"], itertools.cycle(answers))

    async def main():
        client = client_for(ScriptedApi(lambda _: next(in_turn)))
        await client.status("m", within=5)
        return await asyncio.gather(*(outcome_of(client, within=5) for _ in range(waiting)))

    (*_, error), _ = simulate(main)

    assert OverloadedError is type(error)
    assert re.fullmatch(f"the request was not sent within 5s: the API admits {admits}", str(error))


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ("PENDING", 11),
        (500, 11),
        (answer(401), 11),
        (answer(503, Retry_After="1"), 5),
        ((31, "PENDING"), 5),
        (httpcore.ReadError("reset"), 10),
    ],
)
def test_what_a_response_means_for_the_pace(given, window):
    """Any that is no refusal admits; what is cut or lost does not. A refused request is sent again, and answered."""
    _, client = ask_one_after_the_other(ScriptedApi(*["PENDING"] * 6, given, "PENDING"), *[POLL] * 7)

    assert window == client._sender.pace.window


def test_once_an_outage_has_ended_all_waits_the_next_request_finds_out_whether_it_is_over():
    api = ScriptedApi(*[500] * 4, "PENDING")

    async def main():
        client, outcomes = client_for(api), []
        for _ in range(5):
            outcomes.append(await outcome_of(client, within=9))
            await asyncio.sleep(100)
        return outcomes

    outcomes, _ = simulate(main)

    assert [*[UnavailableError] * 3, OutageError, Record] == list(map(type, outcomes))


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

    assert {OutageError} == set(map(type, errors))
    assert 1 == len(set(map(str, errors)))
    assert "https://api.test (from nugen:baseUrl) has given no usable response to any request for 5m" in str(errors[0])
    assert 300 <= took < 330
    assert len(api.requests) < 320, "no more than a probe a second"


def test_a_response_about_another_model_of_ours_is_never_believed():
    """Nobody may be asking about that one just now. An id that nobody ever asked about is another spelling."""

    def one_after_the_other(*answers):
        api = ScriptedApi(*(body("COMPLETED", model_id=model_id) for model_id in answers))

        async def main():
            client = client_for(api)
            return [await outcome_of(client, model_id=model_id) for model_id in ("b", "a", "a")]

        return simulate(main)[0]

    _, error, status = one_after_the_other("b", "b", "echo")

    assert MisdirectedError is type(error)
    assert "a response about another model (b)" == str(error)
    assert status.reached


def test_a_key_that_the_api_quotes_back_is_taken_out():
    settings = Settings("quoted-back-by-the-api", "https://api.test")
    error = ask(answer(403, f"Key {settings.api_key} is unknown"), settings=settings)
    status = ask(body("COMPLETED", result={"key": settings.api_key}), settings=settings)

    assert "(403: Key [API key] is unknown)" in str(error)
    assert {"key": "[API key]"} == status.result


def test_what_is_sent_is_the_documented_request():
    """Below the prefix of a gateway, too."""
    seen = []
    api = ScriptedApi(lambda request: seen.append(request) or "PENDING")
    for url in ("https://api.test", "https://api.test/nugen"):
        ask_one_after_the_other(api, POLL, DELETE, POST, settings=Settings("key-for-tests", url))

    assert [
        (method, f"https://api.test{prefix}/api/v3/models/{path}")
        for prefix in ("", "/nugen")
        for method, path in [
            ("GET", "undeploy-model/m/status"),
            ("DELETE", "undeploy-model/m"),
            ("POST", "deploy-model/m"),
        ]
    ] == [(request.method, str(request.url)) for request in seen]
    assert {
        "host": "api.test",
        "authorization": "Bearer key-for-tests",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"nugen-pulumi/{VERSION}",
    } == dict(seen[0].headers)


@given(st.text(min_size=1, max_size=40).filter(lambda text: model_id_problem(text) is None))
def test_any_accepted_id_is_exactly_one_segment_of_the_path(model_id):
    api = ScriptedApi("PENDING")
    ask(api, model_id=model_id)
    sent = httpx.URL("https://api.test" + api.requests[0][2])

    assert 6 == api.requests[0][2].count("/")
    assert f"/api/v3/models/undeploy-model/{model_id}/status" == sent.path


@given(st.binary(max_size=200) | st.builds(lambda s: body(s).content, st.text(max_size=20)))
def test_no_body_makes_anything_but_a_value_or_one_of_our_errors(content):
    assert isinstance(ask(httpx.Response(200, content=content)), (Record, UnavailableError))


NO_ROUTE = answer(404, "Not Found")
OLD, NEW = "/api/v3/models/undeploy-model/m/status", "/api/v3/models/m/deployment/status"


def newer(status, **fields):
    return httpx.Response(200, json={"status": status, **fields})


@pytest.mark.parametrize(
    ("script", "requests", "family"),
    [
        ([NO_ROUTE, newer("DEPLOYED")], [OLD, NEW, NEW], "newer"),
        # The newer paths are there, and know no such model.
        ([NO_ROUTE, answer(404, "Model not found")], [OLD, NEW, NEW], "newer"),
        ([NO_ROUTE, 500], [OLD, NEW, OLD], "documented"),
        # Without any, the newer ones are tried once.
        ([NO_ROUTE], [OLD, NEW, OLD], "documented"),
        # Only the API's own wrong route counts.
        ([answer(404, "Model not found")], [OLD, OLD], "documented"),
        ([page(404, "Not Found")], [OLD, OLD], "documented"),
        ([404], [OLD, OLD], "documented"),
    ],
)
def test_newer_paths_are_found_out_once_and_used_from_then_on(script, requests, family):
    api = ScriptedApi(*script)
    _, client = ask_one_after_the_other(api, POLL, POLL)

    assert requests == [path for _, _, path in api.requests]
    assert family == client.paths.name


def test_a_request_has_a_newer_path_too_and_without_any_the_message_is_that_of_the_documented_ones():
    api = ScriptedApi(NO_ROUTE, 200)

    assert (Started.ACCEPTED, "") == ask(api, POST)
    assert ["/api/v3/models/deploy-model/m", "/api/v3/models/m/deployment"] == [path for _, _, path in api.requests]
    assert "https://api.test has no such endpoint" in str(ask(NO_ROUTE, POST))


@pytest.mark.parametrize(
    ("seen", "undeployment", "deployment"),
    [
        (newer("UNDEPLOYED"), ("COMPLETED", None), ("FAILED", "No active task. Model status is UNDEPLOYED.")),
        (newer("UNDEPLOYED", error="no GPU"), ("COMPLETED", None), ("FAILED", "no GPU. Model status is UNDEPLOYED.")),
        (newer("READY"), *[("FAILED", "No active task. Model status is READY.")] * 2),
        (newer("undeploying"), ("PENDING", None), ("FAILED", "No active task. Model status is UNDEPLOYING.")),
        (newer("DEPLOYING"), ("FAILED", "No active task. Model status is DEPLOYING."), ("PENDING", None)),
        (newer("DEPLOYED"), ("FAILED", "No active task. Model status is DEPLOYED."), ("COMPLETED", None)),
        (newer("PAUSED"), ("PAUSED", None), ("PAUSED", None)),
    ],
)
def test_the_newer_status_is_told_in_the_documented_words(seen, undeployment, deployment):
    for direction, told in ((UNDEPLOY, undeployment), (DEPLOY, deployment)):
        status = ask(ScriptedApi(NO_ROUTE, seen), direction=direction)

        assert told == (status.status, status.error)
        assert (None, None) == (status.start_time, status.end_time)


def test_a_newer_status_that_is_none_is_unreadable():
    error = ask(ScriptedApi(NO_ROUTE, httpx.Response(200, json={"x": 1})))

    assert "its field status has an unexpected type or is missing" in str(error)


@pytest.mark.parametrize("waits", [100, 10_000])
def test_of_all_waits_on_an_api_with_only_the_newer_paths_one_asks_the_documented_one(waits):
    api = ScriptedApi(lambda request: (0.1, NO_ROUTE if "undeploy-model" in request.url.path else newer("UNDEPLOYED")))

    async def main():
        client = client_for(api)
        return await asyncio.gather(*(client.status(f"m-{number}", within=1000) for number in range(waits)))

    statuses, _ = simulate(main)

    assert [True] * waits == [status.reached for status in statuses]
    assert 1 == sum("undeploy-model" in path for _, _, path in api.requests)
    assert waits + 1 == len(api.requests)


@pytest.mark.parametrize(
    ("first", "cancelled", "end"),
    [((60, "COMPLETED"), False, 5), ((60, "COMPLETED"), True, 1), ((3, 500), False, 3)],
)
def test_a_first_request_holds_the_others_up_until_its_end_but_for_five_seconds_at_most(first, cancelled, end):
    """However it ends. They can be cancelled meanwhile, and have time for their own requests."""
    api = ScriptedApi(first, "COMPLETED")

    async def timed(client, within):
        try:
            outcome = await outcome_of(client, within=within)
        except asyncio.CancelledError:
            return asyncio.get_running_loop().time(), True
        return asyncio.get_running_loop().time(), getattr(outcome, "reached", outcome)

    async def main():
        client = client_for(api)
        tasks = [asyncio.create_task(timed(client, within)) for within in (100, 100, 100, 4)]
        await asyncio.sleep(1)
        tasks[1].cancel()
        if cancelled:
            tasks[0].cancel()
        return (await asyncio.gather(*tasks))[1:]

    assert [(1, True), (end, True), (min(2, end), True)] == simulate(main)[0]


def listed(count, most, *, shape="documented", knows_pages=True):
    """Return an API that has so many models and puts at most so many in a page."""
    every = [{"model_id": f"m-{number}"} for number in range(count)]

    def list_page(request):
        begin = int(request.url.params["offset"]) if knows_pages else 0
        some = every[begin : begin + min(most, int(request.url.params["limit"]))]
        return httpx.Response(200, json={"domain_aligned_models": some} if shape == "documented" else some)

    return ScriptedApi(list_page)


@pytest.mark.parametrize("shape", ["documented", "bare"])
@pytest.mark.parametrize(
    ("api_has", "pages"),
    [
        ({"count": 250, "most": 100}, 4),
        ({"count": 250, "most": 1000}, 3),
        ({"count": 0, "most": 100}, 1),
        ({"count": 150, "most": 150, "knows_pages": False}, 2),
    ],
)
def test_the_list_is_read_until_a_page_brings_nothing_new(api_has, pages, shape):
    api = listed(**api_has, shape=shape)
    models = ask(api, LIST)

    assert [f"m-{number}" for number in range(api_has["count"])] == [model["model_id"] for model in models]
    assert pages == len(api.requests)


def test_a_listed_model_is_in_service_out_of_it_or_unknown():
    words = ["DEPLOYED", "undeployed", "EVALUATED", "READY", None]
    every = [{"id": f"m-{word}", "name": "x", "base_model": 7, "deployment_status": word} for word in words]
    on, off, unknown = {"m-DEPLOYED"}, {"m-undeployed", "m-EVALUATED"}, {"m-READY", "m-None"}
    by_answer = {
        deployed: ask(httpx.Response(200, json=every), LIST, deployed=deployed) for deployed in (True, False, None)
    }

    assert {True: on, False: off, None: on | off | unknown} == {
        deployed: {model["model_id"] for model in models} for deployed, models in by_answer.items()
    }
    assert {
        "model_id": "m-undeployed",
        "name": "x",
        "base_model": "7",
        "deployed": False,
        "deployment_status": "UNDEPLOYED",
    } == by_answer[False][0]
