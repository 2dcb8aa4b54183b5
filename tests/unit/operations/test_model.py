"""What the operations on one model request, return, report and keep, in both directions."""

from dataclasses import replace

import pytest
from harness.operations import COMPLETED, PENDING, TIMES, UNCONFIRMED, Call, failed, no_task

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.errors import (
    BadKeyError,
    DeployFailedError,
    InputError,
    ModelNotFoundError,
    UndeployFailedError,
    WaitTimeoutError,
)
from nugen_pulumi.operations import claims
from nugen_pulumi.operations.call import Difference
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.inputs import READ_IN_PREVIEW
from nugen_pulumi.operations.model import ModelOperations
from nugen_pulumi.waiting.model_wait import Outcome
from nugen_pulumi.waiting.task_state import Goal

OPERATIONS = {UNDEPLOY: ModelOperations(), DEPLOY: DeployedOperations()}
BOTH = pytest.mark.parametrize("direction", [UNDEPLOY, DEPLOY], ids=lambda direction: direction.will)
OUT, READY, IN = no_task("UNDEPLOYED"), no_task("READY"), no_task("DEPLOYED")
ASKING = {"undeploy": True}
LAZY = {"wait": False}
RECORDING = {"on_failure": "record"}


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """Each test is a process of its own."""
    monkeypatch.setattr(claims, "CLAIMS", claims.Claims())


def inputs(direction, **props):
    return {"model_id": "m", **OPERATIONS[direction].defaults, **props}


def state(direction, record, **props):
    """Return the complete properties of a resource in state; None: nothing is known of its model."""
    known = {} if record is None else record.outputs(direction.flag)
    return {**inputs(direction), **known, **({"adopted": False} if direction is DEPLOY and known else {}), **props}


def do(direction, operation, *args, answer=COMPLETED, timeout=None):
    """Return what an operation returns, and the call with what was told and asked on the way."""
    call = Call(answer, timeout=timeout)
    return getattr(OPERATIONS[direction], operation)(call, *args), call


@pytest.mark.parametrize(
    ("direction", "props", "how", "request_"),
    [
        (UNDEPLOY, {}, "wait", False),
        (UNDEPLOY, ASKING, "wait", True),
        (UNDEPLOY, LAZY, "poll", False),
        (UNDEPLOY, {**ASKING, **LAZY}, "poll", True),
        (DEPLOY, {}, "wait", True),
        (DEPLOY, LAZY, "poll", True),
    ],
)
def test_create_requests_what_is_asked_for_and_waits_or_polls_once(direction, props, how, request_):
    created, call = do(direction, "create", inputs(direction, **props))

    assert ("m", state(direction, COMPLETED, **props)) == created
    assert [(how, "m", Goal(direction, request_))] == call.asked
    assert [] == call.said


@BOTH
def test_the_timeout_is_the_resources_or_that_of_its_options(direction):
    of_options = do(direction, "create", inputs(direction), timeout=60.0)[1]
    of_resource = do(direction, "create", inputs(direction, timeout_seconds=7.0), timeout=60.0)[1]

    assert [60.0, 7.0] == [*of_options.timeouts, *of_resource.timeouts]


@pytest.mark.parametrize(("direction", "props"), [(UNDEPLOY, LAZY), (UNDEPLOY, RECORDING), (DEPLOY, LAZY)])
def test_a_failure_that_is_wanted_as_an_output_is_one(direction, props):
    created, _ = do(direction, "create", inputs(direction, **props), answer=failed())

    assert ("m", state(direction, failed(), **props)) == created


POLLS_ONLY = "The next `pulumi up` only polls again. To request the undeployment, set undeploy to true."


@pytest.mark.parametrize(
    ("direction", "kind", "next_"),
    [
        (UNDEPLOY, UndeployFailedError, POLLS_ONLY),
        (DEPLOY, DeployFailedError, "The next `pulumi up` requests the deployment again."),
    ],
)
def test_a_failure_is_an_error_that_keeps_what_is_known(direction, kind, next_):
    with pytest.raises(kind) as caught:
        do(direction, "create", inputs(direction), answer=failed())

    assert f"Model m was not {direction.flag}: GPU on fire. {next_}" == str(caught.value)
    assert ("m", state(direction, failed())) == caught.value.kept


@BOTH
@pytest.mark.parametrize("known", [PENDING, failed(), None])
@pytest.mark.parametrize("operation", ["create", "update"])
def test_an_error_passes_and_keeps_what_is_known(direction, known, operation):
    olds = ("m", state(direction, PENDING)) if operation == "update" else ()
    with pytest.raises(WaitTimeoutError) as caught:
        do(direction, operation, *olds, inputs(direction), answer=Outcome(known, WaitTimeoutError("late")))

    assert (None if known is None else ("m", state(direction, known))) == caught.value.kept


AGAIN = "was PENDING: will wait, or deploy again, which uses credits"
# Known, what state says beside it, what the program says, and what an update then asks and a preview says of it.
UPDATES = [
    (UNDEPLOY, COMPLETED, {}, ASKING, None, None),
    (UNDEPLOY, failed(), {}, RECORDING, None, None),
    (UNDEPLOY, PENDING, ASKING, ASKING, ("wait", False), "was PENDING: will keep waiting"),
    (UNDEPLOY, PENDING, {}, {**ASKING, **LAZY}, ("poll", True), "was PENDING: will undeploy"),
    (UNDEPLOY, IN, ASKING, {**ASKING, **RECORDING}, ("wait", True), "in service: will undeploy"),
    (UNDEPLOY, None, {}, LAZY, ("poll", False), "status unknown: will wait"),
    (DEPLOY, COMPLETED, {}, {}, None, None),
    (DEPLOY, PENDING, {}, {}, ("wait", False), "was PENDING: will keep waiting"),
    (DEPLOY, PENDING, {}, LAZY, None, None),
    (DEPLOY, UNCONFIRMED, {}, {}, ("wait", False), AGAIN),
    (DEPLOY, UNCONFIRMED, {}, LAZY, ("poll", False), AGAIN),
    (UNDEPLOY, UNCONFIRMED, ASKING, ASKING, ("wait", False), "was PENDING: will keep waiting"),
    (UNDEPLOY, UNCONFIRMED, ASKING, {}, ("wait", False), "was PENDING: will keep waiting"),
    (DEPLOY, READY, {}, {}, ("wait", True), "is READY: will deploy, which uses credits"),
    (DEPLOY, None, {}, LAZY, ("poll", True), "not in service: will deploy, which uses credits"),
]


@pytest.mark.parametrize(("direction", "known", "had", "props", "asked", "reason"), UPDATES)
def test_an_update_requests_what_is_left_and_a_preview_says_so(direction, known, had, props, *, asked, reason):
    olds, news = state(direction, known, **had), inputs(direction, **props)
    difference = OPERATIONS[direction].diff(Call(), olds, news)
    updated, call = do(direction, "update", "m", olds, news)

    assert reason == difference.update_reason
    unconfirmed = known is UNCONFIRMED and (direction is DEPLOY or props == ASKING)
    assert ([] if asked is None else [(asked[0], "m", Goal(direction, asked[1], unconfirmed))]) == call.asked
    assert state(direction, COMPLETED if asked else known, **props) == updated


@pytest.mark.parametrize(
    ("direction", "props", "replaces", "delete_first"),
    [
        (UNDEPLOY, {}, [], False),
        (UNDEPLOY, LAZY, [], False),
        (UNDEPLOY, {"model_id": "n"}, ["model_id"], False),
        (UNDEPLOY, {"triggers": [1]}, ["triggers"], False),
        (UNDEPLOY, {"model_id": "n", "triggers": [1], **LAZY}, ["model_id", "triggers"], False),
        (DEPLOY, {}, [], True),
        (DEPLOY, {"timeout_seconds": 9.0}, [], True),
        (DEPLOY, {"model_id": "n"}, ["model_id"], False),
        (DEPLOY, {"triggers": [1]}, ["triggers"], True),
    ],
)
def test_a_diff_says_what_differs(direction, props, replaces, delete_first):
    """A replacement updates nothing, whatever is known."""
    known = PENDING if replaces else COMPLETED
    difference = OPERATIONS[direction].diff(Call(), state(direction, known), inputs(direction, **props))

    assert Difference(bool(props), replaces, None, delete_first) == difference


@BOTH
def test_a_refresh_polls_once_and_keeps_the_times_of_what_it_knew(direction):
    props = state(direction, replace(COMPLETED, **TIMES), timeout_seconds=7.0)
    seen, call = do(direction, "refresh", "m", props, answer=replace(COMPLETED, start_time="now", end_time="now"))

    assert props == seen
    assert [("poll", "m", Goal(direction))] == call.asked
    assert [] == call.said


UNTIL = "fails until somebody undeploys it: to request that, set undeploy to true."


@pytest.mark.parametrize(
    ("direction", "props", "known", "seen", "said", "next_"),
    [
        (UNDEPLOY, ASKING, COMPLETED, IN, f"is no longer undeployed: {IN.error}", "undeploys it."),
        (UNDEPLOY, {}, COMPLETED, failed(), "is no longer undeployed: GPU on fire.", UNTIL),
        # A drift to PENDING is somebody else's undeployment, which is waited for.
        (UNDEPLOY, ASKING, COMPLETED, PENDING, "is no longer undeployed: PENDING.", "waits for it."),
        (UNDEPLOY, {**LAZY, **ASKING}, None, IN, f"is in service: {IN.error}", "undeploys it."),
        (DEPLOY, {}, OUT, OUT, f"is not in service: {OUT.error}", "deploys it."),
        (DEPLOY, LAZY, COMPLETED, PENDING, "is not in service yet: PENDING.", "changes nothing."),
        (DEPLOY, {}, PENDING, PENDING, None, None),
    ],
)
def test_a_refresh_warns_of_a_drift_and_records_it(direction, props, known, seen, *, said, next_):
    recorded, call = do(direction, "refresh", "m", state(direction, known, **props), answer=seen)

    assert state(direction, seen, **props) == recorded
    assert ([] if said is None else [f"Model m {said} The next `pulumi up` {next_}"]) == call.said


@BOTH
@pytest.mark.parametrize("known", [COMPLETED, None])
def test_a_model_that_does_not_exist_leaves_state(direction, known):
    seen, call = do(direction, "refresh", "m", state(direction, known), answer=ModelNotFoundError("none"))

    assert seen is None
    assert ([] if known is None else ["Model m does not exist any more"]) == [line[:31] for line in call.said]


@BOTH
def test_an_error_of_a_refresh_says_which_key_it_used(direction):
    with pytest.raises(BadKeyError, match=r"^bad\. `pulumi refresh` uses the key .* `pulumi refresh --run-program`\.$"):
        do(direction, "refresh", "m", state(direction, COMPLETED), answer=BadKeyError("bad."))


@pytest.mark.parametrize(("direction", "adopted"), [(UNDEPLOY, {}), (DEPLOY, {"adopted": True})])
def test_an_import_polls_once_and_has_the_defaults(direction, adopted):
    imported, call = do(direction, "import_", "m")

    assert ("m", state(direction, COMPLETED, **adopted)) == imported
    assert [("poll", "m", Goal(direction))] == call.asked
    assert ("m", None) == do(direction, "import_", "m", answer=ModelNotFoundError("none"))[0]


@pytest.mark.parametrize(
    ("direction", "adopted", "props"), [(UNDEPLOY, {}, ASKING), (UNDEPLOY, {}, {}), (DEPLOY, {"adopted": True}, {})]
)
@pytest.mark.parametrize("preview", [True, False])
def test_what_is_only_read_is_waited_for_and_in_a_preview_polled_once(direction, adopted, props, preview):
    """Whatever the program says, it requests nothing; and a preview shows the inputs as the program has them."""
    given = inputs(direction, **props, **({READ_IN_PREVIEW: True} if preview else {}))
    answer = failed() if preview else COMPLETED
    seen, call = do(direction, "get", "m", given, answer=answer, timeout=9.0)

    assert state(direction, answer, **props, **adopted) == seen
    assert [("poll" if preview else "wait", "m", Goal(direction))] == call.asked
    assert [9.0] == call.timeouts


@pytest.mark.parametrize(
    ("direction", "kind", "or_"),
    [(UNDEPLOY, UndeployFailedError, r' or on_failure="record"'), (DEPLOY, DeployFailedError, "")],
)
def test_what_is_only_read_keeps_nothing_and_says_how_to_read_it_all_the_same(direction, kind, or_):
    with pytest.raises(
        kind, match=rf"GPU on fire\. To read the status without an error, set wait=False{or_}\.$"
    ) as caught:
        do(direction, "get", "m", inputs(direction), answer=failed())

    assert caught.value.kept is None


@BOTH
def test_what_cannot_be_an_id_is_not_asked_about(direction):
    call = Call()
    with pytest.raises(InputError) as importing:
        OPERATIONS[direction].import_(call, "a/b")
    with pytest.raises(InputError) as getting:
        OPERATIONS[direction].get(call, "", {"timeout_seconds": 0.0})

    assert "id must not contain / \\ ? or #, because they would change the URL." == str(importing.value)
    assert (
        "id must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r;"
        " timeout_seconds must be a finite number of seconds, at least 1."
    ) == str(getting.value)
    assert [] == call.asked
