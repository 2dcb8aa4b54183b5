"""Many waits behind one hostile or limited API, through the real engine: nothing lost, nothing wrong recorded."""

import ssl
from collections import Counter

import pytest
import trustme
from harness import KEY
from harness.stack import Stack

from nugen_pulumi.emulator import Emulator, faults

FLEET = """
from nugen_pulumi import UndeployedModels

UndeployedModels("fleet", model_ids=[f"m-{{n}}" for n in range({count})], undeploy={undeploy})
"""
SINGLES = """
from nugen_pulumi import UndeployedModel

for n in range({count}):
    UndeployedModel(f"m-{{n}}", model_id=f"m-{{n}}", undeploy=True)
"""

# A mistake of ours, in one model: the provider process imports this before anything else.
MISTAKE = """
from nugen_pulumi.api.responses import TaskStatus

right = TaskStatus.recorded

def wrong(status):
    if status.model_id == "m-3":
        raise ZeroDivisionError("ours")
    return right(status)

TaskStatus.recorded = wrong
"""


@pytest.fixture
def stack(tmp_path):
    def make(emulator, program, **env):
        return Stack(tmp_path, program, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url, **env})

    return make


def kept(stack):
    return {name: model["status"] for name, model in stack.models["fleet"]["outputs"]["models"].items()}


def deletes(emulator):
    return Counter(path for method, path in emulator.requests if method == "DELETE")


@pytest.fixture
def tls(tmp_path):
    """A server's context, and the file that lets clients trust it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, str(tmp_path / "ca.pem")


def test_damaged_tls_costs_a_fleet_nothing(stack, tls):
    """One DELETE of each ten, and the first status response of each model, are beyond decrypting."""
    context, file = tls
    with Emulator(models="any", tls=context, faults=[faults.damaged()]) as emulator:
        for n in range(0, 100, 10):
            emulator.script_undeploy(f"m-{n}", faults.damaged(carried_out=True))
        run = stack(emulator, FLEET.format(count=100, undeploy=True), SSL_CERT_FILE=file).up().ok()

        assert "Diagnostics" not in run.output
        assert {1} == set(deletes(emulator).values())


def test_responses_that_are_sent_twice_are_recorded_for_their_own_models(stack):
    with Emulator(models="any", faults=[faults.twice()] * 3) as emulator:
        for n in range(0, 100, 2):
            emulator.add(f"m-{n}", fails="GPU on fire.")
        run = stack(emulator, FLEET.format(count=100, undeploy=True))
        output = run.up().output

        assert "50 of 100 models are not undeployed:" in output
        assert {f"m-{n}": "COMPLETED" if n % 2 else "FAILED" for n in range(100)} == kept(run)


def test_results_of_20_mb_and_one_failed(stack):
    with Emulator() as emulator:
        for n in range(200):
            body = {
                "model_id": f"m-{n}",
                "status": "FAILED" if n == 7 else "COMPLETED",
                "result": {"log": "x" * 100_000},
            }
            emulator.script(f"m-{n}", body)
        run = stack(emulator, FLEET.format(count=200, undeploy=False))
        output = run.up().output

        assert "1 of 200 models is not undeployed:" in output
        assert "Model m-7 was not undeployed: no reason given" in output
        assert {f"m-{n}": "FAILED" if n == 7 else "COMPLETED" for n in range(200)} == kept(run)


def test_an_api_that_is_mute_for_longer_than_the_request_timeout_and_then_healthy(stack):
    with Emulator(models="any", faults=[faults.hang()]) as emulator:
        for n in range(0, 30, 10):
            emulator.script_undeploy(f"m-{n}", faults.hang(carried_out=True))
        program = FLEET.format(count=30, undeploy=True)
        run = stack(emulator, program, NUGEN_REQUEST_TIMEOUT_SECONDS="1").up().ok()

        assert "Diagnostics" not in run.output
        assert {1} == set(deletes(emulator).values())


def test_a_mistake_of_ours_in_one_model_costs_the_others_nothing(stack, tmp_path):
    """Its traceback appears once, all others are recorded, and the next `up` repeats no DELETE."""
    (tmp_path / "mistake").mkdir()
    (tmp_path / "mistake" / "sitecustomize.py").write_text(MISTAKE)
    with Emulator(models="any") as emulator:
        run = stack(emulator, FLEET.format(count=20, undeploy=True), PYTHONPATH=str(tmp_path / "mistake"))
        output = run.up().output

        assert "1 of 20 models is not undeployed:" in output
        assert "Model m-3: a bug in nugen-pulumi: ZeroDivisionError: ours." in output
        assert 1 == output.count("Traceback")
        assert {f"m-{n}" for n in range(20)} - {"m-3"} == set(kept(run))

        asked = len(emulator.requests)
        run.env["PYTHONPATH"] = ""
        run.up().ok()
        again = {path.split("/")[5] for _, path in emulator.requests[asked:]}
        assert {"m-3"} == again


def test_a_hundred_resources_behind_a_limit(stack):
    """Each DELETE is carried out once, in one `up`."""
    with Emulator(models="any", rate=50, burst=1, undeploy_seconds=2) as emulator:
        run = stack(emulator, SINGLES.format(count=100)).up("--parallel", "128").ok()

        assert "Diagnostics" not in run.output
        assert 100 == len(deletes(emulator))
        assert {1} == set(deletes(emulator).values())
