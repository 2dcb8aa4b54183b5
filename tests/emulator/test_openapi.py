"""The emulator's own description agrees with the documented one, facet by facet."""

import pytest

PATH = "/api/v3/models/undeploy-model/{model_id}/status"

# The documented operation, written anew. Texts are left out: they are the documentation's, not the contract's.
DOCUMENTED = {
    "openapi": "3.1.0",
    "info": {"version": "25.4.20"},
    "paths": {
        PATH: {
            "get": {
                "operationId": "get_undeploy_status",
                "tags": ["Models"],
                "parameters": [{"name": "model_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Response"}}}},
                    "400": {"content": {"application/json": {"example": {"detail": "Bad request"}}}},
                    "404": {"content": {"application/json": {"example": {"detail": "Model not found"}}}},
                    "422": {
                        "content": {
                            "application/json": {
                                "example": {
                                    "detail": [
                                        {
                                            "loc": ["path", "model_id"],
                                            "msg": "field required",
                                            "type": "value_error.missing",
                                        }
                                    ]
                                }
                            }
                        }
                    },
                },
                "security": [{"HTTPBearer": []}],
            }
        }
    },
    "components": {
        "schemas": {
            "Response": {
                "type": "object",
                "required": ["model_id", "status"],
                "properties": {
                    "model_id": {"type": "string"},
                    "status": {"$ref": "#/components/schemas/Status"},
                    "result": {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]},
                    "start_time": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                    "end_time": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                },
            },
            "Status": {"type": "string", "enum": ["PENDING", "COMPLETED", "FAILED"]},
        },
        "securitySchemes": {"HTTPBearer": {"type": "http", "scheme": "bearer"}},
    },
}


def resolved(document, schema):
    """Return what *schema* refers to; some generators wrap that in an ``allOf`` of one."""
    while "$ref" in schema or "allOf" in schema:
        (schema,) = schema.get("allOf", [schema])
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def operation(document):
    return document["paths"][PATH]["get"]


def response(document):
    return resolved(document, operation(document)["responses"]["200"]["content"]["application/json"]["schema"])


def alternatives(document, name):
    """Return the schemas that a field may have, without their texts; unless it is said, more properties may come."""
    schema = resolved(document, response(document)["properties"][name])
    facts = {"type", "format", "enum"}
    return [
        {**{fact: s[fact] for fact in facts & s.keys()}, "more": s.get("additionalProperties", True)}
        for s in schema.get("anyOf", [schema])
    ]


FACETS = {
    "generation": lambda d: d["openapi"].rsplit(".", 1)[0],
    "version": lambda d: d["info"]["version"],
    "methods": lambda d: sorted(d["paths"][PATH]),
    "operation": lambda d: (operation(d)["operationId"], operation(d)["tags"]),
    "parameters": lambda d: [
        (p["name"], p["in"], p["required"], p["schema"]["type"]) for p in operation(d)["parameters"]
    ],
    "body": lambda d: "requestBody" in operation(d),
    "security": lambda d: operation(d)["security"],
    "scheme": lambda d: d["components"]["securitySchemes"],
    "codes": lambda d: sorted(operation(d)["responses"]),
    "errors": lambda d: {
        code: answer["content"]["application/json"]["example"]
        for code, answer in operation(d)["responses"].items()
        if code != "200"
    },
    "kind": lambda d: response(d)["type"],
    "required": lambda d: sorted(response(d)["required"]),
    "fields": lambda d: sorted(response(d)["properties"]),
    "alternatives": lambda d: {name: alternatives(d, name) for name in response(d)["properties"]},
}


@pytest.mark.parametrize("facet", FACETS)
def test_agrees(api, facet):
    """The description that is served says the same as the documented one."""
    served = api.get("/openapi.json").json()

    assert FACETS[facet](DOCUMENTED) == FACETS[facet](served)


def test_not_on_record(emulator, api):
    """Reading the description needs no key and is not a request to the API."""
    del api.headers["Authorization"]

    assert 200 == api.get("/openapi.json").status_code
    assert [] == emulator.requests


def test_trigger(api):
    """The DELETE is described as well, behind the same key."""
    served = api.get("/openapi.json").json()["paths"]["/api/v3/models/undeploy-model/{model_id}"]

    assert ["delete"] == list(served)
    assert ["200", "400", "404", "422"] == sorted(served["delete"]["responses"])
    assert "string" == served["delete"]["responses"]["200"]["content"]["application/json"]["schema"]["type"]
    assert [{"HTTPBearer": []}] == served["delete"]["security"]
