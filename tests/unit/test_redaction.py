import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.text import Redaction

KEY = "nugen-a/b&c+d=e\\f\"g'h"


@pytest.mark.parametrize(
    "spelt",
    [
        KEY,
        json.dumps(KEY)[1:-1],
        json.dumps(json.dumps(KEY))[3:-3],
        json.dumps(KEY)[1:-1].replace("/", "\\/").replace("&", "\\u0026"),
        "".join(f"\\u{ord(char):04X}" for char in KEY),
        "".join(f"\\\\u{ord(char):04x}" for char in KEY),
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
    ],
)
def test_a_key_is_found_however_it_is_spelt(spelt):
    assert "<[API key]>" == Redaction(KEY).string(f"<{spelt}>")


def test_a_short_key_may_be_any_word_and_is_left_alone():
    assert "undeployed by any" == Redaction("any").string("undeployed by any")
    assert b"elevenchars" == Redaction("elevenchars").body(b"elevenchars")
    assert b"[API key]" == Redaction("twelve-chars").body(b"twelve-chars")


@given(st.binary())
def test_a_body_without_the_key_is_left_as_it_is(body):
    assert body == Redaction("a key that is nowhere").body(body)
