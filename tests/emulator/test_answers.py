import pytest

from nugen_pulumi.emulator import ABSENT, Answer, StatusBody


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


@pytest.mark.parametrize("status", [200, 599])
def test_extreme_status(status):
    """The first and the last status are possible."""
    assert status == Answer(status).status


@pytest.mark.parametrize("status", [204, 304])
def test_no_body(status):
    """An answer that has no body by definition is not given one."""
    assert b"" == Answer(status).content
    with pytest.raises(ValueError, match=f"status {status} has no body"):
        Answer(status, "x")


def test_not_json():
    """A body that cannot be sent is refused where it is written."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        Answer(body=object())


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
