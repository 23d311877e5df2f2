"""Keys, permissions, ids and paths that are wrong: the right status, and the code of the contract (api.md §2, §3)."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.contract.refusals import UNAUTHORIZED, coded, deviation
from tests.contract.shop import Shop
from tests.contract.test_transport import key_of
from tests.support.api import ADMIN_TOKEN, Api

STRANGER = "00000000-0000-7000-8000-000000000000"
#: route -> what the key must be permitted for
PERMISSIONS = {
    "GET /organizations": "organization",
    "GET /billing_entities": "billing_entity",
    "GET /taxes": "tax",
    "GET /customers": "customer",
    "POST /customers": "customer",
    "GET /customers/acme/portal_url": "customer",
    "GET /customers/acme/current_usage": "customer_usage",
    "GET /customers/acme/invoices": "invoice",
    "GET /customers/acme/subscriptions": "subscription",
    "GET /billable_metrics": "billable_metric",
    "POST /billable_metrics/evaluate_expression": "billable_metric",
    "GET /plans": "plan",
    "GET /plans/basic/charges": "plan",
    "POST /plans/basic/charges/calls/filters": "plan",
    "DELETE /plans/basic/metadata": "plan",
    "GET /subscriptions": "subscription",
    "DELETE /subscriptions/sub": "subscription",
    "POST /events": "event",
    "POST /events/batch": "event",
    "GET /events": "event",
    "GET /invoices": "invoice",
    f"POST /invoices/{STRANGER}/download": "invoice",
    "GET /fees": "fee",
    "GET /webhook_endpoints": "webhook_endpoint",
    "GET /webhooks/json_public_key": "webhook_jwt_public_key",
    "GET /webhooks/public_key": "webhook_jwt_public_key",
}
MISSING = {
    "GET /billing_entities/nope": "billing_entity",
    "PUT /billing_entities/nope": "billing_entity",
    "GET /taxes/nope": "tax",
    "PUT /taxes/nope": "tax",
    "DELETE /taxes/nope": "tax",
    "GET /customers/nope": "customer",
    "DELETE /customers/nope": "customer",
    "GET /customers/nope/portal_url": "customer",
    "GET /customers/nope/invoices": "customer",
    "GET /customers/nope/subscriptions": "customer",
    "GET /customers/nope/current_usage": "customer",
    "GET /billable_metrics/nope": "billable_metric",
    "PUT /billable_metrics/nope": "billable_metric",
    "DELETE /billable_metrics/nope": "billable_metric",
    "GET /plans/nope": "plan",
    "PUT /plans/nope": "plan",
    "DELETE /plans/nope": "plan",
    "POST /plans/nope/metadata": "plan",
    "GET /plans/nope/charges": "plan",
    "POST /plans/nope/charges": "plan",
    "GET /plans/nope/charges/nope/filters/nope": "plan",
    "GET /plans/basic/charges/nope": "charge",
    "GET /plans/basic/charges/nope/filters": "charge",
    f"GET /plans/basic/charges/calls/filters/{STRANGER}": "charge_filter",
    "GET /plans/basic/charges/calls/filters/nope": "charge_filter",
    "GET /subscriptions/nope": "subscription",
    "PUT /subscriptions/nope": "subscription",
    "DELETE /subscriptions/nope": "subscription",
    "GET /subscriptions/sub?status=nope": "subscription",
    "GET /events/nope": "event",
    f"GET /invoices/{STRANGER}": "invoice",
    "GET /invoices/nope": "invoice",
    "PUT /invoices/nope": "invoice",
    "POST /invoices/nope/download": "invoice",
    f"GET /fees/{STRANGER}": "fee",
    "GET /fees/nope": "fee",
    "PUT /fees/nope": "fee",
    "DELETE /fees/nope": "fee",
    f"GET /webhook_endpoints/{STRANGER}": "webhook_endpoint",
    "PUT /webhook_endpoints/nope": "webhook_endpoint",
    "DELETE /webhook_endpoints/nope": "webhook_endpoint",
    "GET /subscriptions?billing_entity_codes[]=nope": "billing_entity",
    "GET /invoices?billing_entity_codes[]=nope": "billing_entity",
    "GET /customers?billing_entity_codes[]=nope": "billing_entity",
}


def ask(api: Api, call: str, **more: Any) -> httpx.Response:
    """`GET /path`."""
    method, path = call.split(" ", 1)
    return api.http.request(method, f"/api/v1{path}", **more)


def test_every_operation_needs_a_key(api: Api) -> None:
    document = api.http.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            asked = re.sub(r"{\w+}", "x", path)
            for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {uuid.uuid4()}"}):
                answer = api.http.request(method, asked, headers=headers, content=b"{not json")
                assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED), (method, path)


def test_a_key_without_permissions(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {key_of(shop.api, {})}"}
    for call, resource in PERMISSIONS.items():
        answer = ask(shop.api, call, headers=headers, content=b"{not json")
        mode = "read" if call.startswith("GET") else "write"
        assert answer.json() == coded(403, f"{mode}_action_not_allowed_for_{resource}"), call
        assert answer.status_code == 403


def test_a_key_of_one_permission(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {key_of(shop.api, {'tax': ['read']})}"}
    assert ask(shop.api, "GET /taxes", headers=headers).status_code == 200
    assert ask(shop.api, "DELETE /taxes/vat", headers=headers).status_code == 403
    assert ask(shop.api, "GET /plans", headers=headers).status_code == 403


@pytest.mark.parametrize("permissions", [{"nothing": ["read"]}, {"tax": ["delete"]}, {"tax": "read"}])
def test_permissions_that_do_not_exist(api: Api, permissions: Any) -> None:
    path = f"/admin/organizations/{api.organization['lago_id']}/api_keys"
    answer = api.http.post(
        path, json={"api_key": {"permissions": permissions}}, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}
    )
    assert list(answer.json()["error_details"]) == ["permissions"]


def test_what_is_not_there(shop: Shop) -> None:
    for call, thing in MISSING.items():
        answer = ask(shop.api, call)
        assert answer.json() == coded(404, f"{thing}_not_found"), call


def test_another_organization_is_not_there(shop: Shop, running: Any) -> None:
    other = Api(running.url)
    invoice = shop.invoice()
    fee = invoice.fees.__root__[0].lago_id
    for path in ("/customers/acme", "/plans/basic", "/taxes/vat", f"/invoices/{invoice.lago_id}", f"/fees/{fee}"):
        assert other.http.get(f"/api/v1{path}").status_code == 404


@pytest.mark.parametrize(
    "segment",
    ["%00", "%2F", "%2e%2e", "..%2F..", "%", "%zz", "%C3%28", "%F0%9F%98%80", "%ED%A0%80", "a;b", "a%3Fb", "x" * 7000],
)
def test_segments_of_paths(shop: Shop, segment: str) -> None:
    for path in ("customers", "plans", "invoices", "events", "subscriptions", "webhook_endpoints", "taxes"):
        answer = shop.api.http.get(f"/api/v1/{path}/{segment}")
        if segment == "%00":
            continue  # nothing is left of it: the list
        assert (answer.status_code, deviation(404, answer.content)) == (404, None), path


@pytest.mark.parametrize(
    "query",
    [
        "page=%00&per_page=%ff",
        "status[]=%ED%A0%80&status=%00",
        "metadata[=1&metadata]=2&[]=3&=4&metadata[][]=5",
        "search_term=%25_%27%22%5C%00",
        "external_customer_id[]=a&external_customer_id[b]=c",
        "issuing_date_from=99999-01-01&issuing_date_to=0000-00-00&amount_from=" + "9" * 60,
        "created_at_from=0001-01-01T00:00:00%2B23:59&timestamp_from=99999-01-01",
        "billing_entity_codes[a][b]=c&currency=" + "x" * 7000,
        "page=" + "9" * 4000,
    ],
)
def test_queries(shop: Shop, query: str) -> None:
    for path in ("customers", "plans", "invoices", "fees", "events", "subscriptions", "taxes", "webhook_endpoints"):
        answer = shop.api.http.get(f"/api/v1/{path}?{query}")
        assert deviation(answer.status_code, answer.content) is None, (path, answer.text)


@pytest.mark.parametrize("value", ["{", "[object Object]", "[1", "nul"])
def test_headers_and_types_of_bodies_are_not_believed(api: Api, value: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""):
        answer = api.http.post("/api/v1/customers", content=value, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": "Bad Request"})
