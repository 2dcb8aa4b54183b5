"""What the wild answers, read leniently, and what it means."""

import json
import math
import sys

import pytest
from google.protobuf import json_format, struct_pb2
from harness.host import plain, struct
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.api.statuses import PULUMI_SIGNATURE, Record
from nugen_pulumi.http.response import Response

LARGEST = int(sys.float_info.max)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def record(word="COMPLETED", direction=UNDEPLOY, **fields):
    return TaskStatus.model_validate({"model_id": "m", "status": word, **fields}).record(direction)


def read(text, **fields):
    """Return what is recorded of a body with *text* as its result, and other fields as JSON."""
    fields = {"model_id": '"m"', "status": '"COMPLETED"', "result": text} | fields
    body = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    return TaskStatus.model_validate(Response(200, body.encode("utf-8", "surrogatepass")).json()).record(UNDEPLOY)


@pytest.mark.parametrize(
    ("word", "kept", "terminal", "reached"),
    [
        ("PENDING", "PENDING", False, False),
        (" Pending ", "PENDING", False, False),
        ("completed", "COMPLETED", True, True),
        ("Failed", "FAILED", True, False),
        ("retiring", "RETIRING", False, False),
        ("completed\ud83d", "COMPLETED\ufffd", False, False),
        ("", "", False, False),
        ("x" * 40, "X" * 40, False, False),
        ("x" * 41, "X" * 39 + "…", False, False),
    ],
)
def test_only_documented_words_in_any_case_end_a_wait_and_only_completed_reaches_the_goal(
    word, kept, terminal, reached
):
    for seen in (record(word), record(word, DEPLOY)):
        assert (kept, terminal, reached) == (seen.status, seen.terminal, seen.reached)


REACHED, RUNNING, FAILED = ("FAILED", True, False), ("PENDING", False, False), ("FAILED", False, True)


@pytest.mark.parametrize(
    ("word", "undeployment", "deployment"),
    [
        ("UNDEPLOYED", REACHED, FAILED),
        ("EVALUATED", REACHED, FAILED),
        ("UNDEPLOYING", RUNNING, FAILED),
        ("DEPLOYED", FAILED, REACHED),
        ("DEPLOYING", FAILED, RUNNING),
        ("READY", FAILED, FAILED),
        ("UNDEPLOYED_PARTLY", FAILED, FAILED),
    ],
)
def test_a_failure_with_the_models_own_status_means_what_that_says(word, undeployment, deployment):
    """But if the task does not fail, or runs after all, its words mean nothing."""
    result = {"error": f"No active undeployment. Model status is {word}."}
    for direction, meant in ((UNDEPLOY, undeployment), (DEPLOY, deployment)):
        seen = record("FAILED", direction, result=result)

        assert meant == (seen.status, seen.reached, seen.failed)
        assert (None if meant is RUNNING else word) == seen.model_status
        assert record("PENDING", direction, result=result) == Record("PENDING", result=result)


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
def test_the_reason_of_a_failure_alone_is_found_where_it_may_be(result, reason):
    assert (reason, None) == (record("FAILED", result=result).error, record(result=result).error)


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        ('"2026-07-16T06:53:56.029517"', "2026-07-16T06:53:56.029517"),
        ('"soon"', "soon"),
        ('""', ""),
        ("null", None),
        ("1708768800", "1708768800"),
        (f'"{UNKNOWN}"', "(unknown)"),
        (r'"2024-02-24\ud83d"', "2024-02-24\ufffd"),
        ("1" * 5000, "(a number too large)"),
        ("9007199254740993", "9007199254740993"),
        ('["a", 1]', "['a', 1]"),
        ("true", "True"),
        ("[" * 300 + "]" * 300, "[" * 32 + "'(nested too deep)'" + "]" * 32),
    ],
)
def test_a_time_stays_as_answered_and_one_that_state_cannot_hold_hides_nothing(time, kept):
    seen = read("1", start_time=time, end_time=time)

    assert (True, kept, kept) == (seen.reached, seen.start_time, seen.end_time)


def test_half_a_character_hides_nothing():
    assert "m\ufffd" == TaskStatus.model_validate({"model_id": "m\ud83d", "status": "PENDING"}).model_id
    assert "out of memory \ufffd" == read(r'{"error": "out of memory \ud83d"}', status='"FAILED"').error


@pytest.mark.parametrize(
    ("answered", "stored"),
    [
        ("NaN", "(not a number)"),
        ("[-Infinity, 1.5, 1e999]", ["(a number too large)", 1.5, "(a number too large)"]),
        ("9007199254740992", 9007199254740992),
        ("-9007199254740992", -9007199254740992),
        ("9007199254740993", "9007199254740993"),
        ("-9007199254740993", "-9007199254740993"),
        ("1" + "0" * 400, "(a number too large)"),
        ("-" + "1" * 5000, "(a number too large)"),
        (str(LARGEST), str(LARGEST)),
        (str(-LARGEST), str(-LARGEST)),
        (
            f'{{"{PULUMI_SIGNATURE}": "1b47061264138c4ac30d75fd1eb44270", "value": 1}}',
            {"value": 1, "(reserved key)": "1b47061264138c4ac30d75fd1eb44270"},
        ),
        (f'{{"note": "{UNKNOWN}"}}', {"note": "(unknown)"}),
        ('"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"', "(unknown)"),
        ('{"a": {"b": [1, "x", null, true, 2.0]}}', {"a": {"b": [1, "x", None, True, 2.0]}}),
        ('{"a": 1, "b": null}', {"a": 1}),
        (r'"\ud800x"', "\ufffdx"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        ('"\ud800"', "\ufffd\ufffd\ufffd"),  # each of the bytes that some encoders write
        (r'{"\udfff": "\udfff"}', {"\ufffd": "\ufffd"}),
        (r'{"\ud800": 1, "\ud801": 2, "\ufffd": 3}', {"\ufffd": 3, "\ufffd (2)": 1, "\ufffd (3)": 2}),
        (r'{"\ufffd (2)": 1, "\ud800": 2, "\ud801": 3}', {"\ufffd (2)": 1, "\ufffd": 2, "\ufffd (3)": 3}),
        (r'{"": "\u0000"}', {"": "\0"}),
        ('"a\nb"', "a\nb"),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_a_result_that_state_cannot_hold_hides_nothing(answered, stored):
    """The model is undeployed, whatever else the answer holds; and Pulumi can store it."""
    seen = read(answered)

    assert seen.reached
    assert repr(stored) == repr(seen.result)
    assert {"result": seen.result} == plain(struct({"result": seen.result}))


def test_what_is_ignored_hides_nothing_either():
    deep = "[" * 300 + "]" * 300
    for name, value in [("x", deep), (r"\ud800", r'"\ud800"'), ("x", "1" * 5000), ("x", "1e999"), ("", "NaN")]:
        assert read("1", **{name: value}).reached


TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]), min_size=1, max_size=2),
    st.sampled_from([UNKNOWN, PULUMI_SIGNATURE, "", "\ufffd", "\ufffd (2)", "__x", "\0"]),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.just(10**350),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)
NOTES = ("(not a number)", "(a number too large)", "(nested too deep)", "(unknown)")


def deep(value, levels):
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def same_or_said(value, kept):
    """Tell whether *kept* is *value*, or shows that it is not."""
    if isinstance(value, str):
        broken = any("\ud800" <= char <= "\udfff" for char in value)
        return "\ufffd" in kept if broken else kept == (value if value != UNKNOWN else "(unknown)")
    if isinstance(value, bool) or value is None:
        return kept is value
    if isinstance(value, (int, float)):
        whole = isinstance(value, int) and abs(value) > 2**53
        return kept in NOTES or (kept == str(value) if whole else kept == value)
    if kept == "(nested too deep)":
        return True
    if isinstance(value, list):
        return len(value) == len(kept) and all(map(same_or_said, value, kept))
    value = {key: item for key, item in value.items() if item is not None}
    renamed = [key for key in kept if key not in value]
    return (
        len(value) == len(kept)
        and all(same_or_said(value[key], kept[key]) for key in kept if key in value)
        and all(key == "(reserved key)" or key.startswith("(reserved key) (") or "\ufffd" in key for key in renamed)
    )


@given(VALUES, st.sampled_from([0, 0, 0, 20, 33, 150, 300]), st.booleans(), st.booleans())
@example({PULUMI_SIGNATURE: 1, "(reserved key)": 2}, 0, False, False)
@example(math.nan, 300, False, True)
def test_any_result_is_kept_or_says_that_it_is_not(value, levels, marked, ascii_only):
    """And the model is undeployed, and what is kept comes back from protobuf as it was."""
    value = json.loads(json.dumps(deep(value, levels)))  # two halves of a character may have met
    text = json.dumps({"model_id": "m", "status": "COMPLETED", "result": value}, ensure_ascii=ascii_only)
    body = text.encode("utf-8", "surrogatepass")
    seen = TaskStatus.model_validate(Response(200, b"\xef\xbb\xbf" * marked + body).json()).record(UNDEPLOY)
    message = struct_pb2.Struct()
    message.update({"result": seen.result})
    back = struct_pb2.Struct.FromString(message.SerializeToString())

    assert seen.reached
    assert same_or_said(value, seen.result)
    assert {"result": seen.result} == json_format.MessageToDict(back)


@pytest.mark.parametrize(("levels", "whole"), [(32, True), (33, False)])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a": ', "}")])
def test_a_result_keeps_32_levels(begin, end, levels, whole):
    """Be they lists or objects; what is deeper becomes a remark."""
    answered = begin * levels + "1" + end * levels
    seen = read(answered)

    assert whole == ("1" in str(seen.result))
    assert whole == ("(nested too deep)" not in str(seen.result))


def test_unknown_fields_are_ignored_and_missing_ones_are_none():
    assert Record("PENDING") == record("PENDING", progress=7)


@pytest.mark.parametrize(
    "body", [{}, {"model_id": "m"}, {"status": "PENDING"}, {"model_id": ["secret"], "status": 3}, ["secret"], "secret"]
)
def test_without_the_required_fields_it_is_no_status_and_that_is_said_without_the_foreign_text(body):
    with pytest.raises(ValidationError) as caught:
        TaskStatus.model_validate(body)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY])
def test_what_is_recorded_is_read_again_from_state_and_never_changes(direction):
    """The engine drops what is None."""
    seen = record("FAILED", direction, result={"error": "GPU on fire"}, end_time="then")
    outputs = seen.outputs(direction.flag)

    assert {
        "status": "FAILED",
        direction.flag: False,
        "result": {"error": "GPU on fire"},
        "start_time": None,
        "end_time": "then",
        "error": "GPU on fire",
    } == outputs
    assert seen == Record.from_state({k: v for k, v in outputs.items() if v is not None}, direction.flag)
    assert Record.from_state({"model_id": "m"}, direction.flag) is None
    with pytest.raises(AttributeError):
        seen.status = "COMPLETED"
