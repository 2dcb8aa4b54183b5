"""What is checked before an operation."""

import pytest

from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.operations.operation import check, settings_problem

KEY = "nugen:apiKey"


def test_what_is_checked_has_the_defaults():
    assert ({**DEFAULTS, "model_id": "m", "wait": False, "__provider": "x"}, []) == (
        check({"model_id": "m", "wait": False, "__provider": "x"}, "model_id")
    )


@pytest.mark.parametrize(
    ("id_name", "value", "reason"),
    [
        ("model_id", ".", "model_id must not be . or .."),
        ("model_ids", [], "model_ids must be a list of 1 to 10,000 model ids"),
    ],
)
def test_what_is_wrong_is_named_with_its_property_in_the_reason(id_name, value, reason):
    """Of a property the engine would print the whole value, were it a secret or ten thousand ids."""
    _, failures = check({id_name: value, "wait": 1}, id_name)

    assert [("", reason), ("", "wait must be true or false")] == failures


@pytest.mark.parametrize("creating", [True, False])
def test_settings_that_are_right_or_wrong_are_so_for_what_exists_too(creating):
    assert settings_problem({KEY: "k"}.get, creating=creating) is None
    assert "nugen:requestTimeoutSeconds must be a number of seconds greater than 0, such as 30." == settings_problem(
        {KEY: "k", "nugen:requestTimeoutSeconds": "0"}.get, creating=creating
    )


def test_a_key_must_be_there_only_for_what_does_not_exist_yet():
    assert settings_problem({}.get, creating=False) is None
    assert settings_problem({}.get, creating=True).startswith("There is no Nugen API key: run ")
