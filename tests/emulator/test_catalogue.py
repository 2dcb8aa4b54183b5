"""What can be answered, as values."""

from dataclasses import FrozenInstanceError

import pytest

from nugen_pulumi.emulator import ABSENT, Answer, StatusBody, catalogue


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("{half", b"{half"),
        ("…", b"\xe2\x80\xa6"),
        (b"\xff", b"\xff"),
        ("", b""),
        (None, b"null"),
        (["m-1"], b'["m-1"]'),
        ({"detail": "Not Found"}, b'{"detail": "Not Found"}'),
    ],
)
def test_texts_and_bytes_are_sent_as_they_stand_all_else_as_json(body, content):
    assert content == Answer(body=body).content


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (199, "from 200 to 599, not 199"),
        (600, "from 200 to 599, not 600"),
        (204, "status 204 has no body"),
        (304, "status 304 has no body"),
    ],
)
def test_what_http_could_not_carry_is_refused_where_it_is_written(status, says):
    with pytest.raises(ValueError, match=says):
        Answer(status, "x")


def test_a_status_body_knows_all_but_the_id_unless_it_insists_on_another():
    body = StatusBody("PENDING", headers={"Retry-After": "2"}, delay=0.5)
    expected = {
        "model_id": "m-1",
        "status": "PENDING",
        "result": None,
        "start_time": "2024-02-24T10:00:00Z",
        "end_time": None,
    }

    assert Answer(200, expected, {"Retry-After": "2"}, 0.5) == body.answer("m-1")
    assert "" == StatusBody("PENDING", model_id="").answer("m-1").body["model_id"]


def test_what_is_absent_is_not_sent_at_all():
    body = StatusBody("COMPLETED", result=ABSENT, start_time=ABSENT, end_time=ABSENT)

    assert {"model_id": "m-1", "status": "COMPLETED"} == body.answer("m-1").body


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (catalogue.already_undeployed(), 400, "Model is already undeployed"),
        (catalogue.undeployment_running(), 400, "Model is already being undeployed"),
        (catalogue.not_undeployable(), 400, "Model cannot be undeployed. Current status: DEPLOYING"),
        (catalogue.already_deployed(), 400, "Model is already deployed"),
        (catalogue.deployment_running(), 400, "Model is already deploying"),
        (catalogue.not_deployable(), 400, "Model cannot be redeployed. Current status: UNDEPLOYING"),
        (catalogue.not_authenticated(), 403, "Not authenticated"),
        (catalogue.detail_object(400, "no"), 400, {"message": "no"}),
    ],
)
def test_refusals_say_why_in_the_words_of_the_api(answer, status, detail):
    assert (status, {"detail": detail}, {}) == (answer.status, answer.body, answer.headers)


@pytest.mark.parametrize(
    ("body", "word", "result", "ended"),
    [
        (catalogue.pending(), "PENDING", None, False),
        (catalogue.completed(), "COMPLETED", None, True),
        (catalogue.completed(catalogue.TWIN), "COMPLETED", {"deployment_status": "UNDEPLOYED"}, True),
        (catalogue.failed("no"), "FAILED", {"error": "no"}, True),
        (catalogue.status("pending"), "pending", None, False),
        (catalogue.status("Completed"), "Completed", {"message": "Model successfully undeployed"}, True),
        (catalogue.status("FAILED"), "FAILED", {"error": "Undeployment failed"}, True),
        (catalogue.status("ARCHIVED"), "ARCHIVED", None, False),
    ],
)
def test_a_word_comes_with_what_plausibly_goes_with_it_and_only_what_is_over_has_an_end(body, word, result, ended):
    end = "2024-02-24T10:02:30Z" if ended else None

    assert (word, result, "2024-02-24T10:00:00Z", end) == (body.word, body.result, body.start_time, body.end_time)


@pytest.mark.parametrize(("status", "answer"), [(404, catalogue.model_not_found()), (429, catalogue.quota_exhausted())])
def test_a_bare_number_is_the_answer_which_that_number_is_known_for(status, answer):
    assert answer == catalogue.error(status)


def test_more_headers_come_on_top_and_an_answer_may_be_late():
    answer = catalogue.error(502, headers={"Retry-After": "7"}, delay=0.5)

    assert ({"Content-Type": "text/html", "Retry-After": "7"}, 0.5) == (answer.headers, answer.delay)


@pytest.mark.parametrize(
    ("body", "task", "expected"),
    [
        (catalogue.pending(), "undeployment", ("UNDEPLOYING", None)),
        (catalogue.status("completed"), "undeployment", ("undeployed", None)),
        (catalogue.failed("no"), "undeployment", ("DEPLOYED", "no")),
        (catalogue.nothing_running("DEPLOYED"), "undeployment", ("DEPLOYED", None)),
        (catalogue.nothing_running("READY"), "undeployment", ("UNDEPLOYED", None)),
        (catalogue.pending(), "deployment", ("DEPLOYING", None)),
        (catalogue.completed("free-form"), "deployment", ("DEPLOYED", None)),
        (catalogue.failed("no"), "deployment", ("UNDEPLOYED", "no")),
        (catalogue.nothing_running("EVALUATED", "deployment"), "deployment", ("UNDEPLOYED", None)),
        (catalogue.nothing_running("UNDEPLOYING", "deployment"), "deployment", ("UNDEPLOYING", None)),
        (catalogue.status("ARCHIVED"), "deployment", ("ARCHIVED", None)),
    ],
)
def test_the_newer_family_says_the_same_in_other_words(body, task, expected):
    said = catalogue.newer(body.answer("m-1"), task).body

    assert expected == (said["status"], said["error"])


@pytest.mark.parametrize(
    "answer",
    [
        catalogue.bad_gateway(),
        catalogue.model_not_found(),
        Answer(body={"status": 1}),
        catalogue.newer_status("READY", "no"),
    ],
)
def test_what_is_no_status_stays_as_it_is(answer):
    assert answer is catalogue.newer(answer, "deployment")


@pytest.mark.parametrize("value", [Answer(), catalogue.pending()])
def test_what_may_be_in_many_scripts_cannot_be_changed_in_one(value):
    with pytest.raises(FrozenInstanceError):
        value.delay = 1.0
