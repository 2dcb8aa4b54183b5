"""The endpoints over real HTTP: paths, keys, scripts, and what is on record."""

import math
import time

import httpx
import pytest
from harness import KEY

from nugen_pulumi.emulator import Answer, Emulator, catalogue
from nugen_pulumi.emulator.app import UndeployStatusResponse

MODEL = "/api/v3/models/undeploy-model/m-1"
STATUS = MODEL + "/status"
BASE = "/api/v3/models/base"


def same(answer, response):
    """Whether *response* is *answer*, to the byte."""
    return (answer.status, answer.content) == (response.status_code, response.content)


def same_json(answer, response):
    """Whether *response* is *answer*, but for spaces."""
    return (answer.status, answer.body) == (response.status_code, response.json())


def test_a_model_is_undeployed_in_documented_shapes_and_each_request_is_on_record(emulator, api):
    emulator.add("m-1", undeploy_seconds=math.inf)
    nothing, deleted, pending = api.get(STATUS), api.delete(MODEL), api.get(STATUS)
    emulator.add("m-1", undeploy_seconds=0, state="UNDEPLOYING")
    completed = api.get(STATUS)

    assert [200, 200, 200, 200] == [r.status_code for r in (nothing, deleted, pending, completed)]
    assert "m-1" == deleted.json()
    assert ["FAILED", "PENDING", "COMPLETED"] == [
        UndeployStatusResponse.model_validate(r.json()).status.value for r in (nothing, pending, completed)
    ]
    assert [("GET", STATUS), ("DELETE", MODEL), ("GET", STATUS), ("GET", STATUS)] == emulator.requests


def test_the_description_needs_no_key_is_not_on_record_and_has_what_is_documented(emulator, api):
    del api.headers["Authorization"]
    served = api.get("/openapi.json").json()
    operation, schemas = served["paths"][STATUS.replace("m-1", "{model_id}")]["get"], served["components"]["schemas"]

    assert [] == emulator.requests
    assert ("get_undeploy_status", ["200", "400", "404", "422"], [{"HTTPBearer": []}]) == (
        operation["operationId"],
        sorted(operation["responses"]),
        operation["security"],
    )
    assert ["model_id", "status"] == schemas["UndeployStatusResponse"]["required"]
    assert ["PENDING", "COMPLETED", "FAILED"] == schemas["DeployTaskStatus"]["enum"]
    assert "/api/v3/models/deploy-model/{model_id}" in served["paths"]
    assert "/api/v3/models/{model_id}/deployment" not in served["paths"]


def test_scripts_are_answered_exactly(emulator, api):
    emulator.script(
        "m-1", "PENDING", Answer(200, "{half"), None, Answer(200, "x", {"content-type": "text/x", "A": "7"})
    )
    emulator.script_undeploy("m-1", 400)

    assert all(same(answer, api.get(STATUS)) for answer in (catalogue.pending().answer("m-1"), Answer(200, b"{half")))
    assert same(Answer(200, b"null"), none := api.get(STATUS))
    given = api.get(STATUS).headers
    assert ("application/json", "text/x", "7") == (none.headers["content-type"], given["content-type"], given["a"])
    assert same(catalogue.already_undeployed(), api.delete(MODEL))


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/", catalogue.wrong_route()),
        ("GET", "/models/undeploy-model/m-1/status", catalogue.wrong_route()),
        ("GET", STATUS + "/", catalogue.wrong_route()),
        ("GET", "/api/v3/models/undeploy-model//status", catalogue.wrong_route()),
        ("GET", "/api/v3/models/undeploy-model/a/b/status", catalogue.wrong_route()),
        ("GET", "/docs", catalogue.wrong_route()),
        ("GET", MODEL, Answer(405, {"detail": "Method Not Allowed"})),
        ("POST", STATUS, Answer(405, {"detail": "Method Not Allowed"})),
    ],
)
def test_what_the_api_does_not_have_is_refused_put_on_record_and_told_at_the_end(emulator, api, method, path, answer):
    emulator.add("m-1")
    response = api.request(method, path)

    assert same_json(answer, response)
    assert [(method, path)] == emulator.requests
    with pytest.raises(AssertionError) as caught:
        emulator.verify()
    assert f"unexpected request: {method} {path}" == str(caught.value)
    emulator.reset()


def test_an_unknown_model_is_an_answer_like_any_other(emulator, api):
    assert same(catalogue.model_not_found(), api.get(STATUS))
    assert same(catalogue.model_not_found(), api.delete(MODEL))
    emulator.script("m-1", catalogue.wrong_route(), Answer(405))

    assert [404, 405] == [api.get(STATUS).status_code for _ in range(2)]
    emulator.verify()


def test_an_id_is_one_segment_as_it_was_sent_decoded_once_and_recorded_undecoded(emulator, api):
    path = "/api/v3/models/undeploy-model/{}/status"
    for model_id in ("a/b", "a%2Fb", "ä b", "-_.~", "status"):
        emulator.add(model_id, echoes=f"found {model_id}")
    sent = ["a%2Fb", "a%252Fb", "%C3%A4%20b", "-_.~", "status"]
    found = [api.get(path.format(s)).json()["model_id"] for s in sent]

    assert ["found a/b", "found a%2Fb", "found ä b", "found -_.~", "found status"] == found
    assert [("GET", path.format(s)) for s in sent] == emulator.requests


@pytest.mark.parametrize(("method", "path"), [("GET", STATUS), ("DELETE", MODEL), ("GET", BASE)])
def test_without_the_key_every_endpoint_refuses_and_nothing_happens(emulator, api, method, path):
    """Such a request is expected, and on record without any key."""
    emulator.add("m-1", undeploy_seconds=math.inf)
    for header in (None, KEY, f"Basic {KEY}", "Bearer"):
        headers = {} if header is None else {"Authorization": header}
        response = httpx.request(method, emulator.url + path, headers=headers, trust_env=False)

        assert same_json(catalogue.not_authenticated(), response)
    for key in (KEY[:-1], KEY + "2", KEY.upper(), "schlüssel"):
        headers = {"Authorization": f"Bearer {key}".encode()}
        response = httpx.request(method, emulator.url + path, headers=headers, trust_env=False)

        assert same_json(catalogue.key_rejected(), response)
    assert [(method, path)] * 8 == emulator.requests
    assert "FAILED" == api.get(STATUS).json()["status"]


def test_without_a_key_of_its_own_the_emulator_takes_any_but_not_none():
    with Emulator() as emulator:
        anything = httpx.get(emulator.url + BASE, headers={"Authorization": "Bearer x"}, trust_env=False)
        nothing = httpx.get(emulator.url + BASE, trust_env=False)

    assert (200, 403) == (anything.status_code, nothing.status_code)
    assert ["emulated-base-model"] == [model["model_id"] for model in anything.json()]


def test_an_answer_may_be_late_and_an_undeployment_takes_its_time(emulator, api):
    emulator.script("m-1", Answer(200, "late", delay=0.1))
    begun = time.monotonic()
    assert "late" == api.get(STATUS).text
    assert 0.1 <= time.monotonic() - begun

    emulator.add("m-1", undeploy_seconds=0.1)
    begun = time.monotonic()
    api.delete(MODEL)
    while api.get(STATUS).json()["status"] == "PENDING":
        pass
    assert 0.1 <= time.monotonic() - begun


def test_a_model_is_deployed_and_stands_in_the_list(emulator, api):
    path = "/api/v3/models/deploy-model/m-1"
    emulator.add("m-1", state="UNDEPLOYED", deploy_seconds=0)
    emulator.script_deploy("m-1", 503)
    emulator.script_deploy_status("m-1", "PENDING")
    emulator.script_list(502)
    refused, deployed = api.post(path), api.post(path)
    statuses = [api.get(path + "/status").json()["status"] for _ in range(2)]
    lists = [api.get("/api/v3/models/aligned?limit=1&offset=0") for _ in range(2)]

    assert [503, 200, {"model_id": "m-1"}] == [refused.status_code, deployed.status_code, deployed.json()]
    assert ["PENDING", "COMPLETED"] == statuses
    assert "DEPLOYED" == emulator.state("m-1")
    assert [502, 200] == [response.status_code for response in lists]
    assert ["m-1"] == [model["id"] for model in lists[1].json()["domain_aligned_models"]]
    assert 422 == api.get("/api/v3/models/aligned?limit=none").status_code


def test_a_model_is_redeployed_and_the_shape_of_the_list_and_its_lag_are_set_without_a_request():
    with Emulator(list_shape="new") as emulator:
        emulator.list_lags = True
        before = emulator.list_shape, emulator.list_lags
        emulator.list_shape = "old"
        emulator.add("m-1", state="UNDEPLOYED")
        emulator.redeploy("m-1")

        assert ("new", True, "old", "DEPLOYED") == (*before, emulator.list_shape, emulator.state("m-1"))


FAMILIES = {
    "documented": [("GET", STATUS), ("DELETE", MODEL), ("POST", "/api/v3/models/deploy-model/m-1")],
    "newer": [(method, "/api/v3/models/m-1/deployment") for method in ("DELETE", "POST")],
}


@pytest.mark.parametrize(
    ("paths", "served"), [("documented", ["documented"]), ("newer", ["newer"]), ("both", FAMILIES)]
)
def test_a_family_that_is_not_served_has_no_route_whatever_the_key_and_nobody_complains(paths, served):
    with Emulator(models="any", paths=paths) as emulator:
        for family, requests in FAMILIES.items():
            for method, path in requests:
                known, unknown = (
                    httpx.request(method, emulator.url + path, headers=headers, trust_env=False)
                    for headers in ({"Authorization": "Bearer x"}, {})
                )

                assert (family in served) is not same_json(catalogue.wrong_route(), known)
                assert (403 if family in served else 404) == unknown.status_code
        emulator.verify()


def test_the_newer_family_tells_what_a_model_is():
    path = "/api/v3/models/m-1/deployment"
    with Emulator(paths="newer", undeploy_seconds=0) as emulator:
        emulator.add("m-1", state="UNDEPLOYED")
        with httpx.Client(base_url=emulator.url, headers={"Authorization": "Bearer x"}, trust_env=False) as api:
            seen = [
                api.get(path + "/status").json(),
                api.post(path + "?early=true").json(),
                api.get(path + "/status").json(),
                api.delete(path).json(),
                api.get(path + "/status").json(),
            ]

    assert [
        {"status": "UNDEPLOYED", "error": None},
        {"model_id": "m-1"},
        {"status": "DEPLOYED", "error": None},
        "m-1",
        {"status": "UNDEPLOYED", "error": None},
    ] == seen
