import sys

import httpx
import pytest
from harness import KEY

# schemathesis needs Python 3.11.
collect_ignore = ["test_documented.py"] if sys.version_info < (3, 11) else []


@pytest.fixture
def api(emulator):
    """A client of the shared emulator, with its key."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=emulator.url, headers=headers, trust_env=False) as client:
        yield client
