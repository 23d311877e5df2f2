"""The OpenAPI document says everything of every route that a client needs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.api import Api

SHAPES = {401: "Refusal", 403: "CodedRefusal", 404: "CodedRefusal", 422: "ValidationRefusal"}
#: what is sent without a body, or with one that has no fields to describe
BODYLESS = re.compile(
    r"/(download|download_pdf|download_xml|refresh|finalize|void|lose_dispute|retry|retry_payment|payment_url|resend_email"
    r"|sync_salesforce_id|checkout_url|rotate_secret|replay|terminate|estimate|preview)$"
)


@pytest.fixture(scope="module")
def document(running: Any) -> dict[str, Any]:
    found: dict[str, Any] = Api(running.url).http.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything."""
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_named_once(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 90
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    for method, path, operation in found:
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        assert method != "head"


def test_every_operation_tells_its_errors(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, shape in SHAPES.items():
            schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{shape}"}, (method, path, status)
        assert operation["security"][0].keys() <= document["components"]["securitySchemes"].keys()


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        described = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path)), (method, path)


def test_every_list_has_its_pages(document: dict[str, Any]) -> None:
    for path in ("/customers", "/plans", "/invoices", "/fees", "/taxes", "/subscriptions", "/events"):
        parameters = document["paths"][f"/api/v1{path}"]["get"]["parameters"]
        assert {"page", "per_page"} <= {each["name"] for each in parameters}, path


def test_every_body_is_described(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if method not in ("post", "put", "patch") or BODYLESS.search(path):
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"], (method, path)
        assert "$ref" not in str(schema), (method, path)
