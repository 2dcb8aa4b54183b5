"""A provider process that speaks to an emulator."""

import pytest
from harness import KEY
from harness.host import Host


@pytest.fixture(scope="session")
def host_of_session(emulator_of_session):
    """One process for all tests that leave no trace in it: a start takes half a second."""
    with Host({"nugen:apiKey": KEY, "nugen:baseUrl": emulator_of_session.url}) as host:
        yield host


@pytest.fixture
def host(emulator, host_of_session):
    """A provider process."""
    return host_of_session
