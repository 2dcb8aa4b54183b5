"""One poll from the program itself."""

import asyncio
import os
import re
import signal
import subprocess
import sys

import pulumi
import pytest
from harness import KEY, needs_signals, until

from nugen_pulumi import (
    GetUndeployStatusResult,
    InputError,
    ModelNotFoundError,
    RejectedError,
    SettingsError,
    UnavailableError,
    get_models,
    get_models_output,
    get_undeploy_status,
    get_undeploy_status_output,
)
from nugen_pulumi.emulator import Answer, catalogue, faults

pytestmark = pytest.mark.usefixtures("shared")
POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")


@pytest.fixture
def account(emulator, monkeypatch):
    """The emulator, where the environment names it and its key."""
    monkeypatch.setenv("NUGEN_API_KEY", KEY)
    monkeypatch.setenv("NUGEN_BASE_URL", emulator.url)
    shape = emulator.list_shape
    yield emulator
    emulator.list_shape = shape


def test_a_poll_returns_what_is_said(account):
    account.script("m-1", catalogue.failed("GPU on fire."))
    seen = get_undeploy_status("m-1")

    assert isinstance(seen, GetUndeployStatusResult)
    assert ("m-1", "FAILED", False, "GPU on fire.") == (seen.model_id, seen.status, seen.undeployed, seen.error)
    assert [POLL] == account.requests


def test_a_poll_works_while_a_loop_runs(account):
    """A Pulumi program runs in one."""
    account.script("m-1", "PENDING")

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


def test_a_missing_model_is_an_error(account):
    with pytest.raises(ModelNotFoundError):
        get_undeploy_status("m-1")


def test_what_cannot_be_is_refused_before_anything_is_sent():
    with pytest.raises(InputError, match="model_id must not contain"):
        get_undeploy_status("a/b")
    with pytest.raises(SettingsError, match="There is no Nugen API key"):
        get_undeploy_status("m-1")


def test_the_output_form_takes_inputs(account):
    account.script("m-1", "COMPLETED")

    async def program():
        return await get_undeploy_status_output(pulumi.Output.from_input("m-1")).future()

    assert asyncio.run(program()).undeployed


@pytest.mark.parametrize("shape", ["old", "new"])
def test_the_models_of_an_account_are_data(account, shape):
    account.list_shape = shape
    account.add("on", state="DEPLOYED")
    account.add("off", state="UNDEPLOYED")
    models = {model["model_id"]: model for model in get_models().models}

    assert {"on": True, "off": False} == {model_id: model["deployed"] for model_id, model in models.items()}
    assert ("on", "emulated-base-model", "DEPLOYED") == tuple(
        models["on"][name] for name in ("name", "base_model", "deployment_status")
    )
    assert ["on"] == [model["model_id"] for model in get_models(deployed=True).models]
    assert ["off"] == [model["model_id"] for model in get_models(deployed=False).models]


PAGE = "an HTML page (Sign in) instead of the API's response: check the base URL (from NUGEN_BASE_URL)."


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"x": 1}, UnavailableError, "no usable response: an unreadable "),
        (faults.html(), UnavailableError, f"no usable response: {PAGE}"),
        (faults.answered("page", Answer(403, "<html><title>Sign in</title>")), RejectedError, PAGE),
        (catalogue.quota_exhausted(), RejectedError, "the Nugen account is out of credits (429: "),
    ],
)
def test_an_error_of_the_list_is_a_sentence_about_the_list(account, answer, kind, message):
    account.script_list(answer)
    with pytest.raises(kind, match=re.escape(f"The list of models: {message}")):
        get_models()


def test_the_list_takes_outputs(account):
    account.add("on")

    async def program():
        return await get_models_output(deployed=pulumi.Output.from_input(True)).future()

    assert ["on"] == [model["model_id"] for model in asyncio.run(program()).models]


def test_a_loop_that_cannot_be_made_is_an_error(account, monkeypatch):
    """It may be one file too many."""

    def refuse():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("nugen_pulumi.waiting.runtime.Loop", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        get_undeploy_status("m-1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_program_looks_up_with_a_loop_of_its_own(emulator):
    emulator.script("m-1", "PENDING", "COMPLETED")
    program = (
        "import os, signal, nugen_pulumi as n; print(n.get_undeploy_status('m-1').status, flush=True);"
        "child = os.fork(); signal.alarm(50);"  # a child that waits for ever ends, too
        "child or print(n.get_undeploy_status('m-1').status, flush=True); child and os.wait()"
    )
    env = {**os.environ, "NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url}
    run = subprocess.run(
        [sys.executable, "-c", program], check=False, env=env, capture_output=True, text=True, timeout=60
    )

    assert ("PENDING\nCOMPLETED\n", 0) == (run.stdout, run.returncode), run.stderr


@needs_signals
def test_ctrl_c_does_not_wait_for_the_response(emulator):
    """A request timeout of an hour: the end of the program would come after that of the test."""
    emulator.script("m-1", faults.hang())
    program = (
        "import signal, nugen_pulumi; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "nugen_pulumi.get_undeploy_status('m-1', request_timeout_seconds=3600)"
    )
    env = {**os.environ, "NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url}
    with subprocess.Popen([sys.executable, "-c", program], env=env, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: [POLL] == emulator.requests)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert said.rstrip().endswith("KeyboardInterrupt")
