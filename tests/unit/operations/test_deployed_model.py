"""What the operations on a deployed model request, what they return, and what they keep when they fail."""

import pytest
from harness.api import Told
from nugen_pulumi.operations.undeployed_model import ModelOperations

from nugen_pulumi.api.directions import DEPLOY, UNDEPLOY
from nugen_pulumi.api.responses import DeployStatus, TaskStatus
from nugen_pulumi.errors import (
    BadKeyError,
    DeployFailedError,
    InputError,
    ModelNotFoundError,
    UndeployFailedError,
    WaitTimeoutError,
)
from nugen_pulumi.operations import claims
from nugen_pulumi.operations.deployed_model import DeployedOperations
from nugen_pulumi.operations.fleet import FleetOperations
from nugen_pulumi.operations.inputs import DEPLOYED_DEFAULTS, READ_IN_PREVIEW
from nugen_pulumi.operations.operation import Difference, announce

NEWS = {"model_id": "m", **DEPLOYED_DEFAULTS}
NOTHING = {"result": None, "start_time": None, "end_time": None, "error": None}
IN_SERVICE = {**NOTHING, "status": "COMPLETED", "deployed": True, "adopted": False}
PENDING = {**NOTHING, "status": "PENDING", "deployed": False, "adopted": False}
SEEN_PENDING = {**PENDING, "start_time": "2026-07-16T06:53:56.029517"}
OUT = "No active deployment. Model status is UNDEPLOYED."
REVERTED = "Redeployment failed and was reverted to READY status"
STATE = {**NEWS, **IN_SERVICE}
OTHER = "urn:pulumi:dev::test::nugen:index:DeployedModel::other"


def failed(reason):
    return {**PENDING, "status": "FAILED", "result": {"error": reason}, "error": reason}


class Runtime:
    """Answers all that is asked alike, and remembers it: what, in which direction, with a request or not."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.policies = []
        self.beginnings = []

    def poll(self, model_id, policy=None, beginning=None, *, reporter):
        self.policies.append(policy)
        return self._answer("poll", beginning)

    def wait(self, model_id, policy, beginning, *, reporter):
        self.policies.append(policy)
        return self._answer("wait", beginning)

    def _answer(self, how, beginning):
        assert beginning.request is beginning.look_first
        self.asked.append((how, beginning.direction, beginning.request))
        self.beginnings.append(beginning)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def status(word="COMPLETED", reason=None, *, kind=DeployStatus, adopted=False, already=False):
    result = {"error": reason} if reason else None
    return kind(model_id="echoed", status=word, result=result).marked(adopted=adopted, already=already)


def undeployed(*args, **more):
    """Return a status of an undeployment."""
    return status(*args, kind=TaskStatus, **more)


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """Each test is a process of its own."""
    monkeypatch.setattr(claims, "CLAIMS", claims.Claims())


@pytest.fixture
def ask():
    """Return what an operation returned, and what was told and asked on the way."""

    def ask(answer, operation, *args, timeout=None):
        told, runtime = Told(timeout), Runtime(answer)
        told.runtime = lambda: runtime
        return getattr(DeployedOperations(), operation)(told, *args), told, runtime

    return ask


def test_create_requests_the_deployment_and_waits(ask):
    (id_, state), told, runtime = ask(status(), "create", NEWS)

    assert ("m", STATE) == (id_, state)
    assert [("wait", DEPLOY, True)] == runtime.asked
    assert [] == told.said


def test_without_a_wait_whatever_is_polled_is_recorded(ask):
    (_, state), _, runtime = ask(status("PENDING"), "create", {**NEWS, "wait": False})

    assert {**NEWS, "wait": False, **PENDING} == state
    assert [("poll", DEPLOY, True)] == runtime.asked


def test_a_model_that_was_in_service_is_adopted_with_a_warning(ask):
    (_, state), told, _ = ask(status(adopted=True), "create", NEWS)

    assert state["adopted"]
    assert "Model m was in service, or on its way, before this resource" in told.said[0]


@pytest.mark.parametrize("adopted", [True, False])
def test_a_deployment_that_fails_is_kept_with_what_is_known(ask, adopted):
    with pytest.raises(DeployFailedError, match=r"Model m was not deployed: Redeployment failed .* again\.") as caught:
        ask(status("FAILED", REVERTED, adopted=adopted), "create", NEWS)

    assert ("m", {**NEWS, **failed(REVERTED), "adopted": adopted}) == caught.value.kept


@pytest.mark.parametrize(
    ("known", "wait", "asked"),
    [
        (IN_SERVICE, True, []),
        (PENDING, True, [("wait", DEPLOY, False)]),
        (SEEN_PENDING, True, [("wait", DEPLOY, False)]),
        (SEEN_PENDING, False, []),
        (PENDING, False, [("poll", DEPLOY, False)]),  # no response ever said so
        (failed(REVERTED), True, [("wait", DEPLOY, True)]),
        (failed(OUT), False, [("poll", DEPLOY, True)]),
        ({}, True, [("wait", DEPLOY, True)]),
    ],
)
def test_an_update_requests_only_what_is_missing(ask, known, wait, asked):
    news = {**NEWS, "wait": wait}
    state, _, runtime = ask(status(), "update", "m", {**NEWS, **known}, news)

    assert asked == runtime.asked
    assert all(beginning.unconfirmed == (known == PENDING) for beginning in runtime.beginnings)
    assert state["deployed"] or not asked


@pytest.mark.parametrize("wait", [True, False])
def test_an_update_passes_on_what_was_recorded_before_its_request(ask, wait):
    """It tells an old status from the new one if the poll before the request fails."""
    _, _, runtime = ask(status(), "update", "m", {**NEWS, **failed(OUT)}, {**NEWS, "wait": wait})

    assert [failed(OUT)["error"]] == [beginning.before["error"] for beginning in runtime.beginnings]


HELD = "Model m stays in service, because {} of this program wants it there."


def registers(told, news=NEWS):
    """Do what the engine does first about a resource of the program."""
    announce(told, DeployedOperations(), news, creating=False)


def creates(told, answer):
    told.runtime = lambda: Runtime(answer)
    DeployedOperations().create(told, NEWS)


@pytest.mark.parametrize(
    ("holder", "how", "left"),
    [
        (None, "created", True),  # as a replacement, with the URN of what is deleted
        (OTHER, "created", True),
        (OTHER, "found otherwise", True),
        (None, "found", False),  # the very one that is deleted
        (OTHER, "found", False),  # the same, under the name of an alias
        (None, "found otherwise", True),  # an old one of the same URN, whose delete was interrupted
        (None, "replaced", False),
        (OTHER, "registered", False),  # it will deploy the model again
        (OTHER, "refreshed", False),  # the engine calls Diff in a refresh, too: that is not what the program wants
        (OTHER, "wants another one", False),
    ],
)
def test_a_delete_leaves_in_service_what_another_resource_of_the_program_holds_there(ask, holder, how, left):
    """The engine creates what replaces a resource first, and deletes the old one at the end."""
    told = Told(urn=holder) if holder else Told()
    if how != "refreshed":
        registers(told, {**NEWS, "model_id": "n"} if how == "wants another one" else NEWS)
    told.said.clear()
    if how == "created":
        creates(told, status())
    elif how != "registered":
        found = {} if how == "found" else {"start_time": "earlier"}
        news = {"triggers": ["x"]} if how == "replaced" else {}
        DeployedOperations().diff(told, {**STATE, **found}, {**NEWS, **news})

    _, told, runtime = ask(undeployed(), "delete", "m", STATE)

    assert ([] if left else [("wait", UNDEPLOY, True)]) == runtime.asked
    assert ([HELD.format("other" if holder else "m")] if left else []) == told.said


def test_what_came_to_be_in_spite_of_an_error_is_held_in_service(ask):
    with pytest.raises(DeployFailedError):
        ask(status("FAILED", REVERTED), "create", NEWS)

    assert [] == ask(undeployed(), "delete", "m", STATE)[2].asked


@pytest.mark.parametrize(
    ("urn", "old"), [(None, "old"), (OTHER, "m")], ids=["what it was to replace", "whose model it was to take over"]
)
def test_a_delete_keeps_in_service_what_a_failed_create_was_to_follow(ask, urn, old):
    """With --continue-on-error the engine deletes it all the same."""
    with pytest.raises(BadKeyError):
        creates(Told(urn=urn) if urn else Told(), BadKeyError("bad"))
    with pytest.raises(
        UndeployFailedError, match=rf"^Model {old} stays in service, because .* was to follow it, failed"
    ):
        ask(undeployed(), "delete", old, {**STATE, "model_id": old})

    creates(Told(urn=urn) if urn else Told(), status())
    ask(undeployed(), "delete", old, {**STATE, "model_id": old})


def test_what_a_delete_took_out_of_service_another_resource_deploys_again(ask):
    """A replacement that deletes first, of one of two that share a model."""
    ask(undeployed(), "delete", "m", STATE)

    assert "will deploy" in DeployedOperations().diff(Told(), STATE, NEWS).update_reason
    assert [("wait", DEPLOY, True)] == ask(status(), "update", "m", STATE, NEWS)[2].asked
    assert DeployedOperations().diff(Told(), STATE, NEWS).update_reason is None


@pytest.mark.parametrize("was", [True, False])
def test_what_a_resource_owns_it_goes_on_owning_and_a_request_may_make_it_the_owner(ask, was):
    """A POST that finds the model there may have met an earlier one, whose status lagged."""
    waited, _, _ = ask(status(), "update", "m", {**NEWS, **SEEN_PENDING, "adopted": was}, NEWS)
    settled, _, _ = ask(status(), "update", "m", {**STATE, "adopted": was}, NEWS)
    requested, _, _ = ask(status(), "update", "m", {**NEWS, **failed(OUT), "adopted": was}, NEWS)
    found, _, _ = ask(status(adopted=True), "update", "m", {**NEWS, **failed(OUT), "adopted": was}, NEWS)
    confirmed, _, _ = ask(status(), "update", "m", {**NEWS, **PENDING, "adopted": was}, NEWS)
    there, _, _ = ask(status(adopted=True), "update", "m", {**NEWS, **PENDING, "adopted": was}, NEWS)

    adopted = tuple(state["adopted"] for state in (waited, settled, requested, found, confirmed, there))
    assert (was, was, False, was, False, was) == adopted


def different(*, inputs=False, replaces=(), reason=None, delete_first=True):
    return Difference(inputs, list(replaces), reason, delete_first)


@pytest.mark.parametrize(
    ("olds", "news", "difference"),
    [
        (IN_SERVICE, {}, different()),
        (IN_SERVICE, {"timeout_seconds": 9.0}, different(inputs=True)),
        (IN_SERVICE, {"model_id": "n"}, different(inputs=True, replaces=["model_id"], delete_first=False)),
        (IN_SERVICE, {"triggers": ["x"]}, different(inputs=True, replaces=["triggers"])),
        (SEEN_PENDING, {}, different(reason="was PENDING: will keep waiting")),
        (PENDING, {}, different(reason="was PENDING: will wait, or deploy again, which uses credits")),
        (failed(OUT), {}, different(reason="is UNDEPLOYED: will deploy, which uses credits")),
        (failed(REVERTED), {}, different(reason="not in service: will deploy, which uses credits")),
        ({}, {}, different(reason="not in service: will deploy, which uses credits")),
    ],
)
def test_diff_says_what_the_update_will_do(olds, news, difference):
    assert difference == DeployedOperations().diff(Told(), {**NEWS, **olds}, {**NEWS, **news})


@pytest.mark.parametrize(
    ("known", "seen", "warning"),
    [
        (IN_SERVICE, status(), None),
        (IN_SERVICE, status("FAILED", OUT), f"Model m is not in service: {OUT} The next `pulumi up` deploys it."),
        (
            IN_SERVICE,
            status("FAILED", OUT.replace("UNDEPLOYED", "UNDEPLOYING")),
            "Model m is being undeployed by somebody. The next `pulumi up` deploys it.",
        ),
        (IN_SERVICE, status("PENDING"), "Model m is not in service yet: PENDING. The next `pulumi up` waits for it."),
        (failed(OUT), status("FAILED", OUT), f"Model m is not in service: {OUT} The next `pulumi up` deploys it."),
        (PENDING, status("PENDING"), None),
    ],
)
def test_a_refresh_warns_of_what_is_out_of_service_and_records_it(ask, known, seen, warning):
    """Again and again, but for what was known to be on its way."""
    state, told, runtime = ask(seen, "refresh", "m", {**NEWS, **known})

    assert [("poll", DEPLOY, False)] == runtime.asked
    assert state["deployed"] is seen.reached
    assert ([] if warning is None else [warning]) == told.said


def test_a_refresh_adopts_nothing(ask):
    """What does not say that it is adopted was deployed by its resource."""
    props = {name: value for name, value in STATE.items() if name != "adopted"}

    assert ask(status(), "refresh", "m", props)[0]["adopted"] is False


@pytest.mark.parametrize("known", [IN_SERVICE, {}])
def test_a_model_that_does_not_exist_leaves_state(ask, known):
    state, told, _ = ask(ModelNotFoundError("none"), "refresh", "m", {**NEWS, **known})

    assert state is None
    assert bool(known) == bool(told.said)


@pytest.mark.parametrize("operation", ["refresh", "delete"])
def test_a_key_that_is_refused_gets_the_advice_of_what_runs_no_program(ask, operation):
    command = "pulumi refresh" if operation == "refresh" else "pulumi destroy"
    with pytest.raises(BadKeyError, match=rf"^bad\. `{command}` uses the key .* `{command} --run-program`\.$"):
        ask(BadKeyError("bad."), operation, "m", STATE)


def test_a_delete_requests_the_undeployment_and_waits_whatever_wait_says(ask):
    _, told, runtime = ask(undeployed(), "delete", "m", {**STATE, "wait": False})

    assert [("wait", UNDEPLOY, True)] == runtime.asked
    assert [] == told.said


@pytest.mark.parametrize(
    ("custom", "given", "timeout"), [(60.0, 7.0, 60.0), (None, 7.0, 7.0), (60.0, None, 60.0), (None, None, 1800.0)]
)
def test_the_timeout_of_a_delete_is_that_of_the_options_first(ask, custom, given, timeout):
    _, _, runtime = ask(undeployed(), "delete", "m", {**STATE, "timeout_seconds": given}, timeout=custom)

    assert timeout == runtime.policies[0].timeout


def test_what_does_not_say_that_it_is_adopted_is_undeployed(ask):
    props = {name: value for name, value in STATE.items() if name != "adopted"}

    assert [("wait", UNDEPLOY, True)] == ask(undeployed(), "delete", "m", props)[2].asked


def test_what_was_adopted_is_left_in_service(ask):
    _, told, runtime = ask(status(), "delete", "m", {**STATE, "adopted": True})

    assert [] == runtime.asked
    assert told.said[0].startswith("Model m stays in service, because this resource found it there.")


@pytest.mark.parametrize(
    ("seen", "gone"),
    [
        (undeployed(), True),
        (undeployed("FAILED", "Model status is UNDEPLOYED"), True),
        (undeployed("FAILED", "Model status is READY", already=True), True),
        (undeployed("FAILED", "Model status is READY"), False),
        (undeployed("FAILED", "Model status is DEPLOYED", already=True), False),
        (undeployed("FAILED", "Model status is DEPLOYING", already=True), False),
        (undeployed("FAILED", "GPU on fire", already=True), False),
    ],
)
def test_only_definite_words_end_a_delete_well(ask, seen, gone):
    if gone:
        assert [] == ask(seen, "delete", "m", STATE)[1].said
        return
    with pytest.raises(UndeployFailedError) as caught:
        ask(seen, "delete", "m", STATE)
    assert str(caught.value) == (
        f"Model m was not undeployed: {seen.error}. The resource stays in state, and the next `pulumi destroy`"
        " (`pulumi up` after a replacement) requests the undeployment again."
    )


def test_a_delete_that_finds_no_model_says_so(ask):
    """With the key of another account, the model may be in service."""
    _, told, _ = ask(ModelNotFoundError("none"), "delete", "m", STATE)

    assert [
        "Model m does not exist, or belongs to another account than the API key: nothing was undeployed."
    ] == told.said


def test_a_delete_that_fails_keeps_nothing_of_the_undeployment(ask):
    """The engine keeps the resource as it is."""
    error = WaitTimeoutError("too late")
    error.last_known = undeployed("PENDING")
    with pytest.raises(WaitTimeoutError) as caught:
        ask(error, "delete", "m", STATE)

    assert (None, None) == (caught.value.last_known, caught.value.kept)


def test_an_imported_model_is_adopted(ask):
    (id_, state), _, runtime = ask(status(), "import_", "m")

    assert ("m", True) == (id_, state["adopted"])
    assert [("poll", DEPLOY, False)] == runtime.asked
    with pytest.raises(InputError):
        ask(status(), "import_", "a/b")


def test_get_waits_and_never_requests(ask):
    seen, _, runtime = ask(status(), "get", "m", {"model_id": "m"})
    previewed, _, preview = ask(status("PENDING"), "get", "m", {"model_id": "m", READ_IN_PREVIEW: True})

    assert (True, False, True) == (seen["deployed"], previewed["deployed"], seen["adopted"])
    assert [("wait", DEPLOY, False)] == runtime.asked
    assert [("poll", DEPLOY, False)] == preview.asked
    with pytest.raises(DeployFailedError, match="set wait=False"):
        ask(status("FAILED", OUT), "get", "m", {"model_id": "m"})
    with pytest.raises(InputError):
        ask(status(), "get", "a/b", {})


BOTH = "Model m has both a DeployedModel and an UndeployedModel"
TWO = "Model m has two DeployedModel resources"


@pytest.mark.parametrize(
    ("first", "second", "warning"),
    [
        (DeployedOperations(), ModelOperations(), BOTH),
        (ModelOperations(), DeployedOperations(), BOTH),
        (FleetOperations(), DeployedOperations(), BOTH),
        (DeployedOperations(), FleetOperations(), BOTH),
        (DeployedOperations(), DeployedOperations(), TWO),
        (ModelOperations(), FleetOperations(), None),
    ],
)
def test_two_resources_at_odds_about_one_model_are_told_once(first, second, warning):
    one, other = Told(), Told(urn=OTHER)
    for _ in range(2):
        announce(one, first, {"model_id": "m", "model_ids": ["k", "m", object()]}, creating=False)
        announce(other, second, {"model_id": "m", "model_ids": ["l", object(), "m"]}, creating=False)

    assert [] == one.said
    assert ([] if warning is None else [warning]) == [line[: len(warning)] for line in other.said]


def test_a_fleet_at_odds_about_many_models_is_told_of_one():
    told = Told(urn=OTHER)
    for model_id in ("k", "m"):
        announce(Told(urn=model_id), DeployedOperations(), {"model_id": model_id}, creating=False)
    announce(told, FleetOperations(), {"model_ids": ["k", "m"]}, creating=False)

    assert ["Model k has both"] == [line[:16] for line in told.said]


def test_a_resource_that_will_deploy_says_so_in_a_preview():
    told = Told()
    announce(told, DeployedOperations(), {"model_id": object()}, creating=True)
    announce(told, DeployedOperations(), {"model_id": "m"}, creating=True)

    assert ["will deploy, which uses credits", "will deploy m, which uses credits"] == told.said
