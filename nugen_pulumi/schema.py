"""Create Pulumi's package schema for other languages from the names and docstrings of the Python classes."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nugen_pulumi import explicit_provider, lookup, outputs, resource, state
from nugen_pulumi._version import VERSION
from nugen_pulumi.inputs import DEFAULTS, Given
from nugen_pulumi.settings import VARIABLES
from nugen_pulumi.wire import camel

MODEL = "nugen:index:UndeployedModel"
MODELS = "nugen:index:UndeployedModels"
LOOKUP = "nugen:index:getUndeployStatus"
_FLEET_MODEL = "nugen:index:FleetModel"
_ON_FAILURE = "nugen:index:OnFailure"

_STRING = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_NUMBER = {"type": "number"}
_STRINGS = {"type": "array", "items": _STRING}
_ANYTHING = {"$ref": "pulumi.json#/Any"}
_FLEET = {"type": "object", "additionalProperties": {"$ref": f"#/types/{_FLEET_MODEL}"}}

_TYPES: dict[str, dict[str, Any]] = {
    "model_id": _STRING,
    "model_ids": _STRINGS,
    "undeploy": _BOOLEAN,
    "wait": _BOOLEAN,
    "timeout_seconds": _NUMBER,
    "poll_interval_seconds": _NUMBER,
    "on_failure": {"$ref": f"#/types/{_ON_FAILURE}"},
    "triggers": {"type": "array", "items": _ANYTHING},
    "status": _STRING,
    "undeployed": _BOOLEAN,
    "result": _ANYTHING,
    "start_time": _STRING,
    "end_time": _STRING,
    "error": _STRING,
    "models": _FLEET,
    "pending": _STRINGS,
    "failed": _STRINGS,
    "api_key": {**_STRING, "secret": True},
    "base_url": _STRING,
    "request_timeout_seconds": _NUMBER,
    "max_concurrent_requests": {"type": "integer"},
}
_WORDS = {
    r", or None if\b": "; not set if",
    r"[;,]? or None\b": ", if there is one",
    r"\bNone\b": "not set",
    r"\bTrue\b": "true",
    r"\bFalse\b": "false",
    "a mapping": "an object",
    "``": "`",
}
_ALWAYS = {"undeploy", "wait", "poll_interval_seconds", "on_failure", "status", "undeployed", *outputs.OF_FLEET}


def package() -> dict[str, Any]:
    """Return the schema. Source: Pulumi's ``pulumi-spec`` for package schemas."""
    settings = _settings()
    return {
        "name": "nugen",
        "displayName": "Nugen",
        "version": VERSION,
        "description": "Undeploy Nugen models and wait until they are out of service.",
        "keywords": ["pulumi", "nugen", "category/cloud", "kind/native"],
        "license": "MIT",
        # Without it the generated packages have no version, which the engine refuses.
        "language": {"nodejs": {"respectSchemaVersion": True}, "go": {"respectSchemaVersion": True}},
        "config": {"variables": settings},
        "provider": {"description": "A Nugen account.", "inputProperties": settings},
        "types": {
            _FLEET_MODEL: {
                "type": "object",
                "description": "What is known about one model of a fleet.",
                "properties": _properties(state.FleetModel, outputs.OF_MODEL),
                "required": ["status", "undeployed"],
            },
            _ON_FAILURE: {
                "type": "string",
                "description": "What an undeployment that ends as FAILED does.",
                "enum": [
                    {"value": "error", "description": "It fails the deployment."},
                    {"value": "record", "description": "It is recorded in the outputs."},
                ],
            },
        },
        "resources": {
            MODEL: _resource(resource.UndeployedModel, "model_id", outputs.OF_MODEL),
            MODELS: _resource(resource.UndeployedModels, "model_ids", outputs.OF_FLEET),
        },
        "functions": {
            LOOKUP: {
                "description": _plain(_summary(lookup.get_undeploy_status)),
                "inputs": {
                    "properties": {"modelId": {**_STRING, "description": "The model."}},
                    "required": ["modelId"],
                },
                "outputs": {
                    "properties": {
                        camel(name): {**_TYPES[name], "description": _plain(text)}
                        for name, text in _section(lookup.GetUndeployStatusResult, "Attributes").items()
                    },
                    "required": ["modelId", "status", "undeployed"],
                },
            }
        },
    }


def _resource(kind: type, ids: str, computed: tuple[str, ...]) -> dict[str, Any]:
    names = (ids, *Given.__annotations__)
    described = _section(kind, "Args")
    given = {
        camel(name): {
            **_TYPES[name],
            "description": _plain(described[name]),
            **({"default": DEFAULTS[name]} if name in DEFAULTS else {}),  # type: ignore[literal-required]
            **({"willReplaceOnChanges": True} if name in ("model_id", "triggers") else {}),
        }
        for name in names
    }
    return {
        "description": _plain(_summary(kind)),
        "inputProperties": given,
        "requiredInputs": [camel(ids)],
        "properties": _properties(kind, (*names, *computed)),
        "required": [camel(name) for name in (*names, *computed) if name in _ALWAYS or name == ids],
        # A stack of the dynamic kind moves over without replacing anything.
        "aliases": [{"type": f"pulumi-python:dynamic/nugen:{kind.__name__}"}],
    }


def _settings() -> dict[str, Any]:
    described = _section(explicit_provider.Provider, "Args")
    return {
        camel(name): {**_TYPES[name], "description": _plain(text)}
        for name, text in described.items()
        if f"nugen:{camel(name)}" in VARIABLES
    }


def _properties(kind: type, names: tuple[str, ...]) -> dict[str, Any]:
    described = _attributes(kind)
    return {camel(name): {**_TYPES[name], "description": _plain(described[name])} for name in names}


def _attributes(kind: type) -> dict[str, str]:
    """Return the docstrings of a class's attributes, which Python itself does not keep."""
    tree = ast.parse(Path(inspect.getfile(kind)).read_text())
    names = {kind.__name__, *(["_AlwaysThere"] if kind is state.FleetModel else [])}
    found = {}
    for node in (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in names):
        for attribute, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(attribute, ast.AnnAssign) and isinstance(text, ast.Expr):
                found[ast.unparse(attribute.target)] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return found


def _section(documented: Callable[..., Any], title: str) -> dict[str, str]:
    """Return the names and texts of one section of a docstring."""
    lines = (inspect.getdoc(documented) or "").partition(f"{title}:\n")[2].splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        if not line.startswith(" "):
            break
        if named := re.fullmatch(r" {4}(\w+): (.*)", line):
            name, found[named[1]] = named[1], named[2]
        else:
            found[name] += " " + line.strip()
    return found


def _summary(documented: Callable[..., Any]) -> str:
    return (inspect.getdoc(documented) or "").partition("\n\nArgs:")[0].partition("\nSource:")[0]


def _plain(text: str) -> str:
    """Put a docstring into words that fit all languages: camelCase names, and JSON's words for values."""
    text = re.sub(r":\w+:`~?\.?([\w.]+)`", r"``\1``", text)
    text = re.sub(r"\*(\w+)\*", r"``\1``", text)
    text = re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda match: camel(match[0]), text)
    for python, others in _WORDS.items():
        text = re.sub(python, others, text)
    return " ".join(text.split())
