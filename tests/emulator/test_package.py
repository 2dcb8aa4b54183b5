"""Without its extra, the emulator says what to install."""

import os
import subprocess
import sys

import pytest


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
