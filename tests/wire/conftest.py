"""A provider process that speaks to an emulator, of both faces: each claim holds for both."""

import pytest
from harness import KEY
from harness.host import Host


@pytest.fixture(params=["dynamic", "native"], scope="session")
def face(request):
    """Which of the two."""
    return request.param


@pytest.fixture(scope="session")
def start_in_session(emulator_of_session, face):
    """What starts a process of this face."""
    settings = {"nugen:apiKey": KEY, "nugen:baseUrl": emulator_of_session.url}
    return lambda config=settings, **how: Host(config, native=face == "native", **how)


@pytest.fixture
def start(emulator, start_in_session):
    """What starts a process for one test, which is told of an engine, or has another provider."""
    return start_in_session


@pytest.fixture
def own_host(start):
    """A provider process that this test may ruin."""
    with start() as host:
        yield host


@pytest.fixture(scope="session")
def host_of_session(start_in_session):
    """One process for all tests that leave no trace in it: a start takes half a second."""
    with start_in_session() as host:
        yield host


@pytest.fixture
def host(emulator, host_of_session):
    """A provider process."""
    return host_of_session
