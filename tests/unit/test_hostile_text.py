"""
A mebibyte of what each regular expression likes least.

Nobody reads a clock here: time that grows with the square of the length would be minutes or hours, and the timeout of
the tests would end them.
"""

import json

import pytest

from nugen_pulumi.api.directions import UNDEPLOY
from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.api.statuses import model_status
from nugen_pulumi.http.response import LARGEST_BODY, Response
from nugen_pulumi.operations.inputs import Inputs
from nugen_pulumi.operations.messages import failed, unfinished_fleet
from nugen_pulumi.plugin.wire import camel, spelt
from nugen_pulumi.text import printable, well_formed


def mebibyte(unit, *, begin="", end=""):
    return begin + (unit * (LARGEST_BODY // len(unit) + 1))[: LARGEST_BODY - len(begin) - len(end)] + end


@pytest.mark.parametrize("unit", ["\x1b[0 ", "\x1b]x\x1b", "\x1b]", "\x1b\\", "0", " ", "\ud800", "\u202e"])
@pytest.mark.parametrize("begin", ["", "\x1b[", "\x1b]"])
def test_control_characters(unit, begin):
    """Also with no limit to what is printed, which the API does not decide over."""
    for longest in (300, LARGEST_BODY):
        assert printable(mebibyte(unit, begin=begin), longest).isprintable()
    assert "\ud800" not in well_formed(mebibyte(unit))


@pytest.mark.parametrize(
    "text",
    [
        mebibyte("<title"),
        mebibyte("<title>x</titl", begin="<html>"),
        mebibyte("<title" + "x" * 190, begin="<html>"),
        mebibyte("&#" + "1" * 400, begin="<html><title>"),
        mebibyte(" ", end="x"),
        mebibyte("["),
        mebibyte('{"":'),
        mebibyte("[]," * 1000, begin="[" * 100_000),
        mebibyte('\\"', begin="[" * 100_000 + '"'),
        mebibyte('""', begin="[" * 100_000),
        mebibyte('["\\'),
        mebibyte("1"),
        mebibyte("1", begin="0."),
        mebibyte("1", begin="1e-"),
        mebibyte("1" * 399 + ",", begin="[", end="1]"),
        mebibyte("\\ud800", begin='{"detail":"', end='"}'),
        mebibyte("x", begin='{"detail":[{"loc":["', end='"],"msg":"no"}]}'),
        mebibyte("model status is ", begin='{"error":"', end='"}'),
    ],
    ids=lambda text: text[:20].encode("ascii", "backslashreplace").decode(),
)
def test_bodies(text):
    response = Response(429, text.encode("utf-8", "surrogatepass"))

    assert response.summary.isprintable()
    assert response.excerpt.isprintable()


@pytest.mark.parametrize("value", ["1", " ", "1 ", ", ", "Thu, 01 Jan ", "1:", "-", "(", "\\(", "\u0661"])
def test_headers(value):
    response = Response(503, headers={"retry-after": mebibyte(value), "x-request-id": mebibyte(value)})

    assert response.retry_after() is None
    assert response.request_id.isprintable()


@pytest.mark.parametrize(
    "unit", ["model status is ", "model status is", "m", "Model Status Is \u0130", " model status i", "\u017f"]
)
def test_the_status_of_a_model_in_a_reason(unit):
    assert len(model_status(mebibyte(unit)) or "") < 20
    assert len(model_status(mebibyte("x", begin="model status is "))) == LARGEST_BODY - 16


@pytest.mark.parametrize("unit", ["1.", "1", ".", ", ", ", 1 ago", ", x ago", "1h ", "1h 1", "1s 1m", ", ,", " ago,"])
def test_reasons_that_many_models_share(unit):
    """What the API wrote is cut to a line before it comes here."""
    reason = {"error": mebibyte(unit)}
    seen = TaskStatus.model_validate({"model_id": "m", "status": "FAILED", "result": reason})
    said = failed(UNDEPLOY, "m", seen.record(UNDEPLOY), Inputs.read({"undeploy": True}))

    assert len(unfinished_fleet(2, {"m": said, "n": said}, missing=False)) < 2000


@pytest.mark.parametrize(
    "unit", ["timeout_second", "timeout_", "_a", "_", ".timeout_seconds", "poll_interval_second", "on_"]
)
def test_names_of_inputs_in_a_message(unit):
    assert len(spelt(mebibyte(unit))) == LARGEST_BODY
    assert "_a" not in camel(mebibyte(unit, end="_a"))


@pytest.mark.parametrize(
    "result",
    [
        {chr(0xD800 + n % 2048) + chr(0xD800 + n // 2048): n for n in range(40_000)},
        {"\ufffd\ufffd": 0}
        | {f"\ufffd\ufffd ({n})": n for n in range(20_000)}
        | {chr(code) * 2: code for code in (0xD800, 0xD801)},
        ["9" * 300] * 3000,
        mebibyte("\ud800"),
    ],
    ids=["keys that become one", "keys whose second names are taken", "numbers", "halves of characters"],
)
def test_results(result):
    body = json.dumps({"model_id": "m", "status": "COMPLETED", "result": result}).encode()
    kept = TaskStatus.model_validate(Response(200, body).json()).result

    assert len(result) == len(kept)
