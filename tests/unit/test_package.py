"""The shape of the package, checked from outside."""

import ast
import asyncio
import base64
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import dill
import pytest
from pulumi.dynamic.dynamic import serialize_provider

import nugen_pulumi
from nugen_pulumi import (
    DeployedModel,
    FleetModel,
    GetUndeployStatusResult,
    Provider,
    UndeployedModel,
    UndeployedModels,
    get_models,
    get_models_output,
    get_undeploy_status,
    get_undeploy_status_output,
    provider,
    settings,
)
from nugen_pulumi.operations import inputs, outputs

PACKAGE = Path(nugen_pulumi.__file__).parent

# From the top down: a folder, or a module beside the folders, imports only from lines below its own.
ORDER = [
    "__main__",
    "doctor",
    "__init__",
    "deployed_model",
    "undeployed_model",
    "account",
    "get",
    "provider",
    "functions",
    "plugin",
    "engine",
    "operations",
    "waiting",
    "api",
    "http",
    "settings",
    "errors",
    "text",
    "_version",
]

# The pickled providers of every release, as they stand in users' state. Lines are added, never removed or changed.
RELEASED = {
    "gASVOAAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMF1VuZGVwbG95ZWRNb2RlbFByb3ZpZGVylJOUKYGULg==": (
        provider.UndeployedModelProvider  # 0.1.0
    ),
    "gASVOQAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMGFVuZGVwbG95ZWRNb2RlbHNQcm92aWRlcpSTlCmBlC4=": (
        provider.UndeployedModelsProvider  # 0.1.0
    ),
    "gASVNgAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMFURlcGxveWVkTW9kZWxQcm92aWRlcpSTlCmBlC4=": (
        provider.DeployedModelProvider  # not released yet
    ),
    # The same, as Python 3.14 writes them.
    "gAWVOAAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMF1VuZGVwbG95ZWRNb2RlbFByb3ZpZGVylJOUKYGULg==": (
        provider.UndeployedModelProvider
    ),
    "gAWVOQAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMGFVuZGVwbG95ZWRNb2RlbHNQcm92aWRlcpSTlCmBlC4=": (
        provider.UndeployedModelsProvider
    ),
    "gAWVNgAAAAAAAACMFW51Z2VuX3B1bHVtaS5wcm92aWRlcpSMFURlcGxveWVkTW9kZWxQcm92aWRlcpSTlCmBlC4=": (
        provider.DeployedModelProvider
    ),
}


def imports_of(path):
    """Return the package's own modules that *path* imports anywhere, for types only apart."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in typing_only and node.module.startswith("nugen_pulumi"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if find_spec(name) else node.module)
    return {name.removeprefix("nugen_pulumi.") for name in found}


def find_spec(name):
    """Tell whether *name* is a module, without importing it."""
    return (PACKAGE.parent / f"{name.replace('.', '/')}.py").exists()


MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if "emulator" not in path.parts
}


def lot(module):
    """Return the folder of a module, or its own name."""
    return module.split(".")[0]


def test_imports_point_one_way():
    rank = {name: row for row, name in enumerate(ORDER)}
    used = {(lot(module), lot(other)) for module, path in MODULES.items() for other in imports_of(path)}

    assert set(ORDER) == {lot(module) for module in MODULES}
    assert [] == sorted((above, below) for above, below in used if above != below and rank[above] > rank[below])


def test_no_folder_imports_in_a_circle():
    below = {module: imports_of(path) for module, path in MODULES.items()}
    while leaves := {module for module, used in below.items() if not used & set(below)}:
        below = {module: used for module, used in below.items() if module not in leaves}

    assert {} == below


def test_the_emulator_knows_nothing_of_the_rest():
    modules = list((PACKAGE / "emulator").glob("*.py"))
    text = "".join(path.read_text("utf-8") for path in modules)

    assert {"emulator"} == {lot(module) for path in modules for module in imports_of(path)}
    assert not re.search(r"^\s*(import|from) (pulumi|httpx)", text, re.MULTILINE)


def test_importing_the_package_loads_neither_httpx_nor_pydantic(tmp_path):
    """What users' programs import stays light."""
    script = "import sys, nugen_pulumi; print(*sorted({'httpx', 'pydantic', 'fastapi'} & {*sys.modules}))"
    # From elsewhere: `-c` imports from where it starts, and it is the installed package that counts.
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)

    assert "" == run.stdout.strip()


def parameters(function):
    return set(inspect.signature(function).parameters) - {"self", "cls", "resource_name", "opts"}


RESOURCES = [(UndeployedModel, "model_id", outputs.OF_MODEL), (UndeployedModels, "model_ids", outputs.OF_FLEET)]
INPUTS = set(inputs.NAMES) - {"model_id", "model_ids"}


def test_every_place_knows_each_input_and_each_output_of_a_deployed_model():
    given = {"model_id", *INPUTS} - {"undeploy", "on_failure"}

    assert given == parameters(DeployedModel.__init__)
    assert given | set(outputs.OF_DEPLOYED) == set(DeployedModel.__annotations__)
    assert parameters(DeployedModel.get) == given - {"model_id", "triggers"} | {"id"}
    assert inputs.DEPLOYED_DEFAULTS.items() <= inputs.DEFAULTS.items()


@pytest.mark.parametrize(("resource", "ids", "computed"), RESOURCES)
def test_every_place_knows_each_input_and_each_output(resource, ids, computed):
    given = {ids, *INPUTS}

    assert given == parameters(resource.__init__)
    assert given | set(computed) == set(resource.__annotations__)


def test_both_resources_and_get_take_the_same_inputs():
    one, many = (inspect.signature(resource.__init__).parameters for resource, *_ in RESOURCES)
    get = inspect.signature(UndeployedModel.get).parameters

    assert {str(one[name]) for name in INPUTS} == {str(many[name]) for name in INPUTS}
    assert parameters(UndeployedModel.get) == INPUTS - {"undeploy", "triggers"} | {"id"}
    assert [one[name].default for name in get if name in INPUTS] == [
        parameter.default for name, parameter in get.items() if name in INPUTS
    ]
    assert inputs.DEFAULTS == {name: one[name].default for name in inputs.DEFAULTS}


def test_every_place_knows_each_output_of_a_model():
    """A look-up requests nothing that could be unconfirmed."""
    fields = {*GetUndeployStatusResult.__dataclass_fields__, "unconfirmed"} - {"model_id"}

    assert set(outputs.OF_MODEL) == fields == set(get_type_hints(FleetModel))


def test_every_place_knows_each_setting(monkeypatch):
    given = {}

    def register(_self, _type, _name, props, _opts):
        given.update(props)

    async def main():  # outputs need a loop
        Provider("p", **dict.fromkeys(parameters(Provider.__init__), "1"))

    monkeypatch.setattr("pulumi.ProviderResource.__init__", register)
    asyncio.run(main())

    assert {*settings.VARIABLES, settings.PROVIDER} == set(given)
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


@pytest.mark.parametrize(
    "kind", [provider.UndeployedModelProvider, provider.UndeployedModelsProvider, provider.DeployedModelProvider]
)
def test_a_pickled_provider_is_a_name_and_nothing_more(kind):
    """Bytecode in state would be a release that cannot be repaired."""
    assert kind is RELEASED.get(serialize_provider(kind()))
    assert kind.serialize_as_secret_always is False


@pytest.mark.parametrize(
    "documented",
    [
        DeployedModel,
        DeployedModel.get,
        get_models,
        get_models_output,
        UndeployedModel,
        UndeployedModel.get,
        UndeployedModels,
        Provider,
        get_undeploy_status,
        get_undeploy_status_output,
    ],
)
def test_what_a_program_calls_has_an_example_of_that_call(documented):
    example = inspect.getdoc(documented).split("Example:")[1].strip().strip("`")
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(example)) if isinstance(node, ast.Call)}

    assert documented.__qualname__ in called
