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


def test_life(emulator, api):
    """A model is undeployed over HTTP, in documented shapes, and each request is on record."""
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


def test_description(emulator, api):
    """The description that is served needs no key, is not on record, and has what is documented."""
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


def test_pace(emulator, api):
    """An undeployment takes as long as it should, by the real clock."""
    emulator.add("m-1", undeploy_seconds=0.1)
    begun = time.monotonic()
    api.delete(MODEL)
    while api.get(STATUS).json()["status"] == "PENDING":
        pass

    assert "COMPLETED" == api.get(STATUS).json()["status"]
    assert 0.1 <= time.monotonic() - begun


def test_redeploy(emulator, api):
    """A model can be deployed behind everybody's back."""
    emulator.add("m-1", state="UNDEPLOYED")
    emulator.redeploy("m-1")

    assert catalogue.nothing_running().result == api.get(STATUS).json()["result"]


def test_script(emulator, api):
    """Scripts are answered exactly, over the wire."""
    emulator.script("m-1", "PENDING", 502, Answer(200, "{half"), None)
    emulator.script_undeploy("m-1", 400)

    assert same(catalogue.pending().answer("m-1"), api.get(STATUS))
    assert same(catalogue.bad_gateway(), api.get(STATUS))
    assert same(Answer(200, b"{half"), api.get(STATUS))
    assert same(Answer(200, b"null"), api.get(STATUS))
    assert same(catalogue.already_undeployed(), api.delete(MODEL))


@pytest.mark.parametrize("status", [204, 302, 400, 401, 403, 404, 408, 422, 429, 500, 502, 503, 504, 520, 530, 599])
def test_every_status(emulator, api, status):
    """HTTP carries every status, those without a name as well."""
    emulator.script("m-1", status)

    assert status == api.get(STATUS).status_code


def test_headers(emulator, api):
    """An answer's headers are sent, and the type of the content once."""
    emulator.script("m-1", Answer(200, "x", {"content-type": "text/x", "Retry-After": "7"}), Answer(204))
    given, none = api.get(STATUS).headers, api.get(STATUS).headers

    assert ("text/x", "7") == (given["content-type"], given["retry-after"])
    assert "application/json" == none["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/", catalogue.wrong_route()),
        ("GET", "/models/undeploy-model/m-1/status", catalogue.wrong_route()),
        ("GET", STATUS + "/", catalogue.wrong_route()),
        ("GET", "/api/v3/models/undeploy-model//status", catalogue.wrong_route()),
        ("GET", "/api/v3/models/undeploy-model/a/b/status", catalogue.wrong_route()),
        ("GET", "/nowhere?x=%20", catalogue.wrong_route()),
        ("GET", "/docs", catalogue.wrong_route()),
        ("GET", "/redoc", catalogue.wrong_route()),
        ("GET", MODEL, Answer(405, {"detail": "Method Not Allowed"})),
        ("POST", STATUS, Answer(405, {"detail": "Method Not Allowed"})),
        ("DELETE", STATUS, Answer(405, {"detail": "Method Not Allowed"})),
    ],
)
def test_unexpected(emulator, api, method, path, answer):
    """What the API does not have is refused for good, put on record, and told at the end."""
    emulator.add("m-1")
    response = api.request(method, path)

    assert same_json(answer, response)
    assert [(method, path)] == emulator.requests
    with pytest.raises(AssertionError) as caught:
        emulator.verify()
    assert f"unexpected request: {method} {path}" == str(caught.value)
    emulator.reset()


def test_only_the_router_complains(emulator, api):
    """An unknown model is an answer like any other, and so is what only looks like the router's refusal."""
    assert same(catalogue.model_not_found(), api.get(STATUS))
    assert same(catalogue.model_not_found(), api.delete(MODEL))
    emulator.script("m-1", catalogue.wrong_route(), Answer(405))

    assert [404, 405] == [api.get(STATUS).status_code for _ in range(2)]
    emulator.verify()


def test_raw_ids(emulator, api):
    """An id is one segment as it was sent, decoded once, and recorded undecoded."""
    path = "/api/v3/models/undeploy-model/{}/status"
    for model_id in ("a/b", "a%2Fb", "ä b", "-_.~", "status"):
        emulator.add(model_id, echoes=f"found {model_id}")
    sent = ["a%2Fb", "a%252Fb", "%C3%A4%20b", "-_.~", "status"]
    found = [api.get(path.format(s)).json()["model_id"] for s in sent]

    assert ["found a/b", "found a%2Fb", "found ä b", "found -_.~", "found status"] == found
    assert [("GET", path.format(s)) for s in sent] == emulator.requests


def test_base_models(emulator, api):
    """There is something cheap to ask with a key."""
    response = api.get(BASE)

    assert (200, ["emulated-base-model"]) == (response.status_code, [m["model_id"] for m in response.json()])
    assert [("GET", BASE)] == emulator.requests


@pytest.mark.parametrize("header", [None, KEY, f"Basic {KEY}", "Bearer"])
@pytest.mark.parametrize(("method", "path"), [("GET", STATUS), ("DELETE", MODEL), ("GET", BASE)])
def test_no_key(emulator, header, method, path):
    """Without a bearer token every endpoint refuses, and nothing happens."""
    emulator.script("m-1", "PENDING")
    emulator.script_undeploy("m-1", 200)
    headers = {} if header is None else {"Authorization": header}
    response = httpx.request(method, emulator.url + path, headers=headers, trust_env=False)

    assert same_json(catalogue.not_authenticated(), response)
    with pytest.raises(AssertionError, match="unused"):
        emulator.verify()
    emulator.reset()


@pytest.mark.parametrize("key", [KEY[:-1], KEY + "2", KEY.upper(), "schlüssel"])
@pytest.mark.parametrize(("method", "path"), [("GET", STATUS), ("DELETE", MODEL), ("GET", BASE)])
def test_wrong_key(emulator, key, method, path):
    """With a wrong key every endpoint refuses; the request is expected, and on record without any key."""
    headers = {"Authorization": f"Bearer {key}".encode()}
    response = httpx.request(method, emulator.url + path, headers=headers, trust_env=False)

    assert same_json(catalogue.key_rejected(), response)
    assert [(method, path)] == emulator.requests
    emulator.verify()


def test_any_key():
    """Without a key of its own the emulator takes any, but not none."""
    with Emulator() as emulator:
        anything = httpx.get(emulator.url + BASE, headers={"Authorization": "Bearer x"}, trust_env=False)
        nothing = httpx.get(emulator.url + BASE, trust_env=False)

    assert (200, 403) == (anything.status_code, nothing.status_code)


def test_delay(emulator, api):
    """An answer may be late."""
    emulator.script("m-1", Answer(200, "late", delay=0.1))
    begun = time.monotonic()
    response = api.get(STATUS)

    assert "late" == response.text
    assert 0.1 <= time.monotonic() - begun


def test_deployment(emulator, api):
    """A model is deployed over HTTP, and stands in the list."""
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


def test_list_switches():
    """The shape of the list and its lag may be set from the beginning, and later."""
    with Emulator(list_shape="new") as emulator:
        emulator.list_lags = True
        before = emulator.list_shape, emulator.list_lags
        emulator.list_shape = "old"

    assert ("new", True, "old") == (*before, emulator.list_shape)


FAMILIES = {
    "documented": [
        ("GET", "/api/v3/models/undeploy-model/new-1/status"),
        ("DELETE", "/api/v3/models/undeploy-model/new-1"),
        ("GET", "/api/v3/models/deploy-model/new-1/status"),
        ("POST", "/api/v3/models/deploy-model/new-1"),
    ],
    "newer": [
        ("GET", "/api/v3/models/new-1/deployment/status"),
        ("DELETE", "/api/v3/models/new-1/deployment"),
        ("POST", "/api/v3/models/new-1/deployment"),
    ],
}


@pytest.mark.parametrize(
    ("paths", "served"), [("documented", ["documented"]), ("newer", ["newer"]), ("both", FAMILIES)]
)
def test_paths(paths, served):
    """A family that is not served has no route, whatever the key, and nobody complains."""
    with Emulator(models="any", paths=paths, api_key=KEY) as emulator:
        for family, requests in FAMILIES.items():
            for method, path in requests:
                known, unknown = (
                    httpx.request(method, emulator.url + path, headers=headers, trust_env=False)
                    for headers in ({"Authorization": f"Bearer {KEY}"}, {})
                )

                assert (family in served) is not same_json(catalogue.wrong_route(), known)
                assert (403 if family in served else 404) == unknown.status_code
        emulator.verify()


def test_newer_paths():
    """The newer family tells what a model is."""
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
