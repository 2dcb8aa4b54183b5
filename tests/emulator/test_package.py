import ast
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import nugen_pulumi.emulator
from nugen_pulumi.emulator import Answer, Traits, catalogue

MODULES = sorted(Path(nugen_pulumi.emulator.__file__).parent.glob("*.py"))


def imports(module):
    """Return the names of all modules that *module* imports."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_alone(module):
    """The emulator knows nothing of the package it tests, nor of its libraries."""
    own = {name for name in imports(module) if name.startswith((".", "nugen_pulumi"))}
    foreign = {name for name in imports(module) if name.split(".")[0] in {"pulumi", "httpx"}}

    assert own == {name for name in own if name.startswith("nugen_pulumi.emulator")}
    assert set() == foreign


def test_modules_are_found():
    """The test above does see the modules."""
    assert {"__main__", "app", "catalogue", "server", "world"} <= {module.stem for module in MODULES}
    assert "nugen_pulumi.emulator.world" in set(imports(next(m for m in MODULES if m.stem == "server")))


@pytest.mark.parametrize(
    ("command", "traceback"),
    [(["-m", "nugen_pulumi.emulator"], False), (["-c", "import nugen_pulumi.emulator"], True)],
)
def test_without_its_extra_it_says_what_to_install(tmp_path, command, traceback):
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError('No module named fastapi', name='fastapi')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, env=env, cwd=tmp_path)

    assert 1 == run.returncode
    assert 'pip install "nugen-pulumi[emulator]"' in run.stderr
    assert traceback == ("Traceback" in run.stderr)


def test_another_missing_module_is_not_hidden(tmp_path):
    (tmp_path / "uvicorn.py").write_text("import nothing_of_this_name")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "nugen_pulumi.emulator"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)

    assert "No module named 'nothing_of_this_name'" in run.stderr


@pytest.mark.parametrize("value", [Answer(), catalogue.pending(), Traits()])
def test_values_are_frozen(value):
    """What may be reused in many scripts cannot be changed in one."""
    with pytest.raises(FrozenInstanceError):
        value.delay = 1.0
