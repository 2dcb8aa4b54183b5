"""The shape of the package, checked from outside."""

import ast
import asyncio
import base64
import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import dill
import pytest
from pulumi.dynamic.dynamic import serialize_provider

import nugen_pulumi
from nugen_pulumi import (
    GetUndeployStatusResult,
    Provider,
    UndeployedModel,
    UndeployedModels,
    get_undeploy_status,
    get_undeploy_status_output,
    inputs,
    outputs,
    provider,
    settings,
    state,
)

PACKAGE = Path(nugen_pulumi.__file__).parent

# From the bottom up: a module imports only from rows above its own.
ORDER = [
    {
        "_version",
        "budget",
        "cancellation",
        "debug_log",
        "errors",
        "explicit_provider",
        "formatting",
        "loop",
        "outage",
        "pace",
        "time_limit",
        "live_line",
    },
    {"redaction", "statuses", "waiter"},
    {"models", "response", "settings", "inputs"},
    {"transient_errors", "proxies", "state"},
    {"outputs"},
    {"action", "connections", "network_errors", "request", "request_queue"},
    {"messages"},
    {"facts", "pool"},
    {"dispatcher"},
    {"client"},
    {"undeployment"},
    {"fleet"},
    {"runtime"},
    {"call", "operation"},
    {"host", "model_operations", "fleet_operations", "wire"},
    {"provider", "servicer"},
    {"plugin"},
    {"resource", "lookup"},
    {"schema"},
    {"__init__"},
]

# The pickled providers of every release, as they stand in users' state. Lines are added, never removed or changed.
RELEASED = {
    "gASVOAAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMF1VuZGVwbG95ZWRNb2RlbFByb3ZpZGVylJOUKYGULg==": (
        provider.UndeployedModelProvider  # 0.1.0
    ),
    "gASVOQAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMGFVuZGVwbG95ZWRNb2RlbHNQcm92aWRlcpSTlCmBlC4=": (
        provider.UndeployedModelsProvider  # 0.1.0
    ),
}


def imports_of(path):
    """Return the package's own modules that *path* imports anywhere, for types only apart."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nugen_pulumi":
            names = [node.module] if "." in node.module else [f"nugen_pulumi.{alias.name}" for alias in node.names]
            found |= {name.split(".")[1] for name in names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("nugen_pulumi.")}
    return found


def test_imports_point_one_way():
    rank = {name: row for row, names in enumerate(ORDER) for name in names}
    modules = {path.stem: imports_of(path) for path in PACKAGE.glob("*.py")}
    # Only who makes an SDK asks for the schema, which describes what programs see.
    modules["servicer"] -= {"schema"}
    against = {(name, other) for name, used in modules.items() for other in used if rank[other] >= rank[name]}

    assert set(rank) == set(modules)
    assert set() == against


def test_the_core_knows_no_face():
    """What an operation decides, and all below, can serve another host as it is."""
    below, reached = {"model_operations", "fleet_operations"}, set()
    while below:
        name = below.pop()
        reached.add(name)
        below |= imports_of(PACKAGE / f"{name}.py") - reached

    assert set() == reached & {"call", "host", "provider", "resource", "cancellation", "plugin", "servicer", "wire"}


def test_the_emulator_knows_nothing_of_the_rest():
    used = set().union(*(imports_of(path) for path in (PACKAGE / "emulator").glob("*.py")))

    assert {"emulator"} == used


def test_importing_the_package_loads_neither_httpx_nor_pydantic(tmp_path):
    """What users' programs import stays light."""
    script = "import sys, nugen_pulumi; print(*sorted({'httpx', 'pydantic', 'fastapi'} & {*sys.modules}))"
    # From elsewhere: `-c` imports from where it starts, and it is the installed package that counts.
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)

    assert "" == run.stdout.strip()


def parameters(function):
    return set(inspect.signature(function).parameters) - {"self", "cls", "resource_name", "opts"}


RESOURCES = [
    (UndeployedModel, "model_id", outputs.OF_MODEL, state.ModelState),
    (UndeployedModels, "model_ids", outputs.OF_FLEET, state.FleetState),
]


@pytest.mark.parametrize(("resource", "ids", "computed", "kept"), RESOURCES)
def test_every_place_knows_each_input_and_each_output(resource, ids, computed, kept):
    given = {ids, *inputs.Given.__annotations__}

    assert given == parameters(resource.__init__)
    assert given | set(computed) == set(resource.__annotations__)
    assert given | set(computed) == set(get_type_hints(kept))
    assert given == {name for name in inputs.NAMES if name not in ("model_id", "model_ids")} | {ids}


def test_both_resources_and_get_take_the_same_inputs():
    one, many = (inspect.signature(resource.__init__).parameters for resource, *_ in RESOURCES)
    get = inspect.signature(UndeployedModel.get).parameters

    assert {str(one[name]) for name in inputs.Given.__annotations__} == {
        str(many[name]) for name in inputs.Given.__annotations__
    }
    assert parameters(UndeployedModel.get) == {*inputs.Given.__annotations__} - {"undeploy", "triggers"} | {"id"}
    assert [one[name].default for name in get if name in inputs.Given.__annotations__] == [
        parameter.default for name, parameter in get.items() if name in inputs.Given.__annotations__
    ]
    assert inputs.DEFAULTS == {name: one[name].default for name in inputs.DEFAULTS}


def test_every_place_knows_each_output_of_a_model():
    fields = {*GetUndeployStatusResult.__dataclass_fields__} - {"model_id"}

    assert set(outputs.OF_MODEL) == fields == set(get_type_hints(state.FleetModel))


def test_every_place_knows_each_setting(monkeypatch):
    given = {}

    def register(_self, _type, _name, props, _opts):
        given.update(props)

    async def main():  # outputs need a loop
        Provider("p", **dict.fromkeys(parameters(Provider.__init__), "1"))

    monkeypatch.setattr("pulumi.ProviderResource.__init__", register)
    asyncio.run(main())

    assert set(settings.VARIABLES) == set(given)
    assert len(settings.VARIABLES) == len(settings.Settings.__dataclass_fields__) - 2, (
        "all but where URL and key are from"
    )
    assert parameters(get_undeploy_status) - {"model_id"} == parameters(Provider.__init__) - {"max_concurrent_requests"}
    assert parameters(get_undeploy_status_output) == parameters(get_undeploy_status)


def test_all_names_what_is_public_in_order():
    assert sorted(nugen_pulumi.__all__) == nugen_pulumi.__all__
    assert all(callable(getattr(nugen_pulumi, name)) for name in nugen_pulumi.__all__)
    assert nugen_pulumi.__all__ == dir(nugen_pulumi)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = nugen_pulumi.nothing


@pytest.mark.parametrize("pickled", RELEASED)
def test_state_of_every_release_still_loads(pickled):
    """Compared by loading: Python's versions pickle the same class differently."""
    assert isinstance(dill.loads(base64.b64decode(pickled)), RELEASED[pickled])


@pytest.mark.parametrize("kind", [provider.UndeployedModelProvider, provider.UndeployedModelsProvider])
def test_a_pickled_provider_is_a_name_and_nothing_more(kind):
    """Bytecode in state would be a release that cannot be repaired."""
    assert kind is RELEASED.get(serialize_provider(kind()))
    assert kind.serialize_as_secret_always is False


@pytest.mark.parametrize(
    "documented",
    [UndeployedModel, UndeployedModel.get, UndeployedModels, Provider, get_undeploy_status, get_undeploy_status_output],
)
def test_what_a_program_calls_has_an_example_of_that_call(documented):
    example = inspect.getdoc(documented).split("Example:")[1].strip().strip("`")
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(example)) if isinstance(node, ast.Call)}

    assert documented.__qualname__ in called
