import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from harness import Clock

from nugen_pulumi.emulator import Answer, Traits, catalogue, faults
from nugen_pulumi.emulator.faults import FAULTS
from nugen_pulumi.emulator.stories import story
from nugen_pulumi.emulator.world import Endpoint, World, answer

STATUS, UNDEPLOY = Endpoint.STATUS, Endpoint.UNDEPLOY


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("PENDING", catalogue.pending().answer("m-1")),
        ("completed", catalogue.status("completed").answer("m-1")),
        ("ARCHIVED", catalogue.status("ARCHIVED").answer("m-1")),
        (catalogue.failed("no"), catalogue.failed("no").answer("m-1")),
        (Answer(200, "{half", delay=0.5), Answer(200, "{half", delay=0.5)),
        (503, catalogue.error(503)),
        (400, catalogue.bad_request()),
        (200, Answer(200)),
        (302, Answer(302)),
        ({"status": "PENDING"}, Answer(200, {"status": "PENDING"})),
        (None, Answer(200, None)),
        (True, Answer(200, True)),
    ],
)
def test_status_elements(element, expected):
    """Each kind of element of a status script means one answer."""
    assert expected == answer(STATUS, element, "m-1")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (200, Answer(200, '"m-1"')),
        (202, Answer(202, '"m-1"')),
        (204, Answer(204)),
        (400, catalogue.already_undeployed()),
        (503, catalogue.error(503)),
        ("other", Answer(200, '"other"')),
        ({"model_id": "m-1"}, Answer(200, {"model_id": "m-1"})),
        (catalogue.pending(), catalogue.pending().answer("m-1")),
        (catalogue.undeployment_running(), catalogue.undeployment_running()),
    ],
)
def test_undeploy_elements(element, expected):
    """A DELETE speaks of ids, and its 400 says that there is nothing to do."""
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


def test_life(world, clock):
    """A model undeploys as the clock goes, and its times are dates."""
    world.add("m-1", Traits())

    assert "FAILED" == word(world.status("m-1"))
    clock.time += 5
    world.undeploy("m-1")
    clock.time += 9
    assert "PENDING" == word(world.status("m-1"))
    clock.time += 1
    body = world.status("m-1").body
    assert ("COMPLETED", "2026-07-16T00:00:05Z", "2026-07-16T00:00:15Z") == (
        body["status"],
        body["start_time"],
        body["end_time"],
    )


def test_real_clock():
    """Unless told otherwise it is now."""
    before = datetime.now(UTC).replace(microsecond=0)
    world = World(undeploy_seconds=10)
    world.add("m-1", Traits(state="UNDEPLOYING"))
    started = world.status("m-1").body["start_time"].replace("Z", "+00:00")

    assert before <= datetime.fromisoformat(started) <= datetime.now(UTC)


def test_stories(full_world, clock):
    """Where every model exists each id tells its own story."""
    full_world.undeploy("fail-1")
    full_world.undeploy("stuck-1")
    full_world.undeploy("m-1")
    clock.time += 10

    assert ["FAILED", "PENDING", "COMPLETED"] == [word(full_world.status(m)) for m in ("fail-1", "stuck-1", "m-1")]
    assert catalogue.already_undeployed() == full_world.undeploy("gone-1")
    assert catalogue.model_not_found() == full_world.status("missing-1")
    full_world.verify()


def test_redeploy_of_a_story(full_world):
    """A model that nobody has asked for yet can be deployed again too."""
    full_world.redeploy("gone-1")

    assert catalogue.nothing_running().result == full_world.status("gone-1").body["result"]


def test_redeploy_of_nobody(world):
    """A model that does not exist cannot be deployed."""
    with pytest.raises(KeyError, match="m-1"):
        world.redeploy("m-1")


def test_order(world):
    """What was queued first is answered first, per endpoint and model."""
    world.script(STATUS, "m-1", (500, 502))
    world.script(STATUS, "m-1", (503,))
    world.script(STATUS, "m-2", (504,))
    world.script(UNDEPLOY, "m-1", (400,))

    assert [500, 502, 503] == [world.status("m-1").status for _ in range(3)]
    assert 504 == world.status("m-2").status
    assert 400 == world.undeploy("m-1").status
    world.verify()


def test_mistake(world):
    """An element that cannot be sent is refused at once, and nothing is queued."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        world.script(STATUS, "m-1", (500, object()))
    world.verify()


def test_script_before_model(world):
    """A script comes before the model, which goes on untouched when it is over."""
    world.add("m-1", Traits())
    world.script(UNDEPLOY, "m-1", (200,))
    world.script(STATUS, "m-1", (503,))

    assert 200 == world.undeploy("m-1").status
    assert [503, 200] == [world.status("m-1").status for _ in range(2)]
    assert catalogue.nothing_running().result == world.status("m-1").body["result"]
    world.verify()


@pytest.mark.parametrize("name", FAULTS)
def test_fault_leaves_the_model(world, name):
    """A fault changes nothing but an answer."""
    world.add("m-1", Traits())
    world.script(UNDEPLOY, "m-1", (FAULTS[name](),))
    world.script(STATUS, "m-1", (FAULTS[name](),))
    for _ in range(2):
        world.status("m-1")
    world.undeploy("m-1")

    assert catalogue.nothing_running().result == world.status("m-1").body["result"]


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"flapping"}))
def test_fault_carried_out(world, name):
    """A DELETE may be carried out whatever is wrong with its answer."""
    world.add("m-1", Traits())
    world.script(UNDEPLOY, "m-1", (FAULTS[name](carried_out=True),))
    answer = world.undeploy("m-1")

    assert catalogue.undeploying("m-1") != answer
    assert "PENDING" == word(world.status("m-1"))
    assert catalogue.undeployment_running() == world.undeploy("m-1")
    world.verify()


def test_flapping_delete(world):
    """Of a DELETE that fails and none by turns, what is right is carried out."""
    world.add("m-1", Traits())
    world.script(UNDEPLOY, "m-1", (faults.flapping(4),))

    assert [503, 200, 503, 400] == [world.undeploy("m-1").status for _ in range(4)]


def test_fault_of_a_model(world):
    """A fault spoils what the model would have answered."""
    world.add("m-1", Traits(state="UNDEPLOYING", undeploy_seconds=0))
    world.script(STATUS, "m-1", (faults.fine(), faults.huge()))

    assert "COMPLETED" == word(world.status("m-1"))
    assert b'"COMPLETED"' in world.status("m-1").content


def test_fault_of_nobody(world):
    """Where there is no model a fault spoils what a running undeployment would look like."""
    world.script(STATUS, "m-1", (faults.fine(),))
    world.script(UNDEPLOY, "m-1", (faults.fine(),))

    assert catalogue.pending().answer("m-1") == world.status("m-1")
    assert catalogue.undeploying("m-1") == world.undeploy("m-1")
    world.verify()


def test_faults_of_all(clock):
    """The first status answers of each model may be spoilt, in order; scripts and DELETEs are not."""
    world = World(undeploy_seconds=10, faults=(faults.status(500), faults.flapping()), stories=story, clock=clock)
    world.script(STATUS, "m-1", (502,))
    world.undeploy("m-1")

    assert [502, 500, 503, 200, 200] == [world.status("m-1").status for _ in range(5)]
    assert [500, 503, 404, 404] == [world.status("missing-1").status for _ in range(4)]
    world.verify()
    world.reset()
    assert 500 == world.status("m-1").status


@pytest.mark.parametrize(("ask", "method"), [("status", "GET"), ("undeploy", "DELETE")])
def test_script_ran_out(world, ask, method):
    """Of a scripted model a question too many, at any endpoint, is refused for good, and told at the end."""
    world.script(STATUS, "m-1", (503,))
    world.status("m-1")
    answer = getattr(world, ask)("m-1")

    fault = f"unexpected request: {method} of 'm-1', whose script has no answer left"
    assert (422, {"detail": f"Emulator: {fault}"}) == (answer.status, answer.body)
    with pytest.raises(AssertionError, match=f"^{fault}$"):
        world.verify()


def test_verify_names_all(world):
    """All that is wrong is told at once, in the words of the test, and again."""
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


def test_reset(world):
    """After a reset nothing is left."""
    world.record("GET", "/a")
    world.refuse("GET", "/a")
    world.add("m-1", Traits())
    world.script(STATUS, "m-2", (503,))
    world.reset()

    assert [] == world.requests
    assert catalogue.model_not_found() == world.status("m-1")
    assert catalogue.model_not_found() == world.status("m-2")
    world.verify()


def test_threads():
    """Many may ask at once: of the same DELETE by four, one starts something."""

    def clock():
        time.sleep(0.01)  # and so lets the others go on, whatever has been decided so far
        return 0.0

    world = World(undeploy_seconds=10, clock=clock)
    world.add("m-1", Traits())
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: world.undeploy("m-1").status, range(4)))

    assert [200, 400, 400, 400] == sorted(statuses)


def test_deployment(world, clock):
    """A deployment takes as long as it is told, and its state can be read without a request."""
    world = World(undeploy_seconds=10, deploy_seconds=20, clock=clock)
    world.add("m-1", Traits(state="UNDEPLOYED"))
    states = [world.state("m-1")]
    assert catalogue.deploying("m-1") == world.deploy("m-1")
    for _ in range(3):
        states.append(world.state("m-1"))
        clock.time += 10

    assert ["UNDEPLOYED", "DEPLOYING", "DEPLOYING", "DEPLOYED"] == [state.value for state in states]
    assert "COMPLETED" == word(world.deploy_status("m-1"))
    with pytest.raises(KeyError, match="m-2"):
        world.state("m-2")


def test_first_request_decides(full_world):
    """A model that nobody has heard of is in service for a DELETE, and out of service for a POST."""
    assert catalogue.undeploying("m-1") == full_world.undeploy("m-1")
    assert catalogue.deploying("m-2") == full_world.deploy("m-2")
    assert ["FAILED", "COMPLETED"] == [word(full_world.deploy_status(m)) for m in ("m-3", "deployed-1")]
    assert catalogue.already_deployed() == full_world.deploy("deployed-1")
    assert catalogue.not_deployable() == full_world.deploy("undeploying-1")
    assert catalogue.already_undeployed() == full_world.undeploy("new-1")
    assert catalogue.model_not_found() == full_world.deploy("missing-1")


def test_deployment_stories(full_world, clock):
    """A deployment may fail, or never end."""
    full_world.deploy("fail-deploy-1")
    full_world.deploy("stuck-deploy-1")
    clock.time += 1000

    assert ["FAILED", "PENDING"] == [word(full_world.deploy_status(m)) for m in ("fail-deploy-1", "stuck-deploy-1")]


def test_deployment_scripts(world):
    """The endpoints of deployments have scripts of their own, and their own right answers."""
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


def test_faults_of_both_directions(clock):
    """The first status answers of both directions may be spoilt."""
    world = World(undeploy_seconds=10, faults=(faults.status(500),), stories=story, clock=clock)

    assert [500, 500, 200, 200] == [
        ask("m-1").status for ask in (world.status, world.deploy_status, world.status, world.deploy_status)
    ]


def test_list(world):
    """The list has a page of the models, in the old or the new shape."""
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


def test_list_lags(world):
    """The list may tell what was true when it was asked for the last time."""
    world.list_lags = True
    counts = []
    for number in range(3):
        world.add(f"m-{number}", Traits())
        counts.append(len(world.list_models(None, 0).body["domain_aligned_models"]))

    assert [1, 1, 2] == counts


def test_list_script(world):
    """The list has a script, too."""
    world.script(Endpoint.LIST, "", (503, [{"id": "m-1"}], faults.fine()))

    assert [503, 200] == [world.list_models(None, 0).status for _ in range(2)]
    assert {"domain_aligned_models": []} == world.list_models(None, 0).body
    world.verify()


def test_newer_status(full_world, clock):
    """The newer status endpoint is one for both directions."""
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


def test_newer_status_traits(world, clock):
    """It lags like the others, and may have lower case."""
    world.add("m-1", Traits(grace_seconds=3, lower_case=True))
    world.add("m-2", Traits(grace_seconds=3, grace_missing=True))
    world.undeploy("m-1")
    world.undeploy("m-2")
    lagging = world.newer_status("m-1")
    assert catalogue.model_not_found() == world.newer_status("m-2")
    clock.time += 3

    assert ["deployed", "undeploying"] == [word(lagging), word(world.newer_status("m-1"))]


def test_newer_status_scripts(world):
    """A script in documented words is sent in the newer ones; the direction of the last request comes first."""
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
