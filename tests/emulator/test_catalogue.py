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
def test_content(body, content):
    """Texts and bytes are sent as they stand, all else as JSON."""
    assert content == Answer(body=body).content


def test_defaults():
    """An answer is an empty 200 at once unless it says otherwise."""
    answer = Answer()

    assert (200, b"", {}, 0.0) == (answer.status, answer.content, answer.headers, answer.delay)


@pytest.mark.parametrize("status", [199, 600, -1])
def test_impossible_status(status):
    """A status that HTTP does not end a request with is refused where it is written."""
    with pytest.raises(ValueError, match=f"from 200 to 599, not {status}"):
        Answer(status)


@pytest.mark.parametrize("status", [204, 304])
def test_no_body(status):
    """An answer that has no body by definition is not given one."""
    assert b"" == Answer(status).content
    with pytest.raises(ValueError, match=f"status {status} has no body"):
        Answer(status, "x")


def test_status_body():
    """A body knows all but the id."""
    body = StatusBody("PENDING", headers={"Retry-After": "2"}, delay=0.5)

    expected = {
        "model_id": "m-1",
        "status": "PENDING",
        "result": None,
        "start_time": "2024-02-24T10:00:00Z",
        "end_time": None,
    }
    assert Answer(200, expected, {"Retry-After": "2"}, 0.5) == body.answer("m-1")


def test_status_body_echo():
    """A body may insist on another id, even an empty one."""
    assert "other" == StatusBody("PENDING", model_id="other").answer("m-1").body["model_id"]
    assert "" == StatusBody("PENDING", model_id="").answer("m-1").body["model_id"]


def test_status_body_absent():
    """What is absent is not sent at all."""
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
def test_refusals(answer, status, detail):
    """Refusals say why, in the words of the API. Those that are faults, too, are in test_faults.py."""
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
def test_phases(body, word, result, ended):
    """A word comes with what plausibly goes with it, and only what is over has an end."""
    end = "2024-02-24T10:02:30Z" if ended else None

    assert (word, result, "2024-02-24T10:00:00Z", end) == (body.word, body.result, body.start_time, body.end_time)


@pytest.mark.parametrize(("status", "answer"), [(404, catalogue.model_not_found()), (429, catalogue.quota_exhausted())])
def test_error(status, answer):
    """A bare number is the answer which that number is known for. The others are faults, in test_faults.py."""
    assert answer == catalogue.error(status)


def test_error_with_headers():
    """More headers come on top, and the answer may be late."""
    answer = catalogue.error(502, headers={"Retry-After": "7"}, delay=0.5)

    assert {"Content-Type": "text/html", "Retry-After": "7"} == answer.headers
    assert 0.5 == answer.delay


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
def test_newer(body, task, expected):
    """The newer family says the same in other words."""
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
def test_newer_of_no_status(answer):
    """What is no status stays as it is."""
    assert answer is catalogue.newer(answer, "deployment")
