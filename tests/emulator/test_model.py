import math
from datetime import UTC, datetime, timedelta

import pytest

from nugen_pulumi.emulator import ABSENT, Answer, State, Traits, catalogue
from nugen_pulumi.emulator.model import Model

START = datetime(2026, 7, 16, 6, 53, 56, 29517, tzinfo=UTC)


def after(seconds):
    return START + timedelta(seconds=seconds)


def model(**traits):
    """A model that takes ten seconds to undeploy, and twenty to deploy."""
    return Model.new(Traits(**traits), START, undeploy_seconds=10.0, deploy_seconds=20.0)


def undeploying(**traits):
    """The same ten seconds later, just after a DELETE at ``START``."""
    begun, answer = model(**traits).undeploy("m-1", START)
    assert 200 == answer.status
    return begun


def said(word, result=None, start=None, end=None):
    """An answer of a status endpoint, to the last field."""
    return Answer(200, {"model_id": "m-1", "status": word, "result": result, "start_time": start, "end_time": end})


def word_and_result(body):
    return body["status"], body["result"]


def test_no_task():
    """Without a task the status is FAILED, which means nothing but that."""
    reason = {"error": "No active undeployment. Model status is DEPLOYED."}

    assert said("FAILED", reason) == model().status("m-1", START)


def test_pending():
    """While it lasts there is a start but no end."""
    assert said("PENDING", start="2026-07-16T06:53:56Z") == undeploying().status("m-1", after(9.999))


def test_completed():
    """In the end there are a result and both times of the task, however late one asks."""
    expected = said(
        "COMPLETED", {"message": "Model successfully undeployed"}, "2026-07-16T06:53:56Z", "2026-07-16T06:54:06Z"
    )

    assert expected == undeploying().status("m-1", after(10))
    assert expected == undeploying().status("m-1", after(1000))


def test_delete():
    """A DELETE is answered by the id, once."""
    deployed = model()
    begun, answer = deployed.undeploy("m-1", START)

    assert catalogue.undeploying("m-1") == answer
    assert (begun, catalogue.undeployment_running()) == begun.undeploy("m-1", after(9))
    assert (begun, catalogue.already_undeployed()) == begun.undeploy("m-1", after(10))


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

    assert {"model_id": "m-1"} == answer.body


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


def deploying(**traits):
    """A model that was out of service, just after a POST at ``START``."""
    begun, answer = model(**{"state": "UNDEPLOYED", **traits}).deploy("m-1", START)
    assert catalogue.deploying(traits.get("echoes", "m-1")) == answer
    return begun


def test_deployment():
    """A model deploys for as long as it takes, is in service, and can be undeployed and deployed again."""
    begun = deploying()
    undeployed, _ = begun.undeploy("m-1", after(20))
    again, answer = undeployed.deploy("m-1", after(30))

    assert State.DEPLOYING is begun.state(after(19.999))
    assert State.DEPLOYED is begun.state(after(20))
    assert State.UNDEPLOYED is undeployed.state(after(30))
    assert catalogue.deploying("m-1") == answer
    assert State.DEPLOYING is again.state(after(30))


@pytest.mark.parametrize("state", ["UNDEPLOYED", "EVALUATED", "READY"])
def test_out_of_service(state):
    """Out of service a model has no task and cannot be undeployed, but it can be deployed."""
    resting = model(state=state)
    nothing = f"No active {{}}. Model status is {state}."
    statuses = resting.status("m-1", START).body, resting.deploy_status("m-1", START).body

    assert [("FAILED", {"error": nothing.format(task)}) for task in ("undeployment", "deployment")] == [
        word_and_result(body) for body in statuses
    ]
    assert (resting, catalogue.already_undeployed()) == resting.undeploy("m-1", START)
    assert State.DEPLOYING is deploying(state=state).state(START)


def test_deployment_pending():
    """While a deployment lasts, its times are those of the request; a POST or a DELETE is refused."""
    begun = deploying()

    assert said("PENDING", start="2026-07-16T06:54:06.029517") == begun.deploy_status("m-1", after(10))
    assert (begun, catalogue.deployment_running()) == begun.deploy("m-1", after(10))
    assert (begun, catalogue.not_undeployable()) == begun.undeploy("m-1", after(10))
    assert catalogue.nothing_running("DEPLOYING").result == begun.status("m-1", after(10)).body["result"]


def test_deployment_completed():
    """In service the times are still those of the request, whoever deployed the model."""
    begun = deploying()
    expected = said(
        "COMPLETED", {"deployment_status": "DEPLOYED"}, "2026-07-16T06:54:16.029517", "2026-07-16T06:54:16.031517"
    )

    assert expected == begun.deploy_status("m-1", after(20))
    assert expected == model().deploy_status("m-1", after(20))
    assert (begun, catalogue.already_deployed()) == begun.deploy("m-1", after(20))
    assert catalogue.nothing_running().result == begun.status("m-1", after(20)).body["result"]


def test_deployment_while_undeploying():
    """A model that is being undeployed cannot be deployed; it has no deployment."""
    leaving = model(state="UNDEPLOYING")
    nothing = "No active deployment. Model status is UNDEPLOYING."

    assert (leaving, catalogue.not_deployable()) == leaving.deploy("m-1", START)
    assert ("FAILED", {"error": nothing}) == word_and_result(leaving.deploy_status("m-1", START).body)


def test_deployment_fails():
    """A deployment that fails says why, leaves the model READY, and may be tried again."""
    begun = deploying(deploy_fails=catalogue.REVERTED)
    again, answer = begun.deploy("m-1", after(30))

    assert "PENDING" == begun.deploy_status("m-1", after(19)).body["status"]
    assert ("FAILED", {"error": "Redeployment failed and was reverted to READY status"}) == word_and_result(
        begun.deploy_status("m-1", after(20)).body
    )
    assert State.READY is begun.state(after(20))
    assert catalogue.nothing_running("READY").result == begun.status("m-1", after(20)).body["result"]
    assert (begun, catalogue.already_undeployed()) == begun.undeploy("m-1", after(20))
    assert 200 == answer.status
    assert "PENDING" == again.deploy_status("m-1", after(30)).body["status"]


def test_deployment_traits():
    """A deployment has its own pace and result, and the other traits are for both directions."""
    begun = deploying(deploy_seconds=1, deploy_result=None, lower_case=True, echoes="other")
    body = begun.deploy_status("m-1", after(1)).body

    assert ("completed", None, "other") == (body["status"], body["result"], body["model_id"])
    assert State.DEPLOYING is deploying(deploy_seconds=math.inf).state(after(1e9))


def test_deployment_started_by_somebody_else():
    """A model may be deploying without any POST of ours."""
    begun = model(state="DEPLOYING", grace_seconds=5)

    assert "PENDING" == begun.deploy_status("m-1", after(1)).body["status"]
    assert "COMPLETED" == begun.deploy_status("m-1", after(20)).body["status"]


def test_deployment_grace():
    """For a moment after a request both status endpoints answer as before it."""
    begun = deploying(grace_seconds=3)
    leaving, _ = begun.undeploy("m-1", after(20))

    assert "FAILED" == begun.deploy_status("m-1", after(2.9)).body["status"]
    assert catalogue.nothing_running("UNDEPLOYED").result == begun.status("m-1", after(2.9)).body["result"]
    assert "PENDING" == begun.deploy_status("m-1", after(3)).body["status"]
    assert "COMPLETED" == leaving.deploy_status("m-1", after(22.9)).body["status"]
    assert "FAILED" == leaving.deploy_status("m-1", after(23)).body["status"]
    assert catalogue.model_not_found() == deploying(grace_seconds=3, grace_missing=True).deploy_status("m-1", START)


def test_grace_of_completed():
    """The status of before may be a COMPLETED, of a model that was deployed again in between."""
    gone = undeploying(grace_seconds=3)
    back, _ = gone.deploy("m-1", after(10))
    leaving, _ = back.undeploy("m-1", after(40))

    assert "COMPLETED" == gone.status("m-1", after(10)).body["status"]
    assert "COMPLETED" == back.status("m-1", after(12)).body["status"]
    assert catalogue.nothing_running().result == leaving.status("m-1", after(42)).body["result"]
    assert "PENDING" == leaving.status("m-1", after(43)).body["status"]
