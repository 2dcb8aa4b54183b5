"""What every test gets: an environment without anybody's settings, and hypothesis without a stopwatch."""

import os
import signal
from pathlib import Path

import hypothesis
import pytest
from harness import KEY

from nugen_pulumi.emulator import Emulator

# A deadline would be a timed assertion; in CI the same examples run each time.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

HERE = Path(__file__).parent
LEAKING = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


def pytest_configure():
    """Variables and signals of the machine must not leak into a test, nor into a process that a test starts."""
    for name in list(os.environ):
        if name.startswith(("NUGEN_", "PULUMI_")) or name.lower() in LEAKING:
            del os.environ[name]
    # A script's background job ignores SIGINT, and so would its children. What is handled here is the default there.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Mark the tests of a layer by its folder."""
    for item in items:
        layer = item.path.relative_to(HERE).parts[0]
        if layer in ("wire", "e2e"):
            item.add_marker(layer)


@pytest.fixture(scope="session")
def emulator_of_session():
    """One server for all tests."""
    with Emulator(api_key=KEY) as emulator:
        yield emulator


@pytest.fixture
def emulator(emulator_of_session):
    """An empty emulator: a request that nobody foresaw, or an answer that nobody fetched, fails the test."""
    emulator_of_session.reset()
    yield emulator_of_session
    emulator_of_session.verify()


@pytest.fixture
def shared(monkeypatch):
    """No runtime is shared yet; those of the test are closed."""
    runtimes = {}
    monkeypatch.setattr("nugen_pulumi.waiting.runtime._shared", runtimes)
    yield
    for runtime in runtimes.values():
        runtime.close()
