"""What is checked before an operation."""

import pytest
from harness.operations import Call

from nugen_pulumi.operations.check import check_resource
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.operations.model import ModelOperations

KEY = {"nugen:apiKey": "k"}


def check(news, settings=KEY, *, creating=True, operations=None):
    return check_resource(Call(), operations or ModelOperations(), news, settings.get, creating=creating)


def test_what_is_checked_has_the_defaults():
    news = {"model_id": "m", "wait": False, "__provider": "x"}

    assert ({**DEFAULTS, **news}, []) == check(news)


@pytest.mark.parametrize(
    ("operations", "value", "reason"),
    [
        (ModelOperations(), ".", "model_id must not be . or .."),
        (FleetOperations(), [], "model_ids must be a list of 1 to 10,000 model ids"),
    ],
)
def test_what_is_wrong_is_named_with_its_property_in_the_reason(operations, value, reason):
    """Of a property the engine would print the whole value, were it a secret or ten thousand ids."""
    _, wrong = check({operations.id_name: value, "wait": 1}, operations=operations)

    assert [reason, "wait must be true or false"] == wrong


@pytest.mark.parametrize("creating", [True, False])
def test_wrong_settings_are_wrong_for_what_exists_too_but_a_key_may_be_missing(creating):
    """What exists may need no request."""
    _, wrong = check({"model_id": "m"}, {**KEY, "nugen:requestTimeoutSeconds": "0"}, creating=creating)
    _, missing = check({"model_id": "m"}, {}, creating=creating)

    assert ["nugen:requestTimeoutSeconds must be a number of seconds greater than 0, such as 30."] == wrong
    assert ["There is no Nugen API key: run "] * creating == [reason[:31] for reason in missing]
