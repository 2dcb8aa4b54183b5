"""The pages of the Pulumi registry say what README and docs say."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("registry", ROOT / "tools" / "registry.py")
registry = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(registry)


@pytest.mark.parametrize("page", registry.pages())
def test_a_page_is_up_to_date(page):
    assert registry.pages()[page] == (ROOT / page).read_text(), "run .venv/bin/python tools/registry.py"
