"""How large the values of a fleet may be in state."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from nugen_pulumi.waiting.state_size import LARGEST_FLEET_VALUES, left_out, size_of, within_budget

MIB = 1024 * 1024

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=20,
)


def model(**fields):
    return {"status": "COMPLETED", "undeployed": True, **fields}


@given(st.dictionaries(st.text(max_size=20), values, max_size=5))
def test_the_size_is_never_less_than_what_is_sent(value):
    """What the engine would be sent, as the SDK makes it."""
    assert asyncio.run(rpc.serialize_properties(value, {})).ByteSize() <= size_of(value)


def test_what_fits_is_kept_as_it_is():
    models = {f"m-{n}": model(result={"n": n}, start_time="now", error=None) for n in range(10_000)}

    assert models == within_budget(models)


def test_the_largest_are_left_out_until_the_rest_fits():
    models = {
        "small": model(result={"note": "x" * 100}),
        "large": model(result="x" * 3 * MIB),
        "middle": model(result="x" * 2 * MIB),
        "two": model(result="x" * MIB),
    }
    kept = within_budget(models)

    assert ["small", "middle", "two"] == [name for name in models if kept[name] == models[name]]
    assert model(result="(left out: 3.0 MiB)") == kept["large"]
    assert 3 * MIB == len(models["large"]["result"]), "what was given is left alone"


@pytest.mark.parametrize("name", ["result", "start_time", "end_time", "error"])
def test_any_free_value_counts(name):
    kept = within_budget({"m": model(**{name: "x" * 5 * MIB})})

    assert model(**{name: "(left out: 5.0 MiB)"}) == kept["m"]


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_all_of_the_budget_can_be_used(more, fits):
    """A string takes five bytes more than its letters; nothing, of which there are three, takes nine."""
    models = {"m": model(result="x" * (4 * MIB - 5 - 3 * 9 + more))}

    assert fits == (models == within_budget(models))


@pytest.mark.parametrize(("letters", "kept"), [(59, True), (60, False)])
def test_what_is_no_larger_than_the_remark_would_be_is_never_left_out(monkeypatch, letters, kept):
    """To leave out 64 bytes or less would gain nothing."""
    monkeypatch.setattr("nugen_pulumi.waiting.state_size.LARGEST_FLEET_VALUES", 0)
    models = {"m": model(result="x" * letters)}

    assert kept == (models == within_budget(models))


@pytest.mark.parametrize(("more", "kept"), [(0, True), (-1, False)])
def test_a_remark_takes_room_too(monkeypatch, more, kept):
    remark, nothing = "(left out: 0 KiB)", 6 * size_of(None)
    models = {"large": model(result="x" * 200), "small": model(result="x" * 100)}
    monkeypatch.setattr(
        "nugen_pulumi.waiting.state_size.LARGEST_FLEET_VALUES", nothing + size_of(remark) + size_of("x" * 100) + more
    )

    assert {"large": remark, "small": "x" * 100 if kept else remark} == {
        name: fields["result"] for name, fields in within_budget(models).items()
    }


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


def test_ten_thousand_results_of_a_mebibyte_fit():
    result = "x" * MIB
    kept = within_budget({f"m-{n}": model(result=result) for n in range(10_000)})

    assert sum(size_of(fields["result"]) for fields in kept.values()) <= LARGEST_FLEET_VALUES
    assert 10_000 == sum(fields["undeployed"] for fields in kept.values())
    assert {3: True, 9_997: False} == {
        sum(fields["result"] == value for fields in kept.values()): value is result
        for value in (result, "(left out: 1.0 MiB)")
    }


@pytest.mark.parametrize(
    ("size", "remark"),
    [
        (2048, "(left out: 2 KiB)"),
        (1000 * 1024, "(left out: 1000 KiB)"),
        (MIB - 1, "(left out: 1024 KiB)"),
        (MIB, "(left out: 1.0 MiB)"),
        (100 * MIB, "(left out: 100.0 MiB)"),
    ],
)
def test_a_remark_tells_the_size(size, remark):
    assert remark == left_out(size)


def test_the_order_of_the_models_does_not_matter():
    models = {f"m-{n}": model(result="x" * MIB) for n in range(8)}

    assert within_budget(models) == within_budget(dict(reversed(models.items())))


def test_what_was_left_out_once_stays_so():
    models = {f"m-{n}": model(result="x" * MIB) for n in range(8)}
    once = within_budget(models)

    assert once == within_budget(once)
