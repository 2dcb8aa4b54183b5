"""One poll from the program itself."""

import asyncio

import pulumi
import pytest
from harness import KEY

from nugen_pulumi import (
    GetUndeployStatusResult,
    InputError,
    ModelNotFoundError,
    SettingsError,
    get_undeploy_status,
    get_undeploy_status_output,
)
from nugen_pulumi.emulator import catalogue

POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")


@pytest.fixture
def _environment(emulator, monkeypatch):
    monkeypatch.setenv("NUGEN_API_KEY", KEY)
    monkeypatch.setenv("NUGEN_BASE_URL", emulator.url)


@pytest.mark.usefixtures("_environment")
def test_a_poll_returns_what_is_said(emulator):
    emulator.script("m-1", catalogue.failed("GPU on fire."))
    seen = get_undeploy_status("m-1")

    assert isinstance(seen, GetUndeployStatusResult)
    assert ("m-1", "FAILED", False, "GPU on fire.") == (seen.model_id, seen.status, seen.undeployed, seen.error)
    assert [POLL] == emulator.requests


@pytest.mark.usefixtures("_environment")
def test_a_poll_works_while_a_loop_runs(emulator):
    """A Pulumi program runs in one."""
    emulator.script("m-1", "PENDING")

    async def program():
        return get_undeploy_status("m-1")

    assert "PENDING" == asyncio.run(program()).status


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_arguments_leave_it_to_the_stack_config(emulator, monkeypatch, blank):
    monkeypatch.setenv("NUGEN_API_KEY", "another account's key")
    emulator.script("m-1", "COMPLETED")
    config = {"nugen:apiKey": KEY, "nugen:baseUrl": emulator.url}
    monkeypatch.setattr(pulumi.runtime, "get_config", config.get)

    assert get_undeploy_status("m-1", api_key=blank, base_url=blank).undeployed


def test_arguments_win_over_the_environment(emulator, monkeypatch):
    monkeypatch.setenv("NUGEN_API_KEY", "another key that is no key at all")
    emulator.script("m-1", "COMPLETED")

    assert get_undeploy_status("m-1", api_key=KEY, base_url=emulator.url).undeployed
    with pytest.raises(SettingsError, match="requestTimeoutSeconds must be"):
        get_undeploy_status("m-1", request_timeout_seconds=0)


@pytest.mark.usefixtures("_environment")
def test_a_missing_model_is_an_error():
    with pytest.raises(ModelNotFoundError):
        get_undeploy_status("m-1")


def test_what_cannot_be_is_refused_before_anything_is_sent():
    with pytest.raises(InputError, match="model_id must not contain"):
        get_undeploy_status("a/b")
    with pytest.raises(SettingsError, match="There is no Nugen API key"):
        get_undeploy_status("m-1")


@pytest.mark.usefixtures("_environment")
def test_the_output_form_takes_inputs(emulator):
    emulator.script("m-1", "COMPLETED")

    async def program():
        return await get_undeploy_status_output(pulumi.Output.from_input("m-1")).future()

    assert asyncio.run(program()).undeployed
