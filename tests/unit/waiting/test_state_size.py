"""How large the values of a fleet may be in state."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from nugen_pulumi.api.statuses import Record
from nugen_pulumi.waiting.state_size import capped, largest_value, size_of

MIB = 1024 * 1024

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=20), values, max_size=5))
def test_the_size_is_never_less_than_what_is_sent(value):
    """What the engine would be sent, as the SDK makes it."""
    assert asyncio.run(rpc.serialize_properties(value, {})).ByteSize() <= size_of(value)


def test_each_model_of_a_fleet_has_the_same_share_of_4_mib():
    assert [4 * MIB, 2 * MIB, 419] == [largest_value(models) for models in (1, 2, 10_000)]


@pytest.mark.parametrize("name", ["result", "start_time", "end_time", "error"])
def test_only_a_value_that_is_larger_is_left_out(name):
    """A string takes five bytes more than its letters."""
    fits, larger = Record("COMPLETED", **{name: "x" * 2043}), Record("COMPLETED", **{name: "x" * 2044})

    assert fits == capped(fits, 2048)
    assert Record("COMPLETED", **{name: "(left out: 2 KiB)"}) == capped(larger, 2048)


def test_what_was_left_out_once_stays_so():
    once = capped(Record("COMPLETED", result="x" * 5 * MIB), largest_value(10_000))

    assert "(left out: 5.0 MiB)" == once.result
    assert once == capped(once, largest_value(10_000))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 9),
        (True, 9),
        (1.5, 9),
        ("", 5),
        ("abc", 8),
        ("\u00e4", 7),
        ("\ud800", 8),
        ([], 5),
        ((), 5),
        (["a", None], 5 + 11 + 14),
        ({}, 5),
        ({"k": "v"}, 5 + 15 + 1 + 6),
        ({"\u00e4": []}, 5 + 15 + 2 + 5),
    ],
)
def test_the_size_of_a_value_is_that_of_its_parts(value, size):
    assert size == size_of(value)
