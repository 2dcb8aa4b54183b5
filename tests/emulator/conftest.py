import httpx
import pytest
from harness import KEY


@pytest.fixture
def api(emulator):
    """A client of the shared emulator, with its key."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=emulator.url, headers=headers, trust_env=False) as client:
        yield client
