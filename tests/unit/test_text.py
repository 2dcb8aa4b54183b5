import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.text import duration, printable


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0s"),
        (0.44, "0.4s"),
        (1, "1s"),
        (12.9, "12s"),
        (59.99, "59s"),
        (60, "1m"),
        (72, "1m 12s"),
        (3600, "1h"),
        (7500, "2h 5m"),
        (90000, "25h"),
    ],
)
def test_durations_read_as_a_person_says_them(seconds, said):
    assert said == duration(seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fine", "fine"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07bell", "bell"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\r\nb\tc", "a b c"),
        ("\u202eright to left", "right to left"),
        ("x" * 400, "x" * 299 + "…"),
        ("\x9b31m", "31m"),
        ("cut off \ud83d", "cut off \ufffd"),
    ],
)
def test_foreign_text_becomes_one_harmless_line(text, said):
    assert said == printable(text)


@given(st.text())
def test_no_text_keeps_a_control_character(text):
    """And none is longer than it may be."""
    said = printable(text, longest=50)

    assert said.isprintable()
    assert len(said) <= 50
