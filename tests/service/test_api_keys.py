"""API keys: who is let in, what a restricted key may do, rotation and end of a key (customers_entitlements.md §5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.api import ADMIN_TOKEN, Api

FOREVER = None


class Keys:
    """The operator's view of one organization's keys, and calls with any of them."""

    def __init__(self, api: Api) -> None:
        self.http = httpx.Client(base_url=api.http.base_url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        self.path = f"/admin/organizations/{api.organization['lago_id']}/api_keys"

    def call(self, method: str, path: str = "", status: int = 200, **fields: Any) -> Any:
        answer = self.http.request(method, self.path + path, json={"api_key": fields} if fields else None)
        assert answer.status_code == status, answer.text
        return answer.json()

    def try_key(self, value: str, method: str = "GET", path: str = "/customers", body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {value}"}
        return self.http.request(method, f"/api/v1{path}", headers=headers, json=body)


@pytest.fixture
def keys(api: Api) -> Iterator[Keys]:
    made = Keys(api)
    yield made
    made.http.close()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer 0d7fd5b2-2f0a-4b2e-a1f3-000000000000", "é é"])
def test_strangers_are_refused(api: Api, header: str | None) -> None:
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    answer = httpx.get(f"{api.http.base_url}/api/v1/customers", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "error": "Unauthorized"})


def test_a_missing_route_needs_no_key(api: Api) -> None:
    answer = httpx.get(f"{api.http.base_url}/api/v1/no_such_thing")
    assert answer.json() == {"status": 404, "error": "Not Found", "code": "resource_not_found"}


def test_the_scheme_word_does_not_matter(api: Api) -> None:
    answer = httpx.get(f"{api.http.base_url}/api/v1/customers", headers={"Authorization": f"Token {api.api_key}"})
    assert answer.status_code == 200


def test_a_restricted_key(api: Api, keys: Keys) -> None:
    made = keys.call("POST", name="reader", permissions={"customer": ["read"], "tax": ["write"]})["api_key"]
    value = made["value"]
    assert made["last_characters"] == value[-4:]
    assert made["permissions"] == {"customer": ["read"], "tax": ["write"]}
    assert keys.try_key(value).status_code == 200
    refused = keys.try_key(value, "POST", body={"customer": {"external_id": "x"}})
    assert refused.status_code == 403
    assert refused.json() == {
        "status": 403,
        "error": "Forbidden",
        "code": "write_action_not_allowed_for_customer",
    }
    assert keys.try_key(value, path="/taxes").json()["code"] == "read_action_not_allowed_for_tax"
    assert keys.try_key(value, "POST", "/taxes", {"tax": {"code": "a", "name": "a", "rate": 1}}).status_code == 200
    missing = keys.try_key(value, path="/organizations").json()["code"]
    assert missing == "read_action_not_allowed_for_organization"
    assert keys.try_key(value, "HEAD").status_code == 200


@pytest.mark.parametrize(
    "permissions", [{"customers": ["read"]}, {"customer": ["delete"]}, {"customer": "read"}, {"customer": [{}]}]
)
def test_unknown_permissions_are_refused(keys: Keys, permissions: Any) -> None:
    refused = keys.call("POST", status=422, permissions=permissions)
    assert refused["error_details"] == {"permissions": ["value_is_invalid"]}


def test_rotation_ends_the_old_key_at_once(api: Api, keys: Keys) -> None:
    old = keys.call("POST", name="app", permissions={"customer": ["read"]})["api_key"]
    new = keys.call("POST", f"/{old['lago_id']}/rotate")["api_key"]
    assert keys.try_key(old["value"]).status_code == 401
    assert keys.try_key(new["value"], path="/organizations").status_code == 200
    # a rotated key does not inherit restrictions (customers_entitlements.md §7.17)
    assert (new["name"], new["permissions"]) == ("app", None)
    assert keys.call("POST", f"/{old['lago_id']}/rotate", 404)["code"] == "api_key_not_found"


def test_rotation_with_an_overlap(keys: Keys) -> None:
    old = keys.call("POST", name="app")["api_key"]
    new = keys.call("POST", f"/{old['lago_id']}/rotate", expires_at="2999-01-01T00:00:00Z")["api_key"]
    assert keys.try_key(old["value"]).status_code == 200
    assert keys.try_key(new["value"]).status_code == 200


def test_revoking(api: Api, keys: Keys) -> None:
    (first,) = keys.call("GET")["api_keys"]
    assert first["last_characters"] == api.api_key[-4:]
    assert "value" not in first
    refused = keys.call("DELETE", f"/{first['lago_id']}", 422)
    assert refused["error_details"] == {"base": ["last_non_expiring_api_key"]}
    second = keys.call("POST")["api_key"]
    assert second["expires_at"] is FOREVER
    assert keys.call("DELETE", f"/{first['lago_id']}")["api_key"]["expires_at"] is not FOREVER
    assert keys.try_key(api.api_key).status_code == 401
    assert [key["lago_id"] for key in keys.call("GET")["api_keys"]] == [second["lago_id"]]


def test_an_expired_key(keys: Keys) -> None:
    made = keys.call("POST", expires_at="2020-01-01T00:00:00Z")["api_key"]
    assert keys.try_key(made["value"]).status_code == 401


def test_unknown_organizations_and_keys(api: Api, keys: Keys) -> None:
    assert keys.call("DELETE", "/nobody", 404)["code"] == "api_key_not_found"
    assert keys.call("DELETE", f"/{api.organization['lago_id']}", 404)["code"] == "api_key_not_found"
    for stranger in ("nobody", "01a20878-2f58-75ed-8cd3-c997ab015ec2"):
        answer = keys.http.get(f"/admin/organizations/{stranger}/api_keys")
        assert (answer.status_code, answer.json()["code"]) == (404, "organization_not_found")


def test_the_use_of_a_key_is_recorded(api: Api, keys: Keys) -> None:
    assert keys.call("GET")["api_keys"][0]["last_used_at"] is None
    api.get("/customers")
    assert keys.call("GET")["api_keys"][0]["last_used_at"] is not None
