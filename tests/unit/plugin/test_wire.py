"""Properties on the wire of the native face."""

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi import StringAsset
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi.plugin.wire import holds_in_clear, read, secret_names, spelt, written

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}


def struct(**fields):
    message = struct_pb2.Struct()
    message.update(fields)
    return message


values = st.recursive(
    st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text().filter(lambda text: text != UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.fixed_dictionaries({"model_id": st.text(min_size=1), "result": values, "poll_interval_seconds": st.floats(0, 9)})
)
def test_what_is_written_is_read(state):
    """Whatever the API answered: its keys are its own."""
    assert read(written(state)) == state


def test_names_are_spelt_for_each_side():
    models = {"a_b": {"status": "COMPLETED", "start_time": "now", "end_time": None}}
    message = written({"model_ids": ["a_b"], "models": models, "error": None})

    assert {"modelIds", "models"} == set(message)
    assert {"a_b": {"status": "COMPLETED", "startTime": "now"}} == {
        name: dict(model) for name, model in message["models"].items()
    }
    assert {"a_b": {"status": "COMPLETED", "start_time": "now"}} == read(message)["models"]


def test_unknown_values_stay_unknown():
    seen = read(struct(modelId=UNKNOWN, triggers=[UNKNOWN], result=None))

    assert isinstance(seen["model_id"], Unknown)
    assert isinstance(seen["triggers"][0], Unknown)
    assert {"modelId": UNKNOWN, "triggers": [UNKNOWN]} == {
        name: list(value) if name == "triggers" else value for name, value in written(seen).items()
    }
    assert "result" not in seen
    assert {} == read(None)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"modelId": "m", "triggers": [1, {"a": "b"}]}, set()),
        ({"triggers": [ASSET]}, set()),
        ({"modelId": {**SECRET, "value": "m"}}, {"model_id"}),
        ({"triggers": [1, {"a": {**SECRET, "value": "b"}}], "wait": True}, {"triggers"}),
        ({"modelIds": ["a", {**SECRET, "value": UNKNOWN}]}, {"model_ids", "models", "pending", "failed"}),
    ],
)
def test_what_is_a_secret_is_written_as_one(fields, names):
    message = struct(**fields)

    assert names == secret_names(message)
    assert names == secret_names(written(read(message), secret=names))


@pytest.mark.parametrize(
    ("olds", "in_clear"),
    [
        ({"modelIds": ["a"]}, True),
        ({"modelIds": {**SECRET, "value": ["a"]}, "failed": ["a"]}, True),
        ({"modelIds": {**SECRET, "value": ["a"]}, "failed": {**SECRET, "value": ["a"]}, "wait": True}, False),
        ({}, False),
    ],
)
def test_what_became_a_secret_is_found_in_clear_text(olds, in_clear):
    news = struct(modelIds={**SECRET, "value": ["a"]}, wait=True)

    assert in_clear is holds_in_clear(struct(**olds), news)


def test_what_an_update_will_tell_of_secret_ids_is_a_secret():
    message = written({"model_ids": ["a"]}, unknown=("models", "undeployed"), secret={"model_ids", "models", "failed"})

    assert UNKNOWN == message["models"]["value"]
    assert UNKNOWN == message["undeployed"]
    assert {"modelIds", "models", "undeployed"} == set(message)


def test_secrets_are_read_bare_assets_as_something_to_refuse_and_models_of_another_shape_as_they_are():
    seen = read(struct(modelId={**SECRET, "value": "m"}, triggers=[{**SECRET, "value": [1]}, ASSET], models={"a": 1}))

    assert ("m", [1], {"a": 1}) == (seen["model_id"], seen["triggers"][0], seen["models"])
    assert isinstance(seen["triggers"][1], StringAsset)
    assert {"models": {"a": {"start_time": "now", "newName": 1.0}}} == (
        read(struct(models={"a": {"startTime": "now", "newName": 1}}))
    )


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        ("raise timeout_seconds.", "raise timeoutSeconds."),
        ("model_ids must be a list", "modelIds must be a list"),
        ("(422: path.model_id: field required)", "(422: path.model_id: field required)"),
        ("Model my_model_id: gone", "Model my_model_id: gone"),
    ],
)
def test_messages_are_spelt_for_the_reader(message, seen):
    assert seen == spelt(message)
