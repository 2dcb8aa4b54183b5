"""At home in the engine: what users meet when waits are many, end badly, or are ended."""

import os
import re
import signal

import pytest
from harness import until

from nugen_pulumi.emulator import catalogue

EVER = {"undeploy_seconds": float("inf"), "state": "UNDEPLOYING"}

PROGRAM = """
import pulumi
from nugen_pulumi import UndeployedModel

for name in {names}:
    UndeployedModel(name, model_id=name, **{arguments})
"""


def program(*names, **arguments):
    return PROGRAM.format(names=list(names or ("m-1",)), arguments=arguments)


def poll(name="m-1"):
    return ("GET", f"/api/v3/models/undeploy-model/{name}/status")


def ask(name="m-1"):
    return ("DELETE", f"/api/v3/models/undeploy-model/{name}")


def init_errors(stack):
    """Return the init errors of our resources in state by name."""
    return {name: resource.get("initErrors", []) for name, resource in stack.models.items()}


def statuses(stack):
    """Return the statuses in state, a fleet's models among them, by name."""
    kept = {name: resource["outputs"] for name, resource in stack.models.items()}
    fleets = [outputs.pop("models") for outputs in kept.values() if "models" in outputs]
    return {name: model["status"] for models in (kept, *fleets) for name, model in models.items() if "status" in model}


def test_64_models_are_waited_for_at_once(stack, emulator):
    """None is over before all have been polled, which sixteen at a time would never come to."""
    names = [f"m-{i}" for i in range(64)]
    for name in names:
        emulator.add(name, **EVER)
    stack = stack(program(*names))
    up = stack.start("up", "--yes", "--skip-preview", "-p", "64")
    until(lambda: len({path for _, path in emulator.requests}) == 64)
    for name in names:
        emulator.script(name, "COMPLETED")
    output, _ = up.communicate(timeout=120)

    assert 0 == up.returncode, output
    assert "Diagnostics" not in output
    assert {"COMPLETED"} == set(statuses(stack).values())


@pytest.mark.parametrize("tree", [False, True], ids=["Ctrl-C", "SIGTERM to the whole tree"])
def test_an_interrupted_up_keeps_what_was_learnt_and_the_next_one_goes_on(stack, emulator, tree):
    """Three waits and a fleet, one signal, all in state; the DELETE is not sent again."""
    fleet, alone = ["f-0", "f-1", "f-2"], ["m-0", "m-1", "m-2"]
    names = fleet + alone
    for name in names:
        emulator.add(name, undeploy_seconds=float("inf"))
    stack = stack(
        f"from nugen_pulumi import UndeployedModels\nUndeployedModels('fleet', model_ids={fleet}, undeploy=True)\n"
        + program(*alone, undeploy=True)
    )
    up = stack.start("up", "--yes", "--skip-preview")
    # Who polls again has read what was answered before.
    until(lambda: all(emulator.requests.count(poll(name)) > 1 for name in names))
    if tree:
        stack.terminate(up)
    else:
        os.kill(up.pid, signal.SIGINT)
    output, _ = up.communicate(timeout=60)

    assert 0 != up.returncode
    assert "Traceback" not in output
    assert "The next `pulumi up` continues to wait." in output
    assert dict.fromkeys(names, "PENDING") == statuses(stack)
    assert all(": interrupted after " in error for [error] in init_errors(stack).values())
    assert [] == stack.state.get("pending_operations", [])
    until(lambda: not stack.providers())

    for name in names:
        emulator.script(name, "COMPLETED")
    stack.up().ok()
    assert dict.fromkeys(names, "COMPLETED") == statuses(stack)
    assert {name: [] for name in ("fleet", *alone)} == init_errors(stack)
    assert [1] * 6 == [emulator.requests.count(ask(name)) for name in names]


def test_failed_and_timed_out_models_are_kept_and_resumed(stack, emulator):
    """Each with its sentence and no traceback; what is asked for again is only what FAILED."""
    emulator.add("fails", undeploy_seconds=0, fails="GPU on fire.")
    emulator.add("slow", undeploy_seconds=float("inf"))
    stack = stack(program("fails", "slow", undeploy=True, timeout_seconds=1))
    output = stack.up().output

    assert "Traceback" not in output
    assert (
        "Model fails was not undeployed: GPU on fire. The next `pulumi up` requests the undeployment again." in output
    )
    assert re.search(r"Model slow is not undeployed after \d+s: its last status(, \d+s ago,)? was PENDING\.", output)
    assert {"fails": "FAILED", "slow": "PENDING"} == statuses(stack)

    emulator.add("fails", undeploy_seconds=0)
    emulator.script("slow", "COMPLETED")
    stack.up().ok()
    assert {"fails": "COMPLETED", "slow": "COMPLETED"} == statuses(stack)
    assert (2, 1) == (emulator.requests.count(ask("fails")), emulator.requests.count(ask("slow")))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (403, "the Nugen API does not accept the API key (403: Could not validate credentials."),
        (catalogue.model_not_found(), "the Nugen API knows no such model, or it belongs to another account"),
        (catalogue.quota_exhausted(), "the Nugen account is out of credits (429: Quota limit reached."),
    ],
)
def test_what_the_api_rejects_is_a_sentence_and_leaves_nothing(stack, emulator, answer, says):
    emulator.script("m-1", answer)
    stack = stack(program())
    output = stack.up().output

    assert f"error: Model m-1: {says}" in output
    assert "Traceback" not in output
    assert {} == stack.models


def test_custom_timeouts_are_honoured(stack, emulator):
    emulator.add("m-1", **EVER)
    stack = stack(
        """
import pulumi
from nugen_pulumi import UndeployedModel

UndeployedModel("m-1", pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s")), model_id="m-1")
"""
    )

    assert re.search(r"Model m-1 is not undeployed after \d+s:", stack.up().output)


def test_the_live_line_is_in_the_row_while_it_waits_and_gone_afterwards(stack, emulator):
    emulator.add("m-1", undeploy_seconds=1.5)
    stack = stack(program(undeploy=True))
    output = stack.up("--color", "never").ok().output

    assert re.search(r"m-1 creating \(\d+s\) PENDING", output)
    assert "Diagnostics" not in output


def test_an_engine_that_was_killed_leaves_no_provider_behind(stack, emulator):
    """After `pulumi cancel` the next `up` works."""
    emulator.add("m-1", **EVER)
    stack = stack(program())
    up = stack.start("up", "--yes", "--skip-preview")
    until(lambda: len(emulator.requests) > 2)
    providers = stack.providers()
    up.kill()
    up.communicate(timeout=60)

    assert 1 == len(providers)
    until(lambda: not stack.providers())
    asked = len(emulator.requests)

    stack("cancel", "--yes").ok()
    emulator.script("m-1", "COMPLETED")
    stack.up().ok()
    assert asked + 1 == len(emulator.requests)
    assert {"m-1": "COMPLETED"} == statuses(stack)


def test_drift_is_seen_by_refresh_and_repaired_by_the_next_up(stack, emulator):
    """With undeploy=True a model that somebody deployed again is undeployed again."""
    emulator.add("m-1", undeploy_seconds=0)
    stack = stack(program(undeploy=True))
    stack.up().ok()
    emulator.redeploy("m-1")
    refreshed = stack.refresh().ok()

    assert "warning: Model m-1 is no longer undeployed: No active undeployment. Model status is D" in refreshed.output
    assert {"m-1": "FAILED"} == statuses(stack)
    assert "1 to update" in stack.preview().ok().output

    stack.up().ok()
    assert {"m-1": "COMPLETED"} == statuses(stack)
    assert 2 == emulator.requests.count(ask())


def test_a_refresh_that_fails_never_loses_the_model(stack, emulator):
    """A wrong route, a bad key, an API that cannot be reached: none of them is absence."""
    emulator.script("m-1", "COMPLETED", catalogue.wrong_route(), 403)
    stack = stack(program())
    stack.up().ok()
    runs = [stack.refresh(), stack.refresh()]
    stack.env["NUGEN_BASE_URL"] = "http://127.0.0.1:9"
    runs.append(stack.refresh())

    for run, says in zip(
        runs,
        ("has no such endpoint", "does not accept the API key", "cannot connect (Connection refused) to"),
        strict=True,
    ):
        assert 0 != run.code
        assert says in run.output
        assert "Traceback" not in run.output
    assert {"m-1": "COMPLETED"} == statuses(stack)


def test_get_of_a_missing_model_is_an_error_in_preview_and_up(stack):
    stack = stack('from nugen_pulumi import UndeployedModel\nUndeployedModel.get("m-1", "m-1")\n')

    for run in (stack.preview(), stack.up()):
        assert 0 != run.code
        assert "Model m-1: the Nugen API knows no such model" in run.output
        assert "Traceback" not in run.output
