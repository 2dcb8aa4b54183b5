"""Create, read, update and delete through the real host process, with the traffic as part of each claim."""

import base64
import pickle

import pytest
from harness.host import DEFAULTS, done, inputs, refused, status_of, struct
from pulumi.output import Unknown
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi.provider import UndeployedModelProvider

# The engine does not tell the native face whether a read is a program's or an import: it takes one poll.
only_dynamic = pytest.mark.parametrize("face", ["dynamic"], indirect=True)

POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")


def test_create_waits_through_an_outage_and_returns_complete_outputs(host, emulator):
    """And asks exactly three times. Nobody listens at the engine's address of this host, which does not matter."""
    emulator.script("m-1", "PENDING", 503, "completed")
    id_, outputs = host.create(inputs(timeout_seconds=60, triggers=["a"]))

    assert "m-1" == id_
    assert {*inputs(), "timeout_seconds", "triggers", "status", "undeployed", "result", "start_time", "end_time"} == {
        *outputs
    }
    assert ("COMPLETED", True, ["a"]) == (outputs["status"], outputs["undeployed"], outputs["triggers"])
    assert [POLL] * 3 == emulator.requests


def test_bad_settings_are_refused_in_preview_and_a_key_is_needed_only_for_what_does_not_exist_yet(start):
    with start(config={"nugen:baseUrl": "api.nugen.in"}) as host:
        reasons = [reason for _, reason in host.check(inputs())[1]]
    with start(config={}) as host:
        missing, failures = status_of(refused(lambda: host.create(inputs()))).message, host.check(inputs(), done())[1]

    assert "is not an http(s) URL" in reasons[-1]
    assert missing.startswith("There is no Nugen API key: run ")
    assert [] == failures


def test_check_fills_in_defaults_and_names_each_bad_property(host):
    checked, failures = host.check({"model_id": "a/b", "timeout_seconds": True})

    assert DEFAULTS.items() <= checked.items()
    assert [("", "model_id"), ("", "timeout_seconds")] == [(name, reason.split()[0]) for name, reason in failures]


def test_unknown_inputs_pass_check_and_come_back_unknown(host):
    """Also when they are nested."""
    checked, failures = host.check({"model_id": UNKNOWN, "triggers": [UNKNOWN]})

    assert [] == failures
    assert isinstance(checked["model_id"], Unknown)
    assert isinstance(checked["triggers"][0], Unknown)


@pytest.mark.parametrize(
    ("olds", "news", "changes", "replaces"),
    [
        (done(triggers=[1]), inputs(triggers=[1]), False, []),
        (done(), inputs(timeout_seconds=5), True, []),
        (done(triggers=[1]), inputs(model_id=UNKNOWN, triggers=[UNKNOWN]), True, ["model_id", "triggers"]),
        ({**done(), "undeployed": False, "status": "PENDING"}, inputs(), True, []),
    ],
)
def test_diff_replaces_for_id_and_triggers_and_updates_what_is_unsettled(host, olds, news, changes, replaces):
    assert (changes, replaces) == host.diff(olds, news)


@only_dynamic
def test_another_pickle_of_the_provider_is_an_update_without_any_request(host, emulator):
    """Python's versions pickle the same class differently."""
    olds = {**done(), "__provider": base64.b64encode(pickle.dumps(UndeployedModelProvider(), protocol=2)).decode()}
    request = {"olds": struct(olds), "news": host.props(inputs())}
    changes = host.stub.Diff(pb.DiffRequest(id="m-1", urn="urn:m", **request)).changes
    host.stub.Update(pb.UpdateRequest(id="m-1", urn="urn:m", **request))

    assert pb.DiffResponse.DIFF_UNKNOWN == changes
    assert [] == emulator.requests


def test_update_of_what_is_undeployed_and_its_delete_send_nothing(host, emulator):
    news = inputs(timeout_seconds=7)

    assert {**done(), **news} == host.update(done(), news)
    host.delete(done())
    assert [] == emulator.requests


def test_refresh_polls_once_and_stores_what_it_sees(host, emulator):
    emulator.add("m-1")
    id_, outputs = host.refresh(done())

    assert ("m-1", "FAILED", False) == (id_, outputs["status"], outputs["undeployed"])
    assert "No active undeployment. Model status is DEPLOYED." == outputs["error"]
    assert DEFAULTS.items() <= outputs.items()
    assert [POLL] == emulator.requests


def test_refresh_of_a_model_that_is_not_found_says_that_it_is_gone(host):
    assert ("", {}) == host.refresh(done())


@only_dynamic
def test_get_waits_like_create(host, emulator):
    emulator.script("m-1", "PENDING", "COMPLETED")
    id_, outputs = host.get("m-1", DEFAULTS)

    assert ("m-1", "m-1", "COMPLETED") == (id_, outputs["model_id"], outputs["status"])


def test_get_without_waiting_polls_once(host, emulator):
    """As in a preview."""
    emulator.script("m-1", "PENDING")

    assert "PENDING" == host.get("m-1", {**DEFAULTS, "wait": False})[1]["status"]
