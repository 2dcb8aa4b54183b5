"""What the wild answers, read leniently, and what it means."""

import sys

import pytest
from harness.host import struct
from pydantic import ValidationError

from nugen_pulumi.api.models import TaskStatus

LARGEST = int(sys.float_info.max)


def status(word="COMPLETED", **fields):
    return TaskStatus.model_validate({"model_id": "m", "status": word, **fields})


def failed(reason):
    return status("FAILED", result={"error": reason})


@pytest.mark.parametrize("word", ["PENDING", "pending", "Pending", " pending "])
def test_case_and_blanks_do_not_matter(word):
    assert "PENDING" == status(word).status


@pytest.mark.parametrize(("letters", "kept"), [(40, "X" * 40), (41, "X" * 39 + "…")])
def test_of_a_long_word_40_letters_are_kept(letters, kept):
    assert kept == status("x" * letters).status


@pytest.mark.parametrize(
    ("word", "over", "known", "undeployed"),
    [
        ("pending", False, True, False),
        ("completed", True, True, True),
        ("failed", True, True, False),
        ("retiring", False, False, False),
        ("", False, False, False),
    ],
)
def test_only_documented_words_end_a_wait_and_only_completed_means_undeployed(word, over, known, undeployed):
    seen = status(word)

    assert (over, known, undeployed) == (seen.terminal, seen.known, seen.reached)


@pytest.mark.parametrize("word", ["UNDEPLOYED", "EVALUATED"])
def test_failed_because_it_is_at_rest_already_means_undeployed(word):
    seen = failed(f"No active undeployment. Model status is {word}.")

    assert (True, word, True) == (seen.reached, seen.model_status, seen.terminal)


@pytest.mark.parametrize("word", ["DEPLOYED", "UNDEPLOYING", "READY", "UNDEPLOYED_PARTLY"])
def test_failed_with_any_other_model_status_does_not(word):
    seen = failed(f"No active undeployment. Model status is {word}.")

    assert (False, word) == (seen.reached, seen.model_status)


def test_a_result_that_mentions_a_model_status_without_failing_means_nothing():
    assert not status("PENDING", result={"error": "Model status is UNDEPLOYED"}).reached


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"error": "GPU on fire"}, "GPU on fire"),
        ({"message": "GPU on fire"}, "GPU on fire"),
        ({"error": None, "detail": "GPU on fire"}, "GPU on fire"),
        ({"error": {"code": 3}, "message": "GPU on fire"}, "GPU on fire"),
        ({"error": "\x1b[2J"}, "no reason given"),
        ("GPU on fire", "GPU on fire"),
        ({}, "no reason given"),
        (None, "no reason given"),
        ([1], "no reason given"),
    ],
)
def test_the_reason_of_a_failure_is_found_where_it_may_be(result, reason):
    assert reason == status("FAILED", result=result).error


def test_only_a_failure_has_a_reason():
    assert status("COMPLETED", result={"error": "x"}).error is None


@pytest.mark.parametrize("time", ["2024-02-24T10:00:00Z", "2026-07-16T06:53:56.029517", "soon", ""])
def test_times_stay_as_answered(time):
    assert time == status(start_time=time).start_time


def test_a_time_of_a_foreign_type_hides_nothing():
    assert ("1708768800", None) == (status(end_time=1708768800).end_time, status().end_time)
    assert "(unknown)" == status(end_time="04da6b54-80e4-46f7-96ec-b56ff0331ba9").end_time


@pytest.mark.parametrize(
    ("answered", "stored"),
    [
        ("NaN", None),
        ("[-Infinity, 1.5]", [None, 1.5]),
        ("1" + "0" * 400, "(a number too large)"),
        (str(LARGEST), LARGEST),
        (str(-LARGEST), -LARGEST),
        ('{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": 1}', {"value": 1}),
        ('{"note": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}', {"note": "(unknown)"}),
        ("[" * 40 + "]" * 40, "nested"),
        ('{"a": {"b": [1, "x", null, true]}}', {"a": {"b": [1, "x", None, True]}}),
        ('{"a": 1, "b": null}', {"a": 1}),
    ],
)
def test_a_result_that_state_cannot_hold_hides_nothing(answered, stored):
    """The model is undeployed, whatever else the answer holds; and Pulumi can store it."""
    seen = TaskStatus.model_validate_json(f'{{"model_id": "m", "status": "COMPLETED", "result": {answered}}}')
    struct({"result": seen.result})

    assert seen.reached
    assert (stored == seen.result) if stored != "nested" else ("(nested too deep)" in str(seen.result))


@pytest.mark.parametrize(("levels", "whole"), [(32, True), (33, False)])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a": ', "}")])
def test_a_result_keeps_32_levels(begin, end, levels, whole):
    """Be they lists or objects; what is deeper becomes a remark."""
    answered = begin * levels + "1" + end * levels
    seen = TaskStatus.model_validate_json(f'{{"model_id": "m", "status": "COMPLETED", "result": {answered}}}')

    assert whole == ("1" in str(seen.result))
    assert whole == ("(nested too deep)" not in str(seen.result))


def test_a_status_never_changes():
    with pytest.raises(ValidationError):
        status().status = "FAILED"


def test_unknown_fields_are_ignored_and_missing_ones_are_none():
    seen = status(progress=7)

    assert (None, None, None) == (seen.result, seen.start_time, seen.end_time)


@pytest.mark.parametrize(
    "body", [{}, {"model_id": "m"}, {"status": "PENDING"}, {"model_id": "m", "status": 3}, [], "x"]
)
def test_without_the_required_fields_it_is_no_status(body):
    with pytest.raises(ValidationError):
        TaskStatus.model_validate(body)


def test_what_is_wrong_is_said_without_the_foreign_text():
    with pytest.raises(ValidationError) as caught:
        TaskStatus.model_validate({"model_id": ["secret"], "status": "PENDING"})
    assert "secret" not in str(caught.value)
