"""What the operations on a fleet request, what they return, and what they keep when they fail."""

from collections import Counter
from dataclasses import replace

import pytest
from harness.operations import COMPLETED, PENDING, TIMES, Call, failed, no_task
from hypothesis import given
from hypothesis import strategies as st
from pulumi.output import Unknown

from nugen_pulumi.errors import (
    BadKeyError,
    InputError,
    ModelNotFoundError,
    UnavailableError,
    UnfinishedFleetError,
    UnforeseenError,
)
from nugen_pulumi.operations.call import Difference
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.inputs import DEFAULTS
from nugen_pulumi.operations.outputs import of_fleet
from nugen_pulumi.waiting.model_wait import Outcome
from nugen_pulumi.waiting.state_size import capped, largest_value

MIB = 1024 * 1024

FLEET = FleetOperations()
NEWS = {"model_ids": ["a", "b"], **DEFAULTS}
ON_FIRE = failed()
DEPLOYED = no_task("DEPLOYED")
DONE = {"a": COMPLETED, "b": COMPLETED}
GONE = ModelNotFoundError("Model gone: no such model.")
GO_ON = "The next `pulumi up` continues with the models that are not finished."


def state(models=(), **props):
    """Return the properties of a fleet of "a" and "b" in state."""
    return of_fleet({**NEWS, **props}, dict(models))


def fails(operation, answer, *args):
    """Return the error that an operation ends with."""
    with pytest.raises(UnfinishedFleetError) as caught:
        getattr(FLEET, operation)(Call(answer), *args)
    return caught.value


@pytest.mark.parametrize("undeploy", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_create_asks_about_each_with_a_delete_if_told_to(undeploy, wait):
    call = Call(DONE, timeout=60.0)
    _, outputs = FLEET.create(call, {**NEWS, "undeploy": undeploy, "wait": wait})

    assert state(DONE, undeploy=undeploy, wait=wait) == outputs
    assert [("wait" if wait else "poll", {"a": undeploy, "b": undeploy}, 0)] == call.asked
    assert [60.0] == call.timeouts


def test_the_id_of_a_fleet_is_that_of_its_models_in_any_order():
    """Users' state holds it."""
    ids = [
        FLEET.create(Call(DONE), {**NEWS, "model_ids": model_ids})[0] for model_ids in (["a", "b"], ["b", "a"], ["a"])
    ]

    assert ["fleet-7e18f737311b2dc3"] * 2 == ids[:2]
    assert ids[2] != ids[0]


def test_a_failure_of_one_is_an_error_that_keeps_what_is_known_of_all():
    error = fails("create", {"a": COMPLETED, "b": ON_FIRE}, NEWS)

    assert (
        "1 of 2 models is not undeployed:\n  Model b was not undeployed: GPU on fire. The next `pulumi up` only polls"
        f" again. To request the undeployment, set undeploy to true.\n{GO_ON}"
    ) == str(error)
    assert ("fleet-7e18f737311b2dc3", state({"a": COMPLETED, "b": ON_FIRE})) == error.kept


@pytest.mark.parametrize("props", [{"on_failure": "record"}, {"wait": False}])
def test_a_failure_that_is_wanted_as_an_output_is_no_error(props):
    _, outputs = FLEET.create(Call({"a": COMPLETED, "b": ON_FIRE}), {**NEWS, **props})

    assert state({"a": COMPLETED, "b": ON_FIRE}, **props) == outputs
    assert ["b"] == outputs["failed"]


def test_what_was_known_is_kept_unless_more_was_found_out():
    answer = {"a": UnavailableError("Lost."), "b": Outcome(PENDING, UnavailableError("Too late."))}
    error = fails("update", answer, "fleet-1", state({"a": PENDING, "b": ON_FIRE}, undeploy=True), NEWS)

    assert f"2 of 2 models are not undeployed:\n  Lost.\n  Too late.\n{GO_ON}" == str(error)
    assert ("fleet-1", state({"a": PENDING, "b": PENDING})) == error.kept


def test_nothing_is_kept_where_nothing_is_known():
    assert fails("create", {"a": UnavailableError("a"), "b": UnavailableError("b")}, NEWS).kept is None


@pytest.mark.parametrize("props", [{"on_failure": "record"}, {"wait": False}])
def test_without_a_wish_for_undeployed_models_only_a_status_is_missed(props):
    error = fails("create", {"a": COMPLETED, "b": UnavailableError("Why.")}, {**NEWS, **props})

    assert f"1 of 2 models is without a status:\n  Why.\n{GO_ON}" == str(error)


def test_who_names_models_that_do_not_exist_is_told_what_to_do():
    error = fails("create", {"a": COMPLETED, "b": GONE}, NEWS)

    assert str(error).endswith(f"{GO_ON} Remove the ids that do not exist from model_ids.")


def test_of_mistakes_of_ours_one_traceback_is_shown():
    mistakes = {"a": UnforeseenError("One.", "Traceback of one\n"), "b": UnforeseenError("Two.", "Traceback of two\n")}

    assert f"2 of 2 models are not undeployed:\n  One.\n  Two.\n{GO_ON}\nTraceback of one" == (
        str(fails("create", mistakes, NEWS))
    )


@pytest.mark.parametrize(
    ("models", "had", "props", "asked", "before"),
    [
        (DONE, {}, {"undeploy": True}, None, 0),
        ({"a": PENDING, "b": COMPLETED}, {}, {"wait": False}, None, 0),
        ({"a": ON_FIRE, "b": COMPLETED}, {}, {"on_failure": "record"}, None, 0),
        ({"a": PENDING, "b": COMPLETED}, {}, {"model_ids": ["b"]}, None, 0),
        ({"a": COMPLETED, "b": PENDING}, {}, {}, {"b": False}, 1),
        ({"a": COMPLETED, "b": PENDING}, {"undeploy": True}, {"undeploy": True}, {"b": False}, 1),
        ({"a": COMPLETED, "b": PENDING}, {}, {"undeploy": True}, {"b": True}, 1),
        ({"a": ON_FIRE, "b": PENDING}, {"undeploy": True}, {"undeploy": True}, {"a": True, "b": False}, 0),
        ({"a": COMPLETED}, {"undeploy": True}, {"undeploy": True}, {"b": True}, 1),
        ({}, {}, {}, {"a": False, "b": False}, 0),
    ],
)
def test_an_update_asks_about_the_unsettled_and_the_new_and_forgets_the_removed(models, had, props, asked, before):
    """Those that need no question count in what is reported."""
    call = Call(DONE)
    outputs = FLEET.update(call, "fleet-1", state(models, **had), {**NEWS, **props})

    assert state({**models, **dict.fromkeys(asked or {}, COMPLETED)}, **props) == outputs
    assert ([] if asked is None else [("wait", asked, before)]) == call.asked


def test_state_without_models_or_undeploy_knows_nothing():
    call = Call(DONE)
    FLEET.update(call, "fleet-1", {"model_ids": ["a", "b"], "models": None}, NEWS)
    pending = {"a": PENDING.outputs("undeployed"), "b": {}}
    FLEET.update(call, "fleet-1", {"model_ids": ["a"], "models": pending}, {**NEWS, "undeploy": True})

    assert [{"a": False, "b": False}, {"a": True, "b": True}] == [models for _, models, _ in call.asked]


def test_a_refresh_polls_each_once_and_keeps_the_times_of_what_it_knew():
    now, then = replace(COMPLETED, start_time="now", end_time="now"), replace(COMPLETED, **TIMES)
    call = Call({"a": now, "b": now})
    props = state({"a": then, "b": PENDING}, undeploy=True, timeout_seconds=7.0)

    assert {**props, **state({"a": then, "b": now}, undeploy=True, timeout_seconds=7.0)} == (
        FLEET.refresh(call, "fleet-1", props)
    )
    assert [("poll", {"a": False, "b": False}, 0)] == call.asked
    assert ([7.0], []) == (call.timeouts, call.said)


def test_a_refresh_drops_what_is_gone_and_nothing_else():
    call = Call({"a": COMPLETED, "b": GONE})

    assert state({"a": COMPLETED}) == FLEET.refresh(call, "fleet-1", state(DONE))
    assert call.said[-1].startswith("Model b does not exist. Remove from model_ids")


def test_a_refresh_without_all_answers_is_an_error_that_keeps_nothing():
    error = fails("refresh", {"a": UnavailableError("Why."), "b": GONE}, "fleet-1", state(DONE))

    assert "1 of 2 models is without a usable response:\n  Why.\nState did not change." == str(error)
    assert error.kept is None
    with pytest.raises(BadKeyError, match="`pulumi refresh --run-program`"):
        FLEET.refresh(Call({"a": COMPLETED, "b": BadKeyError("bad.")}), "fleet-1", state(DONE))


@pytest.mark.parametrize(
    ("props", "seen", "said", "next_"),
    [
        ({}, DEPLOYED, DEPLOYED.error, "fails until somebody undeploys it: to request that, set undeploy to true."),
        # A drift to PENDING is somebody else's undeployment, which is waited for.
        ({"undeploy": True}, PENDING, "PENDING.", "waits for it."),
        ({"wait": False, "undeploy": True}, DEPLOYED, DEPLOYED.error, "undeploys it."),
    ],
)
def test_a_refresh_warns_of_a_drift_and_records_it(props, seen, said, next_):
    call = Call({"a": COMPLETED, "b": seen})

    assert state({"a": COMPLETED, "b": seen}, **props) == FLEET.refresh(call, "fleet-1", state(DONE, **props))
    assert [
        f"1 of 2 models is not undeployed:\n  Model b is no longer undeployed: {said}\nThe next `pulumi up` {next_}"
    ] == call.said


def test_a_refresh_finds_no_change_in_what_was_left_out():
    """It is too large for state, and a fleet's waits keep no more of it."""
    now = {"a": replace(COMPLETED, result="x" * 3 * MIB), "b": replace(COMPLETED, result="x" * MIB)}
    props = state({name: replace(model, start_time="then") for name, model in now.items()})

    assert ["(left out: 3.0 MiB)", "x" * MIB] == [model["result"] for model in props["models"].values()]
    kept = {name: capped(model, largest_value(2)) for name, model in now.items()}
    assert props == FLEET.refresh(Call(kept), "fleet-1", props)


def test_adopting_a_fleet_polls_each_once_and_has_the_defaults():
    call = Call({"a": COMPLETED, "b": PENDING})

    assert ("fleet-7e18f737311b2dc3", state({"a": COMPLETED, "b": PENDING})) == FLEET.import_(call, "a, b")
    assert [("poll", {"a": False, "b": False}, 0)] == call.asked
    assert FLEET.import_(Call({"a": GONE, "b": GONE}), "a,b")[1] is None


def test_what_cannot_be_an_id_is_not_asked_about():
    call = Call()
    with pytest.raises(InputError) as caught:
        FLEET.import_(call, "a,b/c,")

    assert (
        "model_ids 'b/c' must not contain / \\ ? or #, because they would change the URL;"
        " '' must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r."
    ) == str(caught.value)
    assert [] == call.asked


@pytest.mark.parametrize(
    ("models", "props", "changed", "replaces", "reason"),
    [
        (DONE, {}, False, [], None),
        (DONE, {"model_ids": ["b", "a"]}, False, [], None),
        (DONE, {"model_ids": ["b"]}, True, [], None),
        (DONE, {"model_ids": Unknown()}, True, [], None),
        (DONE, {"model_ids": ["a", Unknown()]}, True, [], None),
        (DONE, {"wait": False}, True, [], None),
        ({"a": COMPLETED, "b": PENDING}, {"triggers": [1]}, True, ["triggers"], None),
        (
            DONE,
            {"model_ids": ["a", "b", "c"], "undeploy": True},
            True,
            [],
            "1 of 3 not undeployed: will undeploy 1",
        ),
        ({"a": COMPLETED, "b": PENDING}, {}, False, [], "1 of 2 not undeployed: will poll 1"),
        ({}, {}, False, [], "2 of 2 not undeployed: will poll 2"),
    ],
)
def test_a_diff_says_what_differs_and_what_an_update_would_do(models, props, changed, replaces, reason):
    assert Difference(changed, replaces, reason) == FLEET.diff(Call(), state(models), {**NEWS, **props})


class Interrupted(Call):
    """Requests each undeployment, unless an interruption comes first; counts the DELETEs that were accepted."""

    def __init__(self, moments):
        super().__init__()
        self.moments = moments
        self.deletes = Counter()

    def outcome(self, model_id, goal, *, wait):
        moment = self.moments[model_id]
        if goal.request and moment == "before":
            return Outcome(None, UnavailableError(f"Model {model_id}: interrupted."))
        self.deletes[model_id] += goal.request
        if not self.deletes[model_id]:
            return Outcome(ON_FIRE)
        if wait and moment == "after":
            return Outcome(PENDING, UnavailableError(f"Model {model_id}: interrupted."))
        return Outcome(COMPLETED)


@given(
    st.lists(st.lists(st.sampled_from(["before", "after", "end"]), min_size=3, max_size=3), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from([{"on_failure": "record"}, {"wait": False}, {}]),
    st.sets(st.sampled_from("abc")),
)
def test_whatever_interrupts_a_fleet_every_delete_that_the_program_asks_for_is_sent_once(ups, refreshes, props, known):
    news = {**NEWS, **props, "model_ids": ["a", "b", "c"], "undeploy": True}
    moments = {}
    call = Interrupted(moments)
    # Recorded by a program that did not ask for the undeployments yet.
    current = of_fleet({**news, "undeploy": False}, dict.fromkeys(known, ON_FIRE))
    for up, refresh in zip([*ups, ["end"] * 3], [*refreshes[: len(ups)], False], strict=True):
        moments.update(zip("abc", up, strict=True))
        try:
            current = FLEET.update(call, "fleet-1", current, news)
        except UnfinishedFleetError as exc:
            current = exc.kept[1] if exc.kept else current
        if refresh:
            current = FLEET.refresh(call, "fleet-1", current)

    assert dict.fromkeys("abc", 1) == call.deletes
    assert current["undeployed"]
