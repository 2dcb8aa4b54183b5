import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.text import Redaction

KEY = "nugen-a/b&c+d=e\\f\"g'h"
MEBIBYTE = 1024 * 1024


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


def one_way_or_another(char):
    """Yield the spellings of *char* that a body may hold, with more backslashes than anybody needs."""
    code = f"{ord(char):02x}"
    for digits in (code, code.upper()):
        yield f"%{digits}"
        yield from (f"{many}u00{digits}" for many in ("\\", "\\\\", "\\" * 5))
    yield from (f"{many}{char}" for many in ("", "\\", "\\" * 4))


@given(st.data(), st.text("ab\\u05c%/", min_size=12, max_size=16), st.text("ab\\u05c%/", max_size=3))
def test_a_key_is_found_even_if_each_character_is_spelt_in_its_own_way(data, key, before):
    """Nothing but backslashes and percent signs is special: so the keys, and what is around them, are full of these."""
    spelt = "".join(data.draw(st.sampled_from(list(one_way_or_another(char)))) for char in key)
    found = Redaction(key).string(f"{before}{spelt}>")

    assert "[API key]" in found
    assert re.fullmatch(r"[^>]*\[API key\][^>]*>", found)


def test_what_follows_a_key_at_once_is_found_too():
    for key in (KEY, KEY + "\\", "\\" + KEY):
        assert "[API key][API key] [API key]" == Redaction(key).string(f"{key}{json.dumps(key)[1:-1]} {key}")


@pytest.mark.parametrize("key", [KEY, "\\" + KEY, "u0075-is-a-u", "aaaaaaaaaaaaab", "\\" * 3 + "nugen-key"])
@pytest.mark.parametrize(
    "unit", ["\\", "\\\\u00", "%", "%6", "\\u005c", "%5c", "\\a", "a", "n", "n\\", "\\n", "\\u006e", "\\u006", "u"]
)
def test_a_mebibyte_of_almost_the_key_is_read_in_a_moment(key, unit):
    """A search that begins again at each backslash would take half an hour, and the timeout would end the test."""
    body = (unit * MEBIBYTE)[:MEBIBYTE].encode()

    assert body == Redaction(key).body(body)


@pytest.mark.parametrize("length", range(1, len(KEY)))
def test_nor_does_it_matter_how_much_of_the_key_is_before_the_backslashes(length):
    body = (KEY[:length] + "\\" * (MEBIBYTE // 4)).encode()

    assert body == Redaction(KEY).body(body)
