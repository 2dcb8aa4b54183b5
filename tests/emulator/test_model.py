import math
from datetime import datetime, timedelta, timezone

import pytest

from nugen_pulumi.emulator import ABSENT, Answer, State, Traits, catalogue
from nugen_pulumi.emulator.model import Model

START = datetime(2026, 7, 16, 6, 53, 56, 29517, tzinfo=timezone.utc)


def after(seconds):
    return START + timedelta(seconds=seconds)


def model(**traits):
    """A model that takes ten seconds to undeploy."""
    return Model.new(Traits(**traits), 10.0, START)


def undeploying(**traits):
    """The same ten seconds later, just after a DELETE at ``START``."""
    begun, answer = model(**traits).undeploy("m-1", START)
    assert 200 == answer.status
    return begun


def word_and_result(body):
    return body["status"], body["result"]


def test_life():
    """A model is deployed, undeploys for as long as it takes, and is undeployed."""
    deployed, begun = model(), undeploying()

    assert State.DEPLOYED is deployed.state(START)
    assert State.UNDEPLOYING is begun.state(START)
    assert State.UNDEPLOYING is begun.state(after(9.999))
    assert State.UNDEPLOYED is begun.state(after(10))


def test_no_task():
    """Without a task the status is FAILED, which means nothing but that."""
    expected = {
        "model_id": "m-1",
        "status": "FAILED",
        "result": {"error": "No active undeployment. Model status is DEPLOYED."},
        "start_time": None,
        "end_time": None,
    }

    assert Answer(200, expected) == model().status("m-1", START)


def test_no_task_undeployed():
    """Nor does an undeployed model have a task unless somebody saw it."""
    gone = model(state="UNDEPLOYED")

    assert (
        "FAILED",
        {"error": "No active undeployment. Model status is UNDEPLOYED."},
    ) == word_and_result(gone.status("m-1", START).body)


def test_pending():
    """While it lasts there is a start but no end."""
    expected = {
        "model_id": "m-1",
        "status": "PENDING",
        "result": None,
        "start_time": "2026-07-16T06:53:56Z",
        "end_time": None,
    }

    assert Answer(200, expected) == undeploying().status("m-1", after(9.999))


def test_completed():
    """In the end there are a result and both times of the task, however late one asks."""
    expected = {
        "model_id": "m-1",
        "status": "COMPLETED",
        "result": {"message": "Model successfully undeployed"},
        "start_time": "2026-07-16T06:53:56Z",
        "end_time": "2026-07-16T06:54:06Z",
    }

    assert Answer(200, expected) == undeploying().status("m-1", after(10))
    assert Answer(200, expected) == undeploying().status("m-1", after(1000))


def test_delete():
    """A DELETE is answered by the id, once."""
    deployed = model()
    begun, answer = deployed.undeploy("m-1", START)

    assert catalogue.undeploying("m-1") == answer
    assert (begun, catalogue.undeployment_running()) == begun.undeploy("m-1", after(9))
    assert (begun, catalogue.already_undeployed()) == begun.undeploy("m-1", after(10))


def test_delete_of_undeployed():
    """What is undeployed from the beginning cannot be undeployed."""
    gone = model(state=State.UNDEPLOYED)

    assert (gone, catalogue.already_undeployed()) == gone.undeploy("m-1", START)


def test_started_by_somebody_else():
    """A model may be undeploying without any DELETE of ours."""
    begun = model(state="UNDEPLOYING", grace_seconds=5)

    assert "PENDING" == begun.status("m-1", after(1)).body["status"]
    assert "COMPLETED" == begun.status("m-1", after(10)).body["status"]
    assert (begun, catalogue.undeployment_running()) == begun.undeploy("m-1", after(1))


def test_unknown_state():
    """A misspelt state is refused at once."""
    with pytest.raises(ValueError, match="DEPLOYD"):
        model(state="DEPLOYD")


def test_seconds():
    """A model may have its own pace."""
    begun = undeploying(undeploy_seconds=2)

    assert "PENDING" == begun.status("m-1", after(1.9)).body["status"]
    assert "COMPLETED" == begun.status("m-1", after(2)).body["status"]


def test_at_once():
    """An undeployment may take no time, which is not the same as none given."""
    assert "COMPLETED" == undeploying(undeploy_seconds=0).status("m-1", START).body["status"]


def test_never_ends():
    """An undeployment may be stuck."""
    begun = undeploying(undeploy_seconds=math.inf)

    assert "PENDING" == begun.status("m-1", after(1e9)).body["status"]


def test_fails():
    """A failure has a reason and leaves the model deployed, ready for another try."""
    begun = undeploying(fails="no capacity")
    again, answer = begun.undeploy("m-1", after(20))

    assert "PENDING" == begun.status("m-1", after(9)).body["status"]
    assert ("FAILED", {"error": "no capacity"}) == word_and_result(begun.status("m-1", after(10)).body)
    assert State.DEPLOYED is begun.state(after(10))
    assert catalogue.undeploying("m-1") == answer
    assert "PENDING" == again.status("m-1", after(20)).body["status"]


@pytest.mark.parametrize("result", [{"deployment_status": "UNDEPLOYED"}, None, [], "text"])
def test_result(result):
    """The result of a success is free-form."""
    assert result == undeploying(result=result).status("m-1", after(10)).body["result"]


def test_result_absent():
    """The result of a success may be missing."""
    assert "result" not in undeploying(result=ABSENT).status("m-1", after(10)).body


def test_lower_case():
    """Every status word may come in lower case."""
    deployed, begun = model(lower_case=True), undeploying(lower_case=True)

    assert "failed" == deployed.status("m-1", START).body["status"]
    assert "pending" == begun.status("m-1", START).body["status"]
    assert "completed" == begun.status("m-1", after(10)).body["status"]


def test_live_times():
    """Live times are those of the request, without a zone, and there is no end while pending."""
    begun = undeploying(live_times=True)
    pending, completed = begun.status("m-1", after(1)).body, begun.status("m-1", after(100)).body
    nothing = model(live_times=True).status("m-1", START).body

    assert ("2026-07-16T06:53:57.029517", None) == (pending["start_time"], pending["end_time"])
    assert ("2026-07-16T06:55:36.029517", "2026-07-16T06:55:36.031517") == (
        completed["start_time"],
        completed["end_time"],
    )
    assert ("2026-07-16T06:53:56.029517", "2026-07-16T06:53:56.031517") == (nothing["start_time"], nothing["end_time"])


def test_live_times_of_a_whole_second():
    """Live times have microseconds even if there are none."""
    nothing = model(live_times=True).status("m-1", START.replace(microsecond=0)).body

    assert "2026-07-16T06:53:56.000000" == nothing["start_time"]


def test_echo():
    """The id in the answers may be another one."""
    begun, answer = model(echoes="other").undeploy("m-1", START)

    assert catalogue.undeploying("other") == answer
    assert "other" == begun.status("m-1", START).body["model_id"]


def test_delete_object():
    """A DELETE may be answered by an object."""
    _, answer = model(delete_object=True).undeploy("m-1", START)

    assert catalogue.undeploying_object("m-1") == answer


def test_grace():
    """For a moment after a DELETE the status may be the one of before."""
    begun = undeploying(grace_seconds=3)

    assert model().status("m-1", START) == begun.status("m-1", after(2.9))
    assert "PENDING" == begun.status("m-1", after(3)).body["status"]


def test_grace_of_a_second_try():
    """The one of before may be another task's."""
    begun = undeploying(grace_seconds=3, fails="no capacity")
    again, _ = begun.undeploy("m-1", after(20))

    assert begun.status("m-1", after(20)) == again.status("m-1", after(22.9))
    assert "PENDING" == again.status("m-1", after(23)).body["status"]


def test_grace_missing():
    """For a moment after a DELETE the model may seem not to exist."""
    begun = undeploying(grace_seconds=3, grace_missing=True)

    assert catalogue.model_not_found() == begun.status("m-1", after(2.9))
    assert "PENDING" == begun.status("m-1", after(3)).body["status"]


def test_redeployed():
    """Deployed again, a model has no task and can be undeployed again."""
    back = undeploying().redeployed()
    _, answer = back.undeploy("m-1", after(20))

    assert State.DEPLOYED is back.state(after(20))
    assert model().status("m-1", START) == back.status("m-1", after(20))
    assert 200 == answer.status


def test_redeployed_from_rest():
    """A model that was undeployed from the beginning can be deployed too."""
    assert State.DEPLOYED is model(state="UNDEPLOYED").redeployed().state(START)
