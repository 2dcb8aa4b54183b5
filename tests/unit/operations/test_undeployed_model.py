"""What the operations on one model request, what they return, and what they keep when they fail."""

import pytest
from harness.api import Told
from nugen_pulumi.operations.undeployed_model import ModelOperations
from nugen_pulumi.waiting.beginning import ONLY_POLL

from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.errors import InputError, ModelNotFoundError, UndeployFailedError, WaitTimeoutError
from nugen_pulumi.operations.inputs import DEFAULTS, READ_IN_PREVIEW
from nugen_pulumi.operations.operation import Difference

NEWS = {"model_id": "m", **DEFAULTS}
UNKNOWN = {"undeployed": False, "result": None, "start_time": None, "end_time": None, "error": None}
COMPLETED = {**UNKNOWN, "status": "COMPLETED", "undeployed": True}
PENDING = {**UNKNOWN, "status": "PENDING"}
ON_FIRE = {**UNKNOWN, "status": "FAILED", "result": {"error": "GPU on fire"}, "error": "GPU on fire"}
IN_SERVICE = "No active undeployment. Model status is DEPLOYED."
DEPLOYED = {**UNKNOWN, "status": "FAILED", "result": {"error": IN_SERVICE}, "error": IN_SERVICE}


class Runtime:
    """Answers all that is asked alike, and remembers it: what, whether with a DELETE, and for how many seconds."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.said = []

    def poll(self, model_id, policy=None, beginning=ONLY_POLL, *, reporter):
        return self._answer("poll", model_id, beginning.request)

    def wait(self, model_id, policy, beginning, *, reporter):
        reporter.report("a line")
        return self._answer("wait", model_id, beginning.request, policy.timeout)

    def _answer(self, *asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        seen = {name: value for name, value in self.answer.items() if name in TaskStatus.model_fields}
        return TaskStatus(model_id="echoed", **seen)

    def context(self, timeout=None):
        operation = Told(timeout)
        operation.said, operation.runtime = self.said, lambda: self
        return operation


@pytest.fixture
def operations():
    return ModelOperations()


@pytest.mark.parametrize("undeploy", [True, False])
def test_create_waits_with_a_delete_if_told_to(operations, undeploy):
    runtime = Runtime(COMPLETED)
    news = {**NEWS, "undeploy": undeploy}

    assert ("m", {**news, **COMPLETED}) == operations.create(runtime.context(), news)
    assert [("wait", "m", undeploy, 1800.0)] == runtime.asked
    assert ["a line"] == runtime.said


@pytest.mark.parametrize("undeploy", [True, False])
def test_create_polls_once_if_told_not_to_wait(operations, undeploy):
    """Then a failure is an answer like any other."""
    runtime = Runtime(ON_FIRE)
    news = {**NEWS, "undeploy": undeploy, "wait": False}

    assert ("m", {**news, **ON_FIRE}) == operations.create(runtime.context(), news)
    assert [("poll", "m", undeploy)] == runtime.asked


def test_the_timeout_is_the_resources_or_that_of_its_options(operations):
    runtime = Runtime(COMPLETED)
    operations.create(runtime.context(timeout=60.0), NEWS)
    operations.create(runtime.context(timeout=60.0), {**NEWS, "timeout_seconds": 7.0})

    assert [60.0, 7.0] == [timeout for *_, timeout in runtime.asked]


def test_a_failure_is_an_error_that_keeps_what_is_known(operations):
    with pytest.raises(UndeployFailedError) as caught:
        operations.create(Runtime(ON_FIRE).context(), NEWS)

    assert (
        "Model m was not undeployed: GPU on fire."
        " The next `pulumi up` only polls again. To request the undeployment, set undeploy to true."
    ) == str(caught.value)
    assert caught.value.kept == ("m", {**NEWS, **ON_FIRE})


def test_a_failure_that_is_wanted_as_an_output_is_none(operations):
    news = {**NEWS, "on_failure": "record"}

    assert ("m", {**news, **ON_FIRE}) == operations.create(Runtime(ON_FIRE).context(), news)


def test_an_error_that_knows_something_keeps_it(operations):
    error = WaitTimeoutError("too late")
    error.last_known = TaskStatus(model_id="m", status="PENDING")
    with pytest.raises(WaitTimeoutError):
        operations.create(Runtime(error).context(), NEWS)
    created, error.kept = error.kept, None
    with pytest.raises(WaitTimeoutError):
        operations.update(Runtime(error).context(), "m", {**NEWS, **PENDING}, NEWS)

    assert created == error.kept == ("m", {**NEWS, **PENDING})


@pytest.mark.parametrize(
    ("known", "props"),
    [
        (COMPLETED, {}),
        (COMPLETED, {"undeploy": True}),
        (PENDING, {"wait": False}),
        (ON_FIRE, {"on_failure": "record"}),
    ],
)
def test_an_update_of_what_is_settled_requests_nothing_and_records_the_inputs(operations, known, props):
    runtime = Runtime(AssertionError("nothing is to be asked"))
    news = {**NEWS, **props}

    assert {**news, **known} == operations.update(runtime.context(), "m", {**NEWS, **known}, news)
    assert [] == runtime.asked


@pytest.mark.parametrize(
    ("olds", "props", "asked"),
    [
        (PENDING, {}, ("wait", "m", False, 1800.0)),
        ({**PENDING, "undeploy": True}, {"undeploy": True}, ("wait", "m", False, 1800.0)),
        ({}, {}, ("wait", "m", False, 1800.0)),
        ({}, {"wait": False}, ("poll", "m", False)),
        ({"undeploy": True}, {"undeploy": True}, ("wait", "m", True, 1800.0)),
        (PENDING, {"undeploy": True}, ("wait", "m", True, 1800.0)),
        (PENDING, {"undeploy": True, "wait": False}, ("poll", "m", True)),
        ({**ON_FIRE, "undeploy": True}, {"undeploy": True}, ("wait", "m", True, 1800.0)),
        (ON_FIRE, {}, ("wait", "m", False, 1800.0)),
    ],
)
def test_an_update_of_what_is_not_settled_requests_what_is_left(operations, olds, props, asked):
    runtime = Runtime(COMPLETED)
    news = {**NEWS, **props}

    assert {**news, **COMPLETED} == operations.update(runtime.context(), "m", {**NEWS, **olds}, news)
    assert [asked] == runtime.asked


def test_state_without_undeploy_never_requested_it(operations):
    """On the wire an absent input is one that is False."""
    runtime = Runtime(COMPLETED)
    operations.update(runtime.context(), "m", {"model_id": "m", "status": "PENDING"}, {**NEWS, "undeploy": True})

    assert [("wait", "m", True, 1800.0)] == runtime.asked


def test_a_refresh_polls_once_and_keeps_the_times_of_what_it_knew(operations):
    runtime = Runtime({**COMPLETED, "start_time": "now", "end_time": "now"})
    props = {**NEWS, "undeploy": True, **COMPLETED, "start_time": "then", "end_time": "later"}

    assert props == operations.refresh(runtime.context(), "m", props)
    assert [("poll", "m", False)] == runtime.asked
    assert [] == runtime.said


def test_a_refresh_of_a_model_that_is_gone_returns_nothing_and_says_so(operations):
    runtime = Runtime(ModelNotFoundError("gone"))

    assert operations.refresh(runtime.context(), "m", {**NEWS, **COMPLETED}) is None
    [said] = runtime.said
    assert said.startswith("Model m does not exist any more, or belongs to another account than the API key")


@pytest.mark.parametrize(
    ("props", "seen", "said", "next_"),
    [
        ({}, DEPLOYED, IN_SERVICE, "fails until somebody undeploys it: to request that, set undeploy to true."),
        ({"undeploy": True}, DEPLOYED, IN_SERVICE, "undeploys it."),
        # A drift to PENDING is somebody else's undeployment, which is waited for.
        ({"undeploy": True}, PENDING, "PENDING.", "waits for it."),
        ({"wait": False}, DEPLOYED, IN_SERVICE, "changes nothing: the program does not require it to be undeployed."),
        ({"wait": False, "undeploy": True}, DEPLOYED, IN_SERVICE, "undeploys it."),
    ],
)
def test_a_refresh_warns_of_a_drift_and_records_it(operations, props, seen, said, next_):
    runtime = Runtime(seen)

    assert {**NEWS, **props, **seen} == operations.refresh(runtime.context(), "m", {**NEWS, **props, **COMPLETED})
    assert [f"Model m is no longer undeployed: {said} The next `pulumi up` {next_}"] == runtime.said


def test_adopting_a_model_polls_it_once_and_has_the_defaults(operations):
    runtime = Runtime(COMPLETED)

    assert ("m", {**NEWS, **COMPLETED}) == operations.import_(runtime.context(), "m")
    assert [("poll", "m", False)] == runtime.asked
    assert ("m", None) == operations.import_(Runtime(ModelNotFoundError("none")).context(), "m")


def test_what_cannot_be_an_id_is_not_asked_about(operations):
    runtime = Runtime(COMPLETED)
    with pytest.raises(InputError) as adopting:
        operations.import_(runtime.context(), "a/b")
    with pytest.raises(InputError) as getting:
        operations.get(runtime.context(), "", {**DEFAULTS, "timeout_seconds": 0.0})

    assert "id must not contain / \\ ? or #, because they would change the URL." == str(adopting.value)
    assert (
        "id must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r;"
        " timeout_seconds must be a finite number of seconds, at least 1."
    ) == str(getting.value)
    assert [] == runtime.asked


@pytest.mark.parametrize("undeploy", [True, False])
def test_what_is_only_read_is_never_undeployed(operations, undeploy):
    runtime = Runtime(COMPLETED)
    props = {**DEFAULTS, "undeploy": undeploy}

    assert {"model_id": "m", **props, **COMPLETED} == operations.get(runtime.context(timeout=9.0), "m", props)
    assert [("wait", "m", False, 9.0)] == runtime.asked


def test_what_is_read_in_a_preview_is_polled_once(operations):
    """Whatever it says; and the preview shows the inputs as the program has them."""
    runtime = Runtime(ON_FIRE)

    assert {**NEWS, **ON_FIRE} == operations.get(runtime.context(), "m", {**DEFAULTS, READ_IN_PREVIEW: True})
    assert [("poll", "m", False)] == runtime.asked


def test_what_is_only_read_keeps_nothing_and_says_how_to_read_it_all_the_same(operations):
    with pytest.raises(UndeployFailedError) as caught:
        operations.get(Runtime(ON_FIRE).context(), "m", DEFAULTS)

    assert (
        "Model m was not undeployed: GPU on fire. To read the status without an error, set wait=False or"
        ' on_failure="record".'
    ) == str(caught.value)
    assert caught.value.kept is None


def different(*, inputs=False, replaces=(), reason=None):
    return Difference(inputs, list(replaces), reason)


@pytest.mark.parametrize(
    ("olds", "news", "difference"),
    [
        (COMPLETED, {}, different()),
        (COMPLETED, {"wait": False}, different(inputs=True)),
        (COMPLETED, {"undeploy": True}, different(inputs=True)),
        (COMPLETED, {"model_id": "n"}, different(inputs=True, replaces=["model_id"])),
        (COMPLETED, {"triggers": [1]}, different(inputs=True, replaces=["triggers"])),
        (
            PENDING,
            {"model_id": "n", "triggers": [1], "wait": False},
            different(inputs=True, replaces=["model_id", "triggers"]),
        ),
        ({}, {}, different(reason="status unknown: will wait")),
        (PENDING, {}, different(reason="was PENDING: will keep waiting")),
        (PENDING, {"wait": False}, different(inputs=True)),
        ({**PENDING, "undeploy": True}, {"undeploy": True}, different(reason="was PENDING: will keep waiting")),
        (PENDING, {"undeploy": True}, different(inputs=True, reason="was PENDING: will undeploy")),
        (
            {**DEPLOYED, "undeploy": True, "on_failure": "record"},
            {"undeploy": True, "on_failure": "record"},
            different(reason="in service: will undeploy"),
        ),
    ],
)
def test_a_diff_says_what_differs_and_what_an_update_would_do(operations, olds, news, difference):
    assert difference == operations.diff(Told(), {**NEWS, **olds}, {**NEWS, **news})
