"""What other languages see must not drift from what Python sees."""

import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import pulumi
import pytest

from nugen_pulumi import DeployedModel, UndeployedModel, UndeployedModels
from nugen_pulumi._version import VERSION
from nugen_pulumi.operations import outputs
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.plugin.servicer import SCHEMA
from nugen_pulumi.plugin.wire import camel
from nugen_pulumi.settings import VARIABLES

PACKAGE = json.loads(SCHEMA.read_text(encoding="utf-8"))
LOOKUP = "nugen:index:getUndeployStatus"
MODEL = "nugen:index:UndeployedModel"
MODELS = "nugen:index:UndeployedModels"
DEPLOYED = "nugen:index:DeployedModel"
RESOURCES = {
    MODEL: (UndeployedModel, "model_id", outputs.OF_MODEL),
    DEPLOYED: (DeployedModel, "model_id", outputs.OF_DEPLOYED),
    MODELS: (UndeployedModels, "model_ids", outputs.OF_FLEET),
}


@pytest.mark.parametrize("token", RESOURCES)
def test_inputs_and_outputs_are_those_of_the_class(token):
    kind, _, computed = RESOURCES[token]
    seen = PACKAGE["resources"][token]
    defaults = {name: parameter.default for name, parameter in inspect.signature(kind.__init__).parameters.items()}
    names = set(defaults) - {"self", "resource_name", "opts"}

    assert {camel(name) for name in names} == set(seen["inputProperties"])
    assert {camel(name) for name in (*names, *computed)} == set(seen["properties"])
    assert {camel(name): defaults[name] for name in DEFAULTS if name in names} == {
        name: given["default"] for name, given in seen["inputProperties"].items() if "default" in given
    }
    assert [{"type": f"pulumi-python:dynamic/nugen:{kind.__name__}"}] == seen["aliases"]


# What a property of the schema is in Python.
TYPES = {"string": str, "boolean": bool, "number": float, "integer": int, "array": Sequence, "object": Mapping}


def kind_of(seen):
    """Return the Python type of a property; references are to free-form values, enums of strings, or types."""
    return (
        {"pulumi.json#/Any": Any, "#/types/nugen:index:OnFailure": str}[seen["$ref"]]
        if "$ref" in seen
        else TYPES[seen["type"]]
    )


def plain(hint):
    """Return the type within ``Output[...]`` without None, and without what it holds."""
    (hint,) = get_args(hint) if get_origin(hint) is pulumi.Output else (hint,)
    kinds = [kind for kind in get_args(hint) if kind is not type(None)] if type(None) in get_args(hint) else [hint]
    return get_origin(kinds[0]) or kinds[0]


@pytest.mark.parametrize("token", RESOURCES)
def test_types_and_required_outputs_are_those_of_the_class(token):
    kind, ids, _ = RESOURCES[token]
    seen = PACKAGE["resources"][token]
    written = {camel(name): hint for name, hint in kind.__annotations__.items()}
    # Only its own: those of Pulumi's base class are for its own module.
    hints = {name: eval(written[name], vars(sys.modules[kind.__module__])) for name in seen["properties"]}  # noqa: S307

    assert {name: plain(hint) for name, hint in hints.items()} == {n: kind_of(p) for n, p in seen["properties"].items()}
    assert {n: kind_of(p) for n, p in seen["inputProperties"].items()} == {
        name: plain(hints[name]) for name in seen["inputProperties"]
    }
    optional = {
        name for name, hint in hints.items() if type(None) in get_args(get_args(hint)[0]) or get_args(hint) == (Any,)
    }
    assert set(seen["required"]) == set(hints) - optional
    assert [camel(ids)] == seen["requiredInputs"]


def test_version_settings_and_the_look_up_are_those_of_the_package():
    variables = PACKAGE["config"]["variables"]

    assert VERSION == PACKAGE["version"]
    assert {key.removeprefix("nugen:") for key in VARIABLES} == set(variables)
    assert variables == PACKAGE["provider"]["inputProperties"]
    assert variables["apiKey"]["secret"]
    told = set(PACKAGE["functions"][LOOKUP]["outputs"]["properties"])
    assert {"modelId", *map(camel, outputs.OF_MODEL)} == told | {"unconfirmed"}


def descriptions(value):
    if isinstance(value, dict):
        yield from [value["description"]] if isinstance(value.get("description"), str) else []
        for item in value.values():
            yield from descriptions(item)


def test_descriptions_read_well_in_any_language():
    """camelCase, JSON's words for values, no markup of Python's."""
    for text in descriptions(PACKAGE):
        assert text
        lower = re.sub(r"[A-Z]+_[A-Z_]+", "VARIABLE", text)
        assert not re.search(r"\b(None|True|False|mapping|dict)\b|[a-z]_[a-z]|:\w+:`|\*|``", lower), text
        assert re.search(r"[.)]$", text), text
