"""All that the emulator knows, with the clock in the test's hand: scripts, faults, stories, the list, newer paths."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from harness import Clock

from nugen_pulumi.emulator import Answer, Traits, catalogue, faults
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.emulator.stories import STORIES, story
from nugen_pulumi.emulator.world import Endpoint, World, answer

STATUS, UNDEPLOY = Endpoint.STATUS, Endpoint.UNDEPLOY


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("PENDING", catalogue.pending().answer("m-1")),
        ("completed", catalogue.status("completed").answer("m-1")),
        ("ARCHIVED", catalogue.status("ARCHIVED").answer("m-1")),
        (Answer(200, "{half", delay=0.5), Answer(200, "{half", delay=0.5)),
        (503, catalogue.error(503)),
        (400, catalogue.bad_request()),
        (200, Answer(200)),
        ({"status": "PENDING"}, Answer(200, {"status": "PENDING"})),
        (None, Answer(200, None)),
    ],
)
def test_each_kind_of_element_of_a_status_script_means_one_answer(element, expected):
    assert expected == answer(STATUS, element, "m-1")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (200, Answer(200, '"m-1"')),
        (204, Answer(204)),
        (400, catalogue.already_undeployed()),
        (503, catalogue.error(503)),
        ("other", Answer(200, '"other"')),
        (catalogue.pending(), catalogue.pending().answer("m-1")),
    ],
)
def test_a_delete_speaks_of_ids_and_its_400_says_that_there_is_nothing_to_do(element, expected):
    assert expected == answer(UNDEPLOY, element, "m-1")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock):
    return World(undeploy_seconds=10, clock=clock, epoch=datetime(2026, 7, 16, tzinfo=UTC))


@pytest.fixture
def full_world(clock):
    """A world where every model exists."""
    return World(undeploy_seconds=10, stories=story, clock=clock)


def word(answer):
    return answer.body["status"]


def test_a_model_undeploys_as_the_clock_goes_and_its_times_are_dates(world, clock):
    world.add("m-1", Traits())
    clock.time += 5
    world.undeploy("m-1")
    clock.time += 9
    assert "PENDING" == word(world.status("m-1"))
    clock.time += 1
    body = world.status("m-1").body

    assert ("2026-07-16T00:00:05Z", "2026-07-16T00:00:15Z") == (body["start_time"], body["end_time"])


def test_where_every_model_exists_each_id_tells_its_own_story(full_world, clock):
    for model_id in ("fail-1", "stuck-1", "m-1"):
        full_world.undeploy(model_id)
    for model_id in ("fail-deploy-1", "stuck-deploy-1", "m-2"):
        full_world.deploy(model_id)
    clock.time += 1000

    assert ["FAILED", "PENDING", "COMPLETED"] == [word(full_world.status(m)) for m in ("fail-1", "stuck-1", "m-1")]
    assert ["FAILED", "PENDING", "COMPLETED"] == [
        word(full_world.deploy_status(m)) for m in ("fail-deploy-1", "stuck-deploy-1", "m-2")
    ]
    assert catalogue.already_undeployed() == full_world.undeploy("gone-1")
    assert catalogue.model_not_found() == full_world.status("missing-1")
    full_world.verify()


def test_no_story_hides_a_later_one():
    assert [s.traits for s in STORIES] == [story(s.prefix + "1") for s in STORIES]


def test_a_model_can_be_deployed_behind_everybodys_back_if_there_is_one(full_world, world):
    full_world.redeploy("gone-1")

    assert catalogue.nothing_running().result == full_world.status("gone-1").body["result"]
    for ask in (world.redeploy, world.state):
        with pytest.raises(KeyError, match="m-1"):
            ask("m-1")


def test_what_was_queued_first_is_answered_first_per_endpoint_and_model(world):
    world.add("m-1", Traits())
    world.script(STATUS, "m-1", (500, 502))
    world.script(STATUS, "m-1", (503,))
    world.script(STATUS, "m-2", (504,))
    world.script(UNDEPLOY, "m-1", (200, 400))

    assert [500, 502, 503, 200] == [world.status("m-1").status for _ in range(4)]
    assert 504 == world.status("m-2").status
    assert [200, 400] == [world.undeploy("m-1").status for _ in range(2)]
    assert catalogue.nothing_running().result == world.status("m-1").body["result"], "the model itself is untouched"
    world.verify()


def test_an_element_that_cannot_be_sent_is_refused_at_once_and_nothing_is_queued(world):
    with pytest.raises(TypeError, match="not JSON serializable"):
        world.script(STATUS, "m-1", (500, object()))
    world.verify()


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"flapping"}))
def test_a_delete_may_be_carried_out_whatever_is_wrong_with_its_answer(world, name):
    world.add("m-1", Traits())
    world.script(STATUS, "m-1", (FAULTS[name](),))
    world.script(UNDEPLOY, "m-1", (FAULTS[name](), FAULTS[name](carried_out=True)))
    world.status("m-1")
    world.undeploy("m-1")
    assert "FAILED" == word(world.status("m-1")), "a fault changes nothing but an answer"

    assert catalogue.undeploying("m-1") != world.undeploy("m-1")
    assert "PENDING" == word(world.status("m-1"))
    assert catalogue.undeployment_running() == world.undeploy("m-1")
    world.verify()


def test_a_fault_spoils_what_the_model_would_have_answered(world):
    world.add("m-1", Traits(state="UNDEPLOYING", undeploy_seconds=0))
    world.script(STATUS, "m-1", (faults.fine(), faults.huge()))

    assert "COMPLETED" == word(world.status("m-1"))
    assert b'"COMPLETED"' in world.status("m-1").content


def test_without_a_model_a_fault_spoils_what_a_running_undeployment_would_look_like(world):
    world.script(STATUS, "m-1", (faults.fine(),))
    world.script(UNDEPLOY, "m-1", (faults.fine(),))

    assert catalogue.pending().answer("m-1") == world.status("m-1")
    assert catalogue.undeploying("m-1") == world.undeploy("m-1")


def test_the_first_status_answers_of_each_model_and_direction_may_be_spoilt_in_order(clock):
    world = World(undeploy_seconds=10, faults=(faults.status(500), faults.flapping()), stories=story, clock=clock)
    world.script(STATUS, "m-1", (502,))
    world.undeploy("m-1")

    assert [502, 500, 503, 200, 200] == [world.status("m-1").status for _ in range(5)]
    assert [500, 503, 200] == [world.deploy_status("m-1").status for _ in range(3)]
    assert [500, 503, 404, 404] == [world.status("missing-1").status for _ in range(4)]
    world.verify()
    world.reset()
    assert 500 == world.status("m-1").status


@pytest.mark.parametrize(("ask", "method"), [("status", "GET"), ("undeploy", "DELETE")])
def test_of_a_scripted_model_a_question_too_many_is_refused_for_good_and_told_at_the_end(world, ask, method):
    world.script(STATUS, "m-1", (503,))
    world.status("m-1")
    answer = getattr(world, ask)("m-1")

    fault = f"unexpected request: {method} of 'm-1', whose script has no answer left"
    assert (422, {"detail": f"Emulator: {fault}"}) == (answer.status, answer.body)
    with pytest.raises(AssertionError, match=f"^{fault}$"):
        world.verify()


def test_all_that_is_wrong_is_told_at_once_in_the_words_of_the_test_and_again(world):
    world.refuse("GET", "/nowhere")
    world.script(STATUS, "m-1", ("PENDING", (503, "COMPLETED"), ()))
    world.script(STATUS, "m-2", (500,))
    world.script(UNDEPLOY, "m-1", (400,))
    world.status("m-1")
    world.status("m-2")

    for _ in range(2):
        with pytest.raises(AssertionError) as caught:
            world.verify()
        assert [
            "unexpected request: GET /nowhere",
            "unused script: GET of 'm-1': 503, 'COMPLETED'",
            "unused script: DELETE of 'm-1': 400",
        ] == str(caught.value).splitlines()


def test_after_a_reset_nothing_is_left(world):
    world.record("GET", "/a")
    world.refuse("GET", "/a")
    world.add("m-1", Traits())
    world.script(STATUS, "m-2", (503,))
    world.reset()

    assert [] == world.requests
    assert catalogue.model_not_found() == world.status("m-1")
    assert catalogue.model_not_found() == world.status("m-2")
    world.verify()


def test_of_the_same_delete_by_four_at_once_one_starts_something():

    def clock():
        time.sleep(0.01)  # and so lets the others go on, whatever has been decided so far
        return 0.0

    world = World(undeploy_seconds=10, clock=clock)
    world.add("m-1", Traits())
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: world.undeploy("m-1").status, range(4)))

    assert [200, 400, 400, 400] == sorted(statuses)


def test_the_state_of_a_model_can_be_read_without_a_request(clock):
    world = World(undeploy_seconds=10, deploy_seconds=20, clock=clock)
    world.add("m-1", Traits(state="UNDEPLOYED"))
    states = [world.state("m-1")]
    assert catalogue.deploying("m-1") == world.deploy("m-1")
    for _ in range(3):
        states.append(world.state("m-1"))
        clock.time += 10

    assert ["UNDEPLOYED", "DEPLOYING", "DEPLOYING", "DEPLOYED"] == [state.value for state in states]


def test_an_unknown_model_is_in_service_for_a_delete_and_out_of_service_for_a_post(full_world):
    assert catalogue.undeploying("m-1") == full_world.undeploy("m-1")
    assert catalogue.deploying("m-2") == full_world.deploy("m-2")
    assert ["FAILED", "COMPLETED"] == [word(full_world.deploy_status(m)) for m in ("m-3", "deployed-1")]
    assert catalogue.already_deployed() == full_world.deploy("deployed-1")
    assert catalogue.not_deployable() == full_world.deploy("undeploying-1")
    assert catalogue.already_undeployed() == full_world.undeploy("new-1")
    assert catalogue.model_not_found() == full_world.deploy("missing-1")


def test_the_endpoints_of_deployments_have_scripts_and_right_answers_of_their_own(world):
    world.script(Endpoint.DEPLOY, "m-1", (400, 200, "m-1", faults.fine()))
    world.script(Endpoint.DEPLOY_STATUS, "m-1", ("completed", "FAILED", "ODD", faults.fine()))

    assert [catalogue.already_deployed(), catalogue.deploying("m-1")] == [world.deploy("m-1") for _ in range(2)]
    assert [catalogue.undeploying("m-1"), catalogue.deploying("m-1")] == [world.deploy("m-1") for _ in range(2)]
    bodies = [world.deploy_status("m-1").body for _ in range(4)]
    assert [
        ("completed", catalogue.DEPLOYED),
        ("FAILED", {"error": catalogue.REVERTED}),
        ("ODD", None),
        ("PENDING", None),
    ] == [(body["status"], body["result"]) for body in bodies]
    assert 422 == world.deploy("m-1").status
    with pytest.raises(AssertionError, match="unexpected request: POST of 'm-1'"):
        world.verify()


def test_the_list_has_a_page_of_the_models_in_the_old_or_the_new_shape(world):
    states = ("DEPLOYED", "UNDEPLOYING", "UNDEPLOYED", "DEPLOYING", "EVALUATED")
    for number, state in enumerate(states):
        world.add(f"m-{number}", Traits(state=state))
    old = world.list_models(None, 0).body["domain_aligned_models"]
    world.list_shape = "new"
    new = world.list_models(None, 0).body["domain_aligned_models"]

    assert list(states) == [model["status"] for model in old]
    assert ["DEPLOYED", "DEPLOYED", "UNDEPLOYED", "UNDEPLOYED", "UNDEPLOYED"] == [m["deployment_status"] for m in old]
    assert ["DEPLOYED", "UNDEPLOYING", "UNDEPLOYED", "DEPLOYING", "UNDEPLOYED"] == [m["deployment_status"] for m in new]
    assert [m["id"] for m in old] == [m["model_id"] for m in new]
    assert new[1:3] == world.list_models(2, 1).body["domain_aligned_models"]
    world.script(Endpoint.LIST, "", (503, faults.fine()))
    assert [503, 200] == [world.list_models(None, 0).status for _ in range(2)]
    world.verify()


def test_the_list_may_tell_what_was_true_when_it_was_asked_for_the_last_time(world):
    world.list_lags = True
    counts = []
    for number in range(3):
        world.add(f"m-{number}", Traits())
        counts.append(len(world.list_models(None, 0).body["domain_aligned_models"]))

    assert [1, 1, 2] == counts


def test_the_newer_status_endpoint_is_one_for_both_directions(full_world, clock):
    full_world.undeploy("fail-1")
    full_world.deploy("fail-deploy-1")
    models = ("m-1", "fail-1", "new-1", "fail-deploy-1", "missing-1")
    begun = [full_world.newer_status(m).body.get("status") for m in models]
    clock.time += 10

    assert ["DEPLOYED", "UNDEPLOYING", "UNDEPLOYED", "DEPLOYING", None] == begun
    assert [
        {"status": "DEPLOYED", "error": "Undeployment failed and was reverted to DEPLOYED status"},
        {"status": "UNDEPLOYED", "error": "Redeployment failed and was reverted to READY status"},
    ] == [full_world.newer_status(m).body for m in ("fail-1", "fail-deploy-1")]


def test_it_lags_like_the_others_and_may_have_lower_case(world, clock):
    world.add("m-1", Traits(grace_seconds=3, lower_case=True))
    world.add("m-2", Traits(grace_seconds=3, grace_missing=True))
    world.undeploy("m-1")
    world.undeploy("m-2")
    lagging = world.newer_status("m-1")
    assert catalogue.model_not_found() == world.newer_status("m-2")
    clock.time += 3

    assert ["deployed", "undeploying"] == [word(lagging), word(world.newer_status("m-1"))]


def test_a_script_in_documented_words_is_sent_in_the_newer_ones_the_last_request_first(world):
    world.script(STATUS, "m-1", ("PENDING", 503, "UNDEPLOYED"))
    world.script(Endpoint.DEPLOY_STATUS, "m-1", ("PENDING",))
    world.script(Endpoint.DEPLOY, "m-1", (200,))
    world.deploy("m-1")

    answers = [world.newer_status("m-1") for _ in range(4)]
    assert {"status": "DEPLOYING", "error": None} == answers[0].body
    assert {"status": "UNDEPLOYING", "error": None} == answers[1].body
    assert catalogue.error(503) == answers[2]
    assert {"status": "UNDEPLOYED", "error": None} == answers[3].body
    assert 422 == world.newer_status("m-1").status
