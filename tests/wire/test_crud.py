"""Create, read, update and delete through the real host process, with the traffic as part of each claim."""

import base64
import pickle

import grpc
import pytest
from harness import until
from harness.host import DEFAULTS, EVER, Host, done, inputs, struct
from pulumi.output import Unknown
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.rpc import UNKNOWN

from nugen_pulumi.emulator import catalogue
from nugen_pulumi.provider import UndeployedModelProvider

# The engine does not tell the native face whether a read is a program's or an import: it takes one poll.
only_dynamic = pytest.mark.parametrize("face", ["dynamic"], indirect=True)

POLL = ("GET", "/api/v3/models/undeploy-model/m-1/status")
ASK = ("DELETE", "/api/v3/models/undeploy-model/m-1")


def deployed_again(**given):
    """Return the state of a model of which a refresh saw that somebody has deployed it again."""
    error = "No active undeployment. Model status is DEPLOYED."
    return {**done(**given), "status": "FAILED", "undeployed": False, "error": error}


def sentence(caught):
    """Return the last line of what the host answered: the error itself, without the traceback."""
    return caught.value.details().strip().splitlines()[-1]


def test_create_waits_through_an_outage_and_returns_complete_outputs(host, emulator):
    """And asks exactly three times."""
    emulator.script("m-1", "PENDING", 503, "completed")
    id_, outputs = host.create(inputs(timeout_seconds=60, triggers=["a"]))

    assert "m-1" == id_
    assert {*inputs(), "timeout_seconds", "triggers", "status", "undeployed", "result", "start_time", "end_time"} == {
        *outputs
    }
    assert ("COMPLETED", True, ["a"]) == (outputs["status"], outputs["undeployed"], outputs["triggers"])
    assert [POLL] * 3 == emulator.requests


def test_create_with_undeploy_asks_first(host, emulator):
    emulator.add("m-1", undeploy_seconds=0.1)
    _, outputs = host.create(inputs(undeploy=True))

    assert ("COMPLETED", True) == (outputs["status"], outputs["undeploy"])
    assert [ASK, POLL] == emulator.requests[:2]


def test_create_of_what_is_undeployed_already_succeeds(host, emulator):
    """DELETE answers 400, the status FAILED because the model is UNDEPLOYED: the goal is met."""
    emulator.script_undeploy("m-1", 400)
    emulator.script("m-1", catalogue.failed("No active undeployment. Model status is UNDEPLOYED."))
    _, outputs = host.create(inputs(undeploy=True))

    assert ("FAILED", True) == (outputs["status"], outputs["undeployed"])
    assert "No active undeployment. Model status is UNDEPLOYED." == outputs["error"]


def test_create_fails_on_failed_with_reason_and_advice(host, emulator):
    emulator.script("m-1", catalogue.failed("GPU on fire."))

    with pytest.raises(grpc.RpcError) as caught:
        host.create(inputs())
    assert sentence(caught).endswith(
        "Model m-1 was not undeployed: GPU on fire. The next `pulumi up` only polls again. To request the undeployment,"
        " set undeploy to true."
    )


def test_a_model_that_is_ready_is_said_to_be_ambiguous(host, emulator):
    """READY was seen for models at rest and for models in service."""
    emulator.script("m-1", catalogue.nothing_running("READY"))

    with pytest.raises(grpc.RpcError) as caught:
        host.create(inputs())
    assert "Model status is READY. The status READY does not tell whether the model is in service" in sentence(caught)


def test_a_model_that_nobody_asked_to_undeploy_says_what_to_set(host, emulator):
    emulator.add("m-1")

    with pytest.raises(grpc.RpcError) as caught:
        host.create(inputs())
    assert sentence(caught).endswith(
        "Model status is DEPLOYED. Nobody has requested the undeployment: set undeploy to true."
    )


def test_a_failure_of_what_was_asked_for_says_that_it_is_asked_for_again(host, emulator):
    emulator.add("m-1", undeploy_seconds=0, fails="GPU on fire.")

    with pytest.raises(grpc.RpcError) as caught:
        host.create(inputs(undeploy=True))
    assert sentence(caught).endswith("GPU on fire. The next `pulumi up` requests the undeployment again.")


def test_create_records_failed_if_told_to(host, emulator):
    emulator.script("m-1", catalogue.failed("GPU on fire."))
    _, outputs = host.create(inputs(on_failure="record"))

    assert ("FAILED", False, "GPU on fire.") == (outputs["status"], outputs["undeployed"], outputs["error"])


def test_create_without_waiting_records_what_one_poll_says(host, emulator):
    emulator.script("m-1", "PENDING")
    _, outputs = host.create(inputs(wait=False))

    assert ("PENDING", False) == (outputs["status"], outputs["undeployed"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (400, "the Nugen API rejects the request (400 Bad Request)."),
        (
            401,
            "does not accept the API key (401: Not authenticated): check the one in nugen:apiKey (in the stack config",
        ),
        (403, "does not accept the API key (403: Could not validate credentials. Reason: API key not found): check"),
        (
            catalogue.model_not_found(),
            "knows no such model, or it belongs to another account (404: Model not found): correct the id, or use",
        ),
        (catalogue.wrong_route(), "has no such endpoint (404 Not Found): check the base URL (from nugen:base"),
        (422, "does not accept this model id (422: path.model_id: field required)."),
        (
            catalogue.quota_exhausted(),
            "the Nugen account is out of credits (429: Quota limit reached. Please add",
        ),
        (307, "redirects to "),
    ],
)
def test_each_answer_that_will_not_change_ends_the_wait_with_its_own_sentence(host, emulator, answer, says):
    emulator.script("m-1", answer)

    with pytest.raises(grpc.RpcError) as caught:
        host.create(inputs())
    assert says in sentence(caught)
    assert [POLL] == without_the_newer(emulator, answer)


def without_the_newer(emulator, answer):
    """Return the requests, but for the one to the newer paths that a process sends after its first wrong route."""
    requests, newer = emulator.requests, ("GET", "/api/v3/models/m-1/deployment/status")
    if answer == catalogue.wrong_route() and newer in requests:
        requests.remove(newer)
    return requests


def test_a_missing_key_is_a_sentence():
    with Host() as host:
        with pytest.raises(grpc.RpcError) as caught:
            host.create(inputs())
        assert sentence(caught).endswith(
            "There is no Nugen API key: run `pulumi config set --secret nugen:apiKey`, or set NUGEN_API_KEY."
            " An explicit provider does not read the stack config: give it the key."
        )


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "There is no Nugen API key: "),
        ({"nugen:apiKey": "k", "nugen:baseUrl": "api.nugen.in"}, "nugen:baseUrl is not an http(s) URL"),
        ({"nugen:apiKey": "k", "nugen:baseUrl": "http://api.nugen.in"}, "nugen:baseUrl is plain http to api.nugen.in"),
    ],
)
def test_bad_settings_are_refused_in_preview(config, says):
    with Host(config) as host:
        _, failures = host.check(inputs())

    assert [("", says)] == [(name, reason[: len(says)]) for name, reason in failures]


def test_what_exists_needs_no_key_to_be_previewed():
    """State may be settled for ever: nothing has to be asked."""
    with Host() as host:
        _, failures = host.check(inputs(), olds=done())

    assert [] == failures


def test_check_fills_in_defaults_and_names_each_bad_property(host):
    checked, failures = host.check({"model_id": "a/b", "timeout_seconds": True})

    assert DEFAULTS.items() <= checked.items()
    assert [("", "model_id"), ("", "timeout_seconds")] == [(name, reason.split()[0]) for name, reason in failures]


def test_check_never_has_the_engine_print_the_value_of_a_property(host):
    """It might be a secret, and the engine prints whatever property it is given."""
    everything_wrong = {name: ["x"] for name in (*DEFAULTS, "model_id", "timeout_seconds")} | {"triggers": "x"}
    _, failures = host.check(everything_wrong)

    assert {""} == {name for name, _ in failures}
    assert len(everything_wrong) == len(failures)


def test_unknown_inputs_pass_check_and_come_back_unknown(host):
    """Also when they are nested."""
    checked, failures = host.check({"model_id": UNKNOWN, "triggers": [UNKNOWN]})

    assert [] == failures
    assert isinstance(checked["model_id"], Unknown)
    assert isinstance(checked["triggers"][0], Unknown)


@pytest.mark.parametrize(
    ("olds", "news", "changes", "replaces"),
    [
        (done(), inputs(), False, []),
        (done(timeout_seconds=5), inputs(timeout_seconds=5), False, []),
        (done(), inputs(timeout_seconds=5), True, []),
        (done(), inputs(undeploy=True), True, []),
        (done(), inputs(model_id="m-2"), True, ["model_id"]),
        (done(), inputs(model_id=UNKNOWN), True, ["model_id"]),
        (done(triggers=[1]), inputs(triggers=[2]), True, ["triggers"]),
        (done(triggers=[1]), inputs(triggers=[UNKNOWN]), True, ["triggers"]),
        (done(triggers=[1]), inputs(triggers=[1]), False, []),
        ({**done(), "undeployed": False, "status": "PENDING"}, inputs(), True, []),
        ({**done(), "undeployed": False, "status": "FAILED"}, inputs(), True, []),
        (
            {**done(on_failure="record"), "undeployed": False, "status": "FAILED"},
            inputs(on_failure="record"),
            False,
            [],
        ),
        (
            {**done(on_failure="record"), "undeployed": False, "status": "PENDING"},
            inputs(on_failure="record"),
            True,
            [],
        ),
        ({**done(wait=False), "undeployed": False, "status": "PENDING"}, inputs(wait=False), False, []),
        (deployed_again(on_failure="record"), inputs(on_failure="record"), False, []),
        (deployed_again(on_failure="record", undeploy=True), inputs(on_failure="record", undeploy=True), True, []),
        (deployed_again(wait=False, undeploy=True), inputs(wait=False, undeploy=True), True, []),
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


@pytest.mark.parametrize("news", [inputs(timeout_seconds=7), inputs(undeploy=True), inputs(wait=False)])
def test_update_of_what_is_undeployed_sends_nothing_and_keeps_the_outputs(host, emulator, news):
    assert {**done(), **news} == host.update(done(), news)
    assert [] == emulator.requests


def test_update_of_a_pending_model_waits_on_without_asking_again(host, emulator):
    emulator.script("m-1", "PENDING", "COMPLETED")
    olds = {**done(undeploy=True), "status": "PENDING", "undeployed": False}

    assert "COMPLETED" == host.update(olds, inputs(undeploy=True))["status"]
    assert [POLL, POLL] == emulator.requests


def test_update_of_a_failed_model_asks_again(host, emulator):
    emulator.add("m-1", undeploy_seconds=0)
    olds = {**done(undeploy=True), "status": "FAILED", "undeployed": False}

    assert host.update(olds, inputs(undeploy=True))["undeployed"]
    assert [ASK, POLL] == emulator.requests


@pytest.mark.parametrize("wait", [True, False])
def test_update_asks_if_it_was_never_asked_before(host, emulator, wait):
    emulator.add("m-1", undeploy_seconds=0)
    olds = {**done(wait=wait), "status": "PENDING", "undeployed": False}

    assert host.update(olds, inputs(undeploy=True, wait=wait))["undeployed"]
    assert [ASK, POLL] == emulator.requests


@pytest.mark.parametrize("given", [{}, {"on_failure": "record"}, {"wait": False}])
def test_update_of_a_model_that_was_deployed_again_asks_again(host, emulator, given):
    """A refresh saw it. Whether failures are recorded, or the end is waited for, is another matter."""
    emulator.add("m-1", undeploy_seconds=0)
    given = {"undeploy": True, **given}

    assert host.update(deployed_again(**given), inputs(**given))["undeployed"]
    assert [ASK, POLL] == emulator.requests


def test_update_of_a_recorded_failure_sends_nothing(host, emulator):
    olds = {**done(on_failure="record"), "status": "FAILED", "undeployed": False, "error": "GPU on fire"}

    assert "GPU on fire" == host.update(olds, inputs(on_failure="record", timeout_seconds=9))["error"]
    assert [] == emulator.requests


def test_refresh_polls_once_and_stores_what_it_sees(host, emulator):
    emulator.add("m-1")
    id_, outputs = host.refresh(done())

    assert ("m-1", "FAILED", False) == (id_, outputs["status"], outputs["undeployed"])
    assert "No active undeployment. Model status is DEPLOYED." == outputs["error"]
    assert DEFAULTS.items() <= outputs.items()
    assert [POLL] == emulator.requests


def test_refresh_that_sees_the_same_keeps_the_times(host, emulator):
    """The API answers with the times of the request, which would be drift in every refresh."""
    answer = {
        "model_id": "m-1",
        "status": "COMPLETED",
        "result": done()["result"],
        "start_time": "now",
        "end_time": None,
    }
    emulator.script("m-1", answer)

    assert ("m-1", done()) == host.refresh(done())


def test_refresh_does_not_wait(host, emulator):
    emulator.script("m-1", "PENDING")

    assert "PENDING" == host.refresh(done())[1]["status"]


def test_refresh_of_a_model_that_is_not_found_says_that_it_is_gone(host, emulator):
    emulator.script("m-1", catalogue.model_not_found())

    assert ("", {}) == host.refresh(done())


@pytest.mark.parametrize("answer", [catalogue.wrong_route(), 403, 500, 422, 502])
def test_refresh_never_takes_an_error_for_absence(host, emulator, answer):
    emulator.script("m-1", answer)

    with pytest.raises(grpc.RpcError):
        host.refresh(done())
    assert [POLL] == without_the_newer(emulator, answer)


@only_dynamic
def test_get_waits_like_create(host, emulator):
    emulator.script("m-1", "PENDING", "COMPLETED")
    id_, outputs = host.get("m-1", DEFAULTS)

    assert ("m-1", "m-1", "COMPLETED") == (id_, outputs["model_id"], outputs["status"])


def test_get_without_waiting_polls_once(host, emulator):
    """As in a preview."""
    emulator.script("m-1", "PENDING")

    assert "PENDING" == host.get("m-1", {**DEFAULTS, "wait": False})[1]["status"]


@only_dynamic
def test_get_of_a_model_in_service_gives_advice_that_a_get_can_follow(host, emulator):
    emulator.add("m-1")
    with pytest.raises(grpc.RpcError) as caught:
        host.get("m-1", DEFAULTS)

    assert sentence(caught).endswith(
        'Model status is DEPLOYED. To read the status without an error, set wait=False or on_failure="record".'
    )
    assert "FAILED" == host.get("m-1", {**DEFAULTS, "on_failure": "record"})[1]["status"]


@only_dynamic
def test_get_of_a_missing_model_is_an_error(host):
    with pytest.raises(grpc.RpcError) as caught:
        host.get("m-1", DEFAULTS)
    assert "knows no such model" in sentence(caught)


@only_dynamic
def test_get_with_inputs_that_cannot_be_is_refused_before_anything_is_sent(host, emulator):
    """The engine checks the inputs of what it manages only."""
    with pytest.raises(grpc.RpcError) as caught:
        host.get("..", {**DEFAULTS, "poll_interval_seconds": 0})
    assert sentence(caught).endswith(
        "id must not be . or ..; poll_interval_seconds must be a finite number of seconds, at least 0.5."
    )
    assert [] == emulator.requests


def test_delete_sends_nothing(host, emulator):
    host.delete(done())

    assert [] == emulator.requests


def test_the_waits_of_a_process_share_one_loop_and_run_side_by_side(host, emulator):
    """Four calls, the host's stock limit; each waits for a model of its own."""
    for name in "abcd":
        emulator.add(name, **EVER)
    answers = [host.creating(inputs(model_id=name)) for name in "abcd"]
    until(lambda: len(set(emulator.requests)) == 4)
    for name in "abcd":
        emulator.script(name, "COMPLETED")

    assert ["a", "b", "c", "d"] == [answer.result()[0] for answer in answers]
