"""Convert properties between the plugin's protocol (camelCase) and the operations (snake_case)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi import Asset, StringAsset
from pulumi.output import Unknown
from pulumi.runtime import rpc

from nugen_pulumi.api.statuses import PULUMI_SIGNATURE
from nugen_pulumi.operations.inputs import NAMES
from nugen_pulumi.operations.outputs import NAMING_MODELS, OF_DEPLOYED, OF_FLEET, OF_MODEL

# Source: pulumi/runtime/rpc.py, the SDK's own spelling of these.
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - it marks secrets, and is none

# The key by which state of the dynamic face holds its pickled provider.
PICKLED = "__provider"


def camel(name: str) -> str:
    """Return ``timeoutSeconds`` for ``timeout_seconds``."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


_SNAKE = {camel(name): name for name in (*NAMES, *OF_MODEL, *OF_DEPLOYED, *OF_FLEET)}
# Not what the API wrote: "path.model_id".
_SPELT = re.compile(rf"(?<![.\w])({'|'.join(name for name in NAMES if '_' in name)})\b")


def spelt(message: str) -> str:
    """Return *message* with the names of inputs as other languages spell them."""
    return _SPELT.sub(lambda match: camel(match[1]), message)


def read(properties: struct_pb2.Struct | None) -> dict[str, Any]:
    """
    Return properties as the operations know them: secrets bare, unknown values as ``Unknown``, no nulls.

    Those of the dynamic face are read, too: a stack may be moving over.
    """
    if properties is None:
        return {}
    plain = {_SNAKE.get(name, name): _plain(value) for name, value in properties.fields.items() if name != PICKLED}
    if isinstance(models := plain.get("models"), dict):
        plain["models"] = {model_id: _renamed(model, _SNAKE) for model_id, model in models.items()}
    return {name: value for name, value in plain.items() if value is not None}


def secret_names(properties: struct_pb2.Struct) -> set[str]:
    """Return the names of the properties that are secrets, hold one, or name a model whose id is one."""
    names = {_SNAKE.get(name, name) for name, value in properties.fields.items() if _holds_secret(value)}
    return names | {*NAMING_MODELS} if "model_ids" in names else names


def holds_in_clear(olds: struct_pb2.Struct, news: struct_pb2.Struct) -> bool:
    """Tell whether state holds something in clear text that the program says is a secret now."""
    fields = [olds.fields.get(camel(name)) for name in secret_names(news)]
    return any(value is not None and not _holds_secret(value) for value in fields)


def written(
    state: Mapping[str, Any], unknown: tuple[str, ...] = (), secret: Collection[str] = frozenset()
) -> struct_pb2.Struct:
    """
    Return properties as the engine knows them.

    Args:
        state: What the operations return.
        unknown: Names of properties whose value is not known before an update.
        secret: Names of properties that are secrets.
    """
    named = {camel(name): value for name, value in state.items() if value is not None}
    if isinstance(models := named.get("models"), dict):
        named["models"] = {
            model_id: {camel(name): value for name, value in model.items() if value is not None}
            for model_id, model in models.items()
        }
    named |= dict.fromkeys(map(camel, unknown), rpc.UNKNOWN)
    for name in map(camel, secret):
        if name in named:
            named[name] = {PULUMI_SIGNATURE: _SECRET, "value": named[name]}
    message = struct_pb2.Struct()
    message.update(_known(named))
    return message


def _holds_secret(value: struct_pb2.Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        marked = PULUMI_SIGNATURE in fields and fields[PULUMI_SIGNATURE].string_value == _SECRET
        return marked or any(map(_holds_secret, fields.values()))
    return kind == "list_value" and any(map(_holds_secret, value.list_value.values))


def _renamed(model: Any, names: Mapping[str, str]) -> Any:
    return {names.get(name, name): value for name, value in model.items()} if isinstance(model, dict) else model


def _known(value: Any) -> Any:
    """Spell unknown values as the engine does."""
    if isinstance(value, Unknown):
        return rpc.UNKNOWN
    if isinstance(value, Mapping):
        return {name: _known(item) for name, item in value.items()}
    if isinstance(value, Asset):
        return None  # refused by Check, which has to answer all the same
    return [_known(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if PULUMI_SIGNATURE in fields:
            # Of what is not a secret only assets can come here; inputs refuse these.
            return _plain(fields["value"]) if fields[PULUMI_SIGNATURE].string_value == _SECRET else StringAsset("")
        return {name: _plain(item) for name, item in fields.items()}
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "string_value":
        return Unknown() if value.string_value == rpc.UNKNOWN else value.string_value  # type: ignore[no-untyped-call]
    return None if kind in (None, "null_value") else getattr(value, kind)
