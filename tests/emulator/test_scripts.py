import pytest

from nugen_pulumi.emulator import Answer, catalogue, faults
from nugen_pulumi.emulator.scripts import Endpoint, Scripts, answer

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
        (204, Answer(204)),
        (302, Answer(302)),
        ({"status": "PENDING"}, Answer(200, {"status": "PENDING"})),
        (["m-1"], Answer(200, ["m-1"])),
        (None, Answer(200, None)),
        (True, Answer(200, True)),
        (1.5, Answer(200, 1.5)),
    ],
)
def test_status_elements(element, expected):
    """Each kind of element of a status script means one answer."""
    assert expected == answer(STATUS, element, "m-1")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (200, Answer(200, '"m-1"')),
        (201, Answer(201, '"m-1"')),
        (202, Answer(202, '"m-1"')),
        (204, Answer(204)),
        (400, catalogue.already_undeployed()),
        (404, catalogue.model_not_found()),
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


def test_order():
    """What was queued first is answered first, per endpoint and model."""
    scripts = Scripts()
    scripts.add(STATUS, "m-1", (500, 502))
    scripts.add(STATUS, "m-1", (503,))
    scripts.add(STATUS, "m-2", (504,))
    scripts.add(UNDEPLOY, "m-1", (400,))

    assert [500, 502, 503] == [scripts.take(STATUS, "m-1").status for _ in range(3)]
    assert None is scripts.take(STATUS, "m-1")
    assert 504 == scripts.take(STATUS, "m-2").status
    assert 400 == scripts.take(UNDEPLOY, "m-1").status


@pytest.mark.parametrize("endpoint", [STATUS, UNDEPLOY])
def test_fault(endpoint):
    """A fault means itself: what it spoils is not known yet."""
    fault = faults.reset()

    assert fault is answer(endpoint, fault, "m-1")


def test_tuple():
    """A tuple is its elements, one after the other, and each of them may be what is left."""
    scripts = Scripts()
    scripts.add(STATUS, "m-1", (500, (502, Answer(503)), ()))
    scripts.take(STATUS, "m-1")
    scripts.take(STATUS, "m-1")

    assert [f"GET of 'm-1': {Answer(503)!r}"] == scripts.unused()


def test_names():
    """A script names its model even when it is used up; a question names nobody."""
    scripts = Scripts()
    scripts.add(STATUS, "m-1", (500,))
    scripts.take(STATUS, "m-1")
    scripts.take(STATUS, "m-2")

    assert [True, False] == [scripts.names("m-1"), scripts.names("m-2")]


def test_unused():
    """What is left is told in the words of the test."""
    scripts = Scripts()
    scripts.add(STATUS, "m-1", ("PENDING", 503, "COMPLETED"))
    scripts.add(STATUS, "m-2", (500,))
    scripts.add(UNDEPLOY, "m-1", (400,))
    scripts.take(STATUS, "m-1")
    scripts.take(STATUS, "m-2")

    assert ["GET of 'm-1': 503, 'COMPLETED'", "DELETE of 'm-1': 400"] == scripts.unused()


def test_mistake():
    """An element that cannot be sent is refused at once, and nothing is queued."""
    scripts = Scripts()

    with pytest.raises(TypeError, match="not JSON serializable"):
        scripts.add(STATUS, "m-1", (500, object()))
    assert [] == scripts.unused()
