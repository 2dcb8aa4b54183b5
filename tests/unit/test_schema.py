"""What other languages see must not drift from what Python sees."""

import inspect
import re

import pytest

from nugen_pulumi import UndeployedModel, UndeployedModels, outputs
from nugen_pulumi.inputs import DEFAULTS, Given
from nugen_pulumi.schema import LOOKUP, MODEL, MODELS, package
from nugen_pulumi.settings import VARIABLES
from nugen_pulumi.wire import camel

RESOURCES = {
    MODEL: (UndeployedModel, "model_id", outputs.OF_MODEL),
    MODELS: (UndeployedModels, "model_ids", outputs.OF_FLEET),
}


@pytest.mark.parametrize("token", RESOURCES)
def test_inputs_and_outputs_are_those_of_the_class(token):
    kind, ids, computed = RESOURCES[token]
    seen = package()["resources"][token]
    names = {ids, *Given.__annotations__}
    defaults = {name: parameter.default for name, parameter in inspect.signature(kind.__init__).parameters.items()}

    assert {camel(name) for name in names} == set(seen["inputProperties"])
    assert {camel(name) for name in (*names, *computed)} == set(seen["properties"])
    assert {camel(name): defaults[name] for name in DEFAULTS} == {
        name: given["default"] for name, given in seen["inputProperties"].items() if "default" in given
    }
    assert [{"type": f"pulumi-python:dynamic/nugen:{kind.__name__}"}] == seen["aliases"]


def test_settings_are_those_of_the_provider():
    seen = package()

    assert {key.removeprefix("nugen:") for key in VARIABLES} == set(seen["config"]["variables"])
    assert seen["config"]["variables"] == seen["provider"]["inputProperties"]
    assert seen["config"]["variables"]["apiKey"]["secret"]


def test_the_look_up_returns_what_python_returns():
    found = package()["functions"][LOOKUP]["outputs"]["properties"]

    assert {"modelId", *map(camel, outputs.OF_MODEL)} == set(found)


def descriptions(value):
    if isinstance(value, dict):
        yield from [value["description"]] if isinstance(value.get("description"), str) else []
        for item in value.values():
            yield from descriptions(item)


def test_descriptions_read_well_in_any_language():
    """camelCase, JSON's words for values, no markup of Python's."""
    for text in descriptions(package()):
        assert text
        lower = re.sub(r"[A-Z]+_[A-Z_]+", "VARIABLE", text)
        assert not re.search(r"\b(None|True|False|mapping|dict)\b|[a-z]_[a-z]|:\w+:`|\*|``", lower), text
        assert re.search(r"[.)]$", text), text
