"""A provider process that speaks to an emulator, of both faces: each claim holds for both."""

import pytest
from harness import KEY
from harness.host import Host


@pytest.fixture(params=["dynamic", "native"], scope="session")
def face(request):
    """Which of the two."""
    return request.param


@pytest.fixture(scope="session")
def host_of_session(emulator_of_session, face):
    """One process for all tests that leave no trace in it: a start takes half a second."""
    settings = {"nugen:apiKey": KEY, "nugen:baseUrl": emulator_of_session.url}
    with Host(settings, native=face == "native") as host:
        yield host


@pytest.fixture
def host(emulator, host_of_session):
    """A provider process."""
    return host_of_session
