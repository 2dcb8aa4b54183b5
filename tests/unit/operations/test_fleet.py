"""What the operations on a fleet request, what they return, and what they keep when they fail."""

from collections import Counter

import pytest
from harness.api import Told
from hypothesis import given
from hypothesis import strategies as st
from pulumi.output import Unknown

from nugen_pulumi.errors import InputError, ModelNotFoundError, UnavailableError, UnfinishedFleetError
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.operations.operation import Difference
from nugen_pulumi.operations.outputs import of_fleet
from nugen_pulumi.waiting.fleet import ModelOutcome, UnforeseenError

MIB = 1024 * 1024

NEWS = {"model_ids": ["a", "b"], **DEFAULTS}
UNKNOWN = {"undeployed": False, "result": None, "start_time": None, "end_time": None, "error": None}
COMPLETED = {**UNKNOWN, "status": "COMPLETED", "undeployed": True}
PENDING = {**UNKNOWN, "status": "PENDING"}
ON_FIRE = {**UNKNOWN, "status": "FAILED", "error": "GPU on fire"}
DEPLOYED = {**UNKNOWN, "status": "FAILED", "error": "No active undeployment. Model status is DEPLOYED."}
GONE = ModelNotFoundError("Model gone: no such model.")
GO_ON = "The next `pulumi up` continues with the models that are not finished."


class Runtime:
    """Answers with what is known of each model, or an error, or both; and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.said = []

    def follow_all(self, models, policy, *, wait=True, before=0, recorded=None, reporter):
        self.asked.append((dict(models), policy.timeout, wait, before))
        reporter.report("a line")
        return {model_id: self._outcome(self.answers[model_id]) for model_id in models}

    @staticmethod
    def _outcome(answer):
        if isinstance(answer, Exception):
            return ModelOutcome(None, answer)
        return ModelOutcome(*answer) if isinstance(answer, tuple) else ModelOutcome(answer)

    def context(self, timeout=None):
        operation = Told(timeout)
        operation.said, operation.runtime = self.said, lambda: self
        return operation


def state(models=(), **props):
    """Return the properties of a fleet of "a" and "b" in state."""
    return of_fleet({**NEWS, **props}, dict(models))


@pytest.fixture
def operations():
    return FleetOperations()


@pytest.mark.parametrize("undeploy", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_create_asks_about_each_with_a_delete_if_told_to(operations, undeploy, wait):
    runtime = Runtime(a=COMPLETED, b=COMPLETED)
    news = {**NEWS, "undeploy": undeploy, "wait": wait}
    _, outputs = operations.create(runtime.context(timeout=60.0), news)

    assert state({"a": COMPLETED, "b": COMPLETED}, undeploy=undeploy, wait=wait) == outputs
    assert [({"a": undeploy, "b": undeploy}, 60.0, wait, 0)] == runtime.asked
    assert ["a line"] == runtime.said


def test_the_id_of_a_fleet_is_that_of_its_models_in_any_order(operations):
    """Users' state holds it."""
    ids = [
        operations.create(Runtime(a=COMPLETED, b=COMPLETED).context(), {**NEWS, "model_ids": model_ids})[0]
        for model_ids in (["a", "b"], ["b", "a"], ["a"])
    ]

    assert ["fleet-7e18f737311b2dc3"] * 2 == ids[:2]
    assert ids[2] != ids[0]


def test_a_failure_of_one_is_an_error_that_keeps_what_is_known_of_all(operations):
    runtime = Runtime(a=COMPLETED, b=ON_FIRE)
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.create(runtime.context(), NEWS)
    id_, kept = caught.value.kept

    assert (
        "1 of 2 models is not undeployed:\n  Model b was not undeployed: GPU on fire. The next `pulumi up` only polls"
        f" again. To request the undeployment, set undeploy to true.\n{GO_ON}"
    ) == str(caught.value)
    assert id_.startswith("fleet-")
    assert state({"a": COMPLETED, "b": ON_FIRE}) == kept


@pytest.mark.parametrize("props", [{"on_failure": "record"}, {"wait": False}])
def test_a_failure_that_is_wanted_as_an_output_is_no_error(operations, props):
    _, outputs = operations.create(Runtime(a=COMPLETED, b=ON_FIRE).context(), {**NEWS, **props})

    assert state({"a": COMPLETED, "b": ON_FIRE}, **props) == outputs
    assert ["b"] == outputs["failed"]


def test_what_was_known_is_kept_unless_more_was_found_out(operations):
    runtime = Runtime(a=UnavailableError("Lost."), b=(PENDING, UnavailableError("Too late.")))
    olds = state({"a": PENDING, "b": ON_FIRE}, undeploy=True)
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.update(runtime.context(), "fleet-1", olds, NEWS)

    assert f"2 of 2 models are not undeployed:\n  Lost.\n  Too late.\n{GO_ON}" == str(caught.value)
    assert ("fleet-1", state({"a": PENDING, "b": PENDING})) == caught.value.kept


def test_nothing_is_kept_where_nothing_is_known(operations):
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.create(Runtime(a=UnavailableError("a"), b=UnavailableError("b")).context(), NEWS)

    assert caught.value.kept is None


def test_who_names_models_that_do_not_exist_is_told_what_to_do(operations):
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.create(Runtime(a=COMPLETED, b=GONE).context(), NEWS)

    assert str(caught.value).endswith(f"{GO_ON} Remove the ids that do not exist from model_ids.")


def test_of_mistakes_of_ours_one_traceback_is_shown(operations):
    mistakes = [UnforeseenError("One."), UnforeseenError("Two.")]
    for mistake in mistakes:
        mistake.traceback = f"Traceback of {mistake}\n"
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.create(Runtime(a=mistakes[0], b=mistakes[1]).context(), NEWS)

    assert (f"2 of 2 models are not undeployed:\n  One.\n  Two.\n{GO_ON}\nTraceback of One.") == str(caught.value)


@pytest.mark.parametrize(
    ("models", "props"),
    [
        ({"a": COMPLETED, "b": COMPLETED}, {}),
        ({"a": COMPLETED, "b": COMPLETED}, {"undeploy": True}),
        ({"a": PENDING, "b": COMPLETED}, {"wait": False}),
        ({"a": ON_FIRE, "b": COMPLETED}, {"on_failure": "record"}),
    ],
)
def test_an_update_of_what_is_settled_requests_nothing_and_records_the_inputs(operations, models, props):
    runtime = Runtime()

    assert state(models, **props) == operations.update(runtime.context(), "fleet-1", state(models), {**NEWS, **props})
    assert [] == runtime.asked


@pytest.mark.parametrize(
    ("models", "before", "after", "asked"),
    [
        ({"a": COMPLETED, "b": PENDING}, False, False, ({"b": False}, 1)),
        ({"a": COMPLETED, "b": PENDING}, True, True, ({"b": False}, 1)),
        ({"a": COMPLETED, "b": PENDING}, False, True, ({"b": True}, 1)),
        ({"a": ON_FIRE, "b": PENDING}, True, True, ({"a": True, "b": False}, 0)),
        ({"a": COMPLETED}, True, True, ({"b": True}, 1)),
        ({}, False, False, ({"a": False, "b": False}, 0)),
    ],
)
def test_an_update_asks_about_the_unsettled_and_the_new(operations, models, before, after, asked):
    """Those that need no question count in what is reported."""
    runtime = Runtime(a=COMPLETED, b=COMPLETED)
    outputs = operations.update(
        runtime.context(), "fleet-1", state(models, undeploy=before), {**NEWS, "undeploy": after}
    )

    assert state({"a": COMPLETED, "b": COMPLETED}, undeploy=after) == outputs
    assert [asked] == [(requests, undeployed) for requests, _, _, undeployed in runtime.asked]


def test_an_update_forgets_the_removed(operations):
    runtime = Runtime()
    outputs = operations.update(
        runtime.context(), "fleet-1", state({"a": PENDING, "b": COMPLETED}), {**NEWS, "model_ids": ["b"]}
    )

    assert {"b": COMPLETED} == outputs["models"]
    assert ([], []) == (outputs["pending"], runtime.asked)


def test_state_without_models_or_undeploy_knows_nothing(operations):
    runtime = Runtime(a=COMPLETED, b=COMPLETED)
    operations.update(runtime.context(), "fleet-1", {"model_ids": ["a", "b"], "models": None}, NEWS)
    operations.update(
        runtime.context(), "fleet-1", {"model_ids": ["a"], "models": {"a": PENDING}}, {**NEWS, "undeploy": True}
    )

    assert [{"a": False, "b": False}, {"a": True, "b": True}] == [requests for requests, *_ in runtime.asked]


def test_a_refresh_polls_each_once_and_keeps_the_times_of_what_it_knew(operations):
    now, then = {"start_time": "now", "end_time": "now"}, {"start_time": "then", "end_time": "later"}
    runtime = Runtime(a={**COMPLETED, **now}, b={**COMPLETED, **now})
    props = state({"a": {**COMPLETED, **then}, "b": PENDING}, undeploy=True, timeout_seconds=7.0)

    assert state({"a": {**COMPLETED, **then}, "b": {**COMPLETED, **now}}, undeploy=True, timeout_seconds=7.0) == (
        operations.refresh(runtime.context(), "fleet-1", props)
    )
    assert [({"a": False, "b": False}, 7.0, False, 0)] == runtime.asked
    assert ["a line"] == runtime.said


def test_a_refresh_drops_what_is_gone_and_nothing_else(operations):
    runtime = Runtime(a=COMPLETED, b=GONE)
    outputs = operations.refresh(runtime.context(), "fleet-1", state({"a": COMPLETED, "b": COMPLETED}))

    assert state({"a": COMPLETED}) == outputs
    assert runtime.said[-1].startswith("Model b does not exist. Remove from model_ids")


def test_a_refresh_without_all_answers_is_an_error_that_keeps_nothing(operations):
    with pytest.raises(UnfinishedFleetError) as caught:
        operations.refresh(
            Runtime(a=UnavailableError("Why."), b=GONE).context(), "fleet-1", state({"a": COMPLETED, "b": COMPLETED})
        )

    assert "1 of 2 models is without a usable response:\n  Why.\nState did not change." == str(caught.value)
    assert caught.value.kept is None


@pytest.mark.parametrize(
    ("props", "seen", "said", "next_"),
    [
        ({}, DEPLOYED, DEPLOYED["error"], "fails until somebody undeploys it: to request that, set undeploy to true."),
        # A drift to PENDING is somebody else's undeployment, which is waited for.
        ({"undeploy": True}, PENDING, "PENDING.", "waits for it."),
        ({"wait": False, "undeploy": True}, DEPLOYED, DEPLOYED["error"], "undeploys it."),
    ],
)
def test_a_refresh_warns_of_a_drift_and_records_it(operations, props, seen, said, next_):
    runtime = Runtime(a=COMPLETED, b=seen)
    outputs = operations.refresh(runtime.context(), "fleet-1", state({"a": COMPLETED, "b": COMPLETED}, **props))

    assert state({"a": COMPLETED, "b": seen}, **props) == outputs
    assert [
        "a line",
        f"1 of 2 models is not undeployed:\n  Model b is no longer undeployed: {said}\nThe next `pulumi up` {next_}",
    ] == runtime.said


def test_a_refresh_finds_no_change_in_what_was_left_out(operations):
    """Both together are too large for state, and the larger one is left out of it."""
    now = {"a": {**COMPLETED, "result": "x" * 3 * MIB}, "b": {**COMPLETED, "result": "x" * 2 * MIB}}
    props = state({name: {**model, "start_time": "then"} for name, model in now.items()})
    refreshed = operations.refresh(Runtime(**now).context(), "fleet-1", props)

    assert ["then", "then"] == [model["start_time"] for model in refreshed["models"].values()]


def test_adopting_a_fleet_polls_each_once_and_has_the_defaults(operations):
    runtime = Runtime(a=COMPLETED, b=PENDING)
    id_, outputs = operations.import_(runtime.context(), "a, b")

    assert id_ == operations.create(Runtime(a=COMPLETED, b=COMPLETED).context(), NEWS)[0]
    assert state({"a": COMPLETED, "b": PENDING}) == outputs
    assert [({"a": False, "b": False}, 1800.0, False, 0)] == runtime.asked
    assert operations.import_(Runtime(a=GONE, b=GONE).context(), "a,b")[1] is None


def test_what_cannot_be_an_id_is_not_asked_about(operations):
    runtime = Runtime()
    with pytest.raises(InputError) as caught:
        operations.import_(runtime.context(), "a,b/c,")

    assert (
        "model_ids 'b/c' must not contain / \\ ? or #, because they would change the URL;"
        " '' must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r."
    ) == str(caught.value)
    assert [] == runtime.asked


def different(*, inputs=True, replaces=(), unfinished=None):
    return Difference(inputs, list(replaces), unfinished)


@pytest.mark.parametrize(
    ("models", "props", "difference"),
    [
        ({"a": COMPLETED, "b": COMPLETED}, {}, different(inputs=False)),
        ({"a": COMPLETED, "b": COMPLETED}, {"model_ids": ["b", "a"]}, different(inputs=False)),
        ({"a": COMPLETED, "b": COMPLETED}, {"model_ids": ["b"]}, different()),
        ({"a": COMPLETED, "b": COMPLETED}, {"model_ids": Unknown()}, different()),
        ({"a": COMPLETED, "b": COMPLETED}, {"model_ids": ["a", Unknown()]}, different()),
        ({"a": COMPLETED, "b": COMPLETED}, {"wait": False}, different()),
        ({"a": COMPLETED, "b": PENDING}, {"triggers": [1]}, different(replaces=["triggers"])),
        (
            {"a": COMPLETED, "b": COMPLETED},
            {"model_ids": ["a", "b", "c"], "undeploy": True},
            different(unfinished="1 of 3 not undeployed: will undeploy 1"),
        ),
        (
            {"a": COMPLETED, "b": PENDING},
            {},
            different(inputs=False, unfinished="1 of 2 not undeployed: will poll 1"),
        ),
        ({}, {}, different(inputs=False, unfinished="2 of 2 not undeployed: will poll 2")),
    ],
)
def test_a_diff_says_what_differs_and_what_an_update_would_do(operations, models, props, difference):
    assert difference == operations.diff(Told(), state(models), {**NEWS, **props})


class Interrupted(Runtime):
    """Requests each undeployment, unless an interruption comes first; counts the DELETEs that were accepted."""

    def __init__(self, moments):
        super().__init__()
        self.moments = moments
        self.deletes = Counter()

    def follow_all(self, models, policy, *, wait=True, before=0, recorded=None, reporter):
        return {model_id: self._follow(model_id, request=request, wait=wait) for model_id, request in models.items()}

    def _follow(self, model_id, *, request, wait):
        moment = self.moments(model_id)
        if request and moment == "before":
            return ModelOutcome(None, UnavailableError(f"Model {model_id}: interrupted."))
        self.deletes[model_id] += request
        if not self.deletes[model_id]:
            return ModelOutcome(ON_FIRE)
        if wait and moment == "after":
            return ModelOutcome(PENDING, UnavailableError(f"Model {model_id}: interrupted."))
        return ModelOutcome(COMPLETED)


@given(
    st.lists(st.lists(st.sampled_from(["before", "after", "end"]), min_size=3, max_size=3), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from([{"on_failure": "record"}, {"wait": False}, {}]),
    st.sets(st.sampled_from("abc")),
)
def test_whatever_interrupts_a_fleet_every_delete_that_the_program_asks_for_is_sent_once(ups, refreshes, props, known):
    operations = FleetOperations()
    news = {**NEWS, **props, "model_ids": ["a", "b", "c"], "undeploy": True}
    moments = {}
    runtime = Interrupted(moments.__getitem__)
    # Recorded by a program that did not ask for the undeployments yet.
    current = of_fleet({**news, "undeploy": False}, dict.fromkeys(known, ON_FIRE))
    for up, refresh in zip([*ups, ["end"] * 3], [*refreshes[: len(ups)], False], strict=True):
        moments.update(zip("abc", up, strict=True))
        try:
            current = operations.update(runtime.context(), "fleet-1", current, news)
        except UnfinishedFleetError as exc:
            current = exc.kept[1] if exc.kept else current
        if refresh:
            current = operations.refresh(runtime.context(), "fleet-1", current)

    assert dict.fromkeys("abc", 1) == runtime.deletes
    assert current["undeployed"]
