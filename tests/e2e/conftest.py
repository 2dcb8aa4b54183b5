"""Stacks that speak to an emulator."""

import pytest
from harness import KEY
from harness.stack import Stack


@pytest.fixture
def stack(tmp_path, emulator):
    """Make a stack from a program; its settings come from the environment."""

    def make(program, **env):
        settings = {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url}
        return Stack(tmp_path, program, {**settings, **env})

    return make
