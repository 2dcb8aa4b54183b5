"""One model through its life, with the time as an argument."""

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
    """The same just after a DELETE at ``START``."""
    begun, answer = model(**traits).undeploy("m-1", START)
    assert catalogue.undeploying("m-1") == answer
    return begun


def deploying(**traits):
    """A model that was out of service, just after a POST at ``START``."""
    begun, answer = model(**{"state": "UNDEPLOYED", **traits}).deploy("m-1", START)
    assert catalogue.deploying("m-1") == answer
    return begun


def said(word, result=None, start=None, end=None):
    """An answer of a status endpoint, to the last field."""
    return Answer(200, {"model_id": "m-1", "status": word, "result": result, "start_time": start, "end_time": end})


def word(model, seconds):
    return model.status("m-1", after(seconds)).body["status"]


def deploy_word(model, seconds):
    return model.deploy_status("m-1", after(seconds)).body["status"]


def word_and_result(answer):
    return answer.body["status"], answer.body["result"]


def test_without_a_task_the_status_is_failed():
    reason = {"error": "No active undeployment. Model status is DEPLOYED."}

    assert said("FAILED", reason) == model().status("m-1", START)


def test_an_undeployment_takes_its_time_and_has_the_documented_shape():
    begun = undeploying()
    completed = said(
        "COMPLETED", {"message": "Model successfully undeployed"}, "2026-07-16T06:53:56Z", "2026-07-16T06:54:06Z"
    )

    assert said("PENDING", start="2026-07-16T06:53:56Z") == begun.status("m-1", after(9.999))
    assert [completed] * 2 == [begun.status("m-1", after(seconds)) for seconds in (10, 1000)]
    assert (begun, catalogue.undeployment_running()) == begun.undeploy("m-1", after(9))
    assert (begun, catalogue.already_undeployed()) == begun.undeploy("m-1", after(10))


def test_somebody_else_may_have_begun_it():
    leaving, coming = model(state="UNDEPLOYING", grace_seconds=5), model(state="DEPLOYING", grace_seconds=5)

    assert ["PENDING", "COMPLETED"] == [word(leaving, seconds) for seconds in (1, 10)]
    assert ["PENDING", "COMPLETED"] == [deploy_word(coming, seconds) for seconds in (1, 20)]
    assert (leaving, catalogue.undeployment_running()) == leaving.undeploy("m-1", after(1))


def test_a_misspelt_state_is_refused_at_once():
    with pytest.raises(ValueError, match="DEPLOYD"):
        model(state="DEPLOYD")


def test_a_model_may_have_its_own_pace_or_be_stuck():
    assert ["PENDING", "COMPLETED"] == [word(undeploying(undeploy_seconds=2), seconds) for seconds in (1.9, 2)]
    assert "PENDING" == word(undeploying(undeploy_seconds=math.inf), 1e9)
    assert ["PENDING", "COMPLETED"] == [deploy_word(deploying(deploy_seconds=1), seconds) for seconds in (0.9, 1)]
    assert "PENDING" == deploy_word(deploying(deploy_seconds=math.inf), 1e9)


def test_an_undeployment_that_fails_leaves_the_model_in_service_for_another_try():
    begun = undeploying(fails="no capacity")
    again, answer = begun.undeploy("m-1", after(20))

    assert "PENDING" == word(begun, 9)
    assert ("FAILED", {"error": "no capacity"}) == word_and_result(begun.status("m-1", after(10)))
    assert State.DEPLOYED is begun.state(after(10))
    assert catalogue.undeploying("m-1") == answer
    assert "PENDING" == word(again, 20)


@pytest.mark.parametrize("result", [{"deployment_status": "UNDEPLOYED"}, None, [], ABSENT])
def test_the_result_of_a_success_is_free_form_or_missing(result):
    undeployed = undeploying(result=result).status("m-1", after(10)).body
    deployed = deploying(deploy_result=result).deploy_status("m-1", after(20)).body

    assert [result] * 2 == [body.get("result", ABSENT) for body in (undeployed, deployed)]


def test_status_words_may_come_in_lower_case():
    begun = undeploying(lower_case=True)

    assert "failed" == word(model(lower_case=True), 0)
    assert ["pending", "completed"] == [word(begun, seconds) for seconds in (0, 10)]
    assert "completed" == deploy_word(deploying(lower_case=True), 20)


def test_live_times_are_those_of_the_request_in_microseconds_without_a_zone():
    begun = undeploying(live_times=True)
    pending, completed = begun.status("m-1", after(1)).body, begun.status("m-1", after(100)).body
    nothing = model(live_times=True).status("m-1", START.replace(microsecond=0)).body

    assert ("2026-07-16T06:53:57.029517", None) == (pending["start_time"], pending["end_time"])
    assert ("2026-07-16T06:55:36.029517", "2026-07-16T06:55:36.031517") == (
        completed["start_time"],
        completed["end_time"],
    )
    assert ("2026-07-16T06:53:56.000000", "2026-07-16T06:53:56.002000") == (nothing["start_time"], nothing["end_time"])


def test_the_echoed_id_may_be_another_one_and_a_delete_be_answered_by_an_object():
    begun, answer = model(echoes="other").undeploy("m-1", START)

    assert catalogue.undeploying("other") == answer
    assert "other" == begun.status("m-1", START).body["model_id"]
    assert catalogue.deploying("other") == model(state="READY", echoes="other").deploy("m-1", START)[1]
    assert {"model_id": "m-1"} == model(delete_object=True).undeploy("m-1", START)[1].body


def test_for_a_moment_after_a_delete_the_status_may_be_the_one_of_before():
    begun = undeploying(grace_seconds=3, fails="no capacity")
    again, _ = begun.undeploy("m-1", after(20))

    assert model().status("m-1", START) == begun.status("m-1", after(2.9))
    assert "PENDING" == word(begun, 3)
    assert begun.status("m-1", after(20)) == again.status("m-1", after(22.9))
    assert "PENDING" == word(again, 23)


def test_for_a_moment_after_a_request_the_model_may_seem_not_to_exist():
    begun = undeploying(grace_seconds=3, grace_missing=True)

    assert catalogue.model_not_found() == begun.status("m-1", after(2.9))
    assert "PENDING" == word(begun, 3)
    assert catalogue.model_not_found() == deploying(grace_seconds=3, grace_missing=True).deploy_status("m-1", START)


def test_deployed_again_by_somebody_it_has_no_task_and_can_be_undeployed_again():
    back = undeploying().redeployed()
    _, answer = back.undeploy("m-1", after(20))

    assert State.DEPLOYED is back.state(after(20))
    assert model().status("m-1", START) == back.status("m-1", after(20))
    assert 200 == answer.status


def test_a_model_is_deployed_undeployed_and_deployed_again():
    begun = deploying()
    undeployed, _ = begun.undeploy("m-1", after(20))
    again, answer = undeployed.deploy("m-1", after(30))

    assert [State.DEPLOYING, State.DEPLOYED] == [begun.state(after(seconds)) for seconds in (19.999, 20)]
    assert State.UNDEPLOYED is undeployed.state(after(30))
    assert catalogue.deploying("m-1") == answer
    assert State.DEPLOYING is again.state(after(30))


@pytest.mark.parametrize("state", ["UNDEPLOYED", "EVALUATED", "READY"])
def test_out_of_service_there_is_no_task_and_nothing_to_undeploy_but_it_can_be_deployed(state):
    resting = model(state=state)
    nothing = f"No active {{}}. Model status is {state}."

    assert ("FAILED", {"error": nothing.format("undeployment")}) == word_and_result(resting.status("m-1", START))
    assert ("FAILED", {"error": nothing.format("deployment")}) == word_and_result(resting.deploy_status("m-1", START))
    assert (resting, catalogue.already_undeployed()) == resting.undeploy("m-1", START)
    assert State.DEPLOYING is deploying(state=state).state(START)


def test_while_a_deployment_lasts_its_times_are_those_of_the_request_and_other_requests_are_refused():
    begun = deploying()

    assert said("PENDING", start="2026-07-16T06:54:06.029517") == begun.deploy_status("m-1", after(10))
    assert (begun, catalogue.deployment_running()) == begun.deploy("m-1", after(10))
    assert (begun, catalogue.not_undeployable()) == begun.undeploy("m-1", after(10))
    assert catalogue.nothing_running("DEPLOYING").result == begun.status("m-1", after(10)).body["result"]


def test_a_model_in_service_is_a_completed_deployment_whoever_deployed_it():
    begun = deploying()
    expected = said(
        "COMPLETED", {"deployment_status": "DEPLOYED"}, "2026-07-16T06:54:16.029517", "2026-07-16T06:54:16.031517"
    )

    assert expected == begun.deploy_status("m-1", after(20))
    assert expected == model().deploy_status("m-1", after(20))
    assert (begun, catalogue.already_deployed()) == begun.deploy("m-1", after(20))
    assert catalogue.nothing_running().result == begun.status("m-1", after(20)).body["result"]


def test_a_model_that_is_being_undeployed_cannot_be_deployed():
    leaving = model(state="UNDEPLOYING")
    nothing = "No active deployment. Model status is UNDEPLOYING."

    assert (leaving, catalogue.not_deployable()) == leaving.deploy("m-1", START)
    assert ("FAILED", {"error": nothing}) == word_and_result(leaving.deploy_status("m-1", START))


def test_a_deployment_that_fails_leaves_the_model_ready_for_another_try():
    begun = deploying(deploy_fails=catalogue.REVERTED)
    again, answer = begun.deploy("m-1", after(30))

    assert "PENDING" == deploy_word(begun, 19)
    assert ("FAILED", {"error": "Redeployment failed and was reverted to READY status"}) == word_and_result(
        begun.deploy_status("m-1", after(20))
    )
    assert State.READY is begun.state(after(20))
    assert catalogue.nothing_running("READY").result == begun.status("m-1", after(20)).body["result"]
    assert (begun, catalogue.already_undeployed()) == begun.undeploy("m-1", after(20))
    assert 200 == answer.status
    assert "PENDING" == deploy_word(again, 30)


def test_for_a_moment_after_a_request_both_status_endpoints_answer_as_before_it():
    begun = deploying(grace_seconds=3)
    leaving, _ = begun.undeploy("m-1", after(20))
    back, _ = undeploying(grace_seconds=3).deploy("m-1", after(10))

    assert ["FAILED", "PENDING"] == [deploy_word(begun, seconds) for seconds in (2.9, 3)]
    assert catalogue.nothing_running("UNDEPLOYED").result == begun.status("m-1", after(2.9)).body["result"]
    assert ["COMPLETED", "FAILED"] == [deploy_word(leaving, seconds) for seconds in (22.9, 23)]
    assert "COMPLETED" == word(back, 12)
