"""The API key is taken out of what comes back, in whatever way that spells it."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.http.response import Response
from nugen_pulumi.text import Redaction

KEY = "nugen-a/b&c+d=e\\f\"g'h"
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("spelt", [KEY, quote(KEY, safe=""), quote(KEY, safe="").lower(), quote(KEY, safe="/&=")])
def test_a_key_is_found_as_it_is_and_as_a_url_quotes_it(spelt):
    assert "<[API key][API key]>" == Redaction(KEY).string(f"<{spelt}{spelt}>")


@pytest.mark.parametrize(
    "spelt",
    [
        json.dumps(KEY),
        json.dumps(KEY).replace("/", "\\/").replace("&", "\\u0026"),
        '"' + "".join(f"\\u{ord(char):04X}" for char in KEY) + '"',
    ],
)
def test_in_json_it_is_found_however_json_spells_it(spelt):
    body = f'{{"detail": [{spelt}], {spelt}: {spelt}, "other": [1, null, true]}}'
    response = Response(400, body.encode(), redaction=Redaction(KEY))

    assert {"detail": ["[API key]"], "[API key]": "[API key]", "other": [1, None, True]} == response.json()
    assert response.detail == "[API key]"


@pytest.mark.parametrize(
    "body", [f"no JSON: {KEY}", f"<html><title>{KEY}</title>", "<html><title>" + KEY.replace("&", "&amp;") + "</title>"]
)
def test_nor_is_it_said_of_what_is_no_json(body):
    response = Response(400, body.encode(), redaction=Redaction(KEY))

    for said in (response.detail, response.excerpt, response.summary):
        assert "[API key]" in said
        assert KEY not in said


def test_a_short_key_may_be_any_word_and_is_left_alone():
    assert "undeployed by any" == Redaction("any").string("undeployed by any")
    assert "elevenchars" == Redaction("elevenchars").string("elevenchars")
    assert "[API key]" == Redaction("twelve-chars").string("twelve-chars")
    assert "nobody's" == Redaction().string("nobody's")


@given(st.text())
def test_a_text_without_the_key_is_left_as_it_is(text):
    assert text == Redaction("a key that is nowhere").string(text)


@pytest.mark.parametrize("key", [KEY, "%" * 14, "a%61" * 4, "aaaaaaaaaaaaab"])
@pytest.mark.parametrize("unit", ["%", "%6", "%61", "%25", "a", "n", "\\"])
def test_a_mebibyte_of_almost_the_key_is_read_in_a_moment(key, unit):
    """A search that goes back and forth would take half an hour, and the timeout would end the test."""
    text = (unit * MEBIBYTE)[: MEBIBYTE - 1] + "!"

    assert Redaction(key).string(text).endswith("!")
