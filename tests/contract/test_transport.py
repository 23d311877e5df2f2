"""What the official clients rely on beneath the resources (api.md §1, §3, sdk-compat.md §2, §9)."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from lago_python_client import Client
from lago_python_client.models import Customer, Invoice, Organization, Tax

from tests.contract.refusals import UNAUTHORIZED, coded, refused
from tests.contract.shop import Shop
from tests.support.api import ADMIN_TOKEN, Api

JSON = {"Content-Type": "application/json"}


def key_of(api: Api, permissions: dict[str, list[str]]) -> str:
    """Another key of the organization."""
    answer = api.http.post(
        f"/admin/organizations/{api.organization['lago_id']}/api_keys",
        json={"api_key": {"permissions": permissions}},
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
    )
    value: str = answer.json()["api_key"]["value"]
    return value


def client_of(api: Api, key: str) -> Client:
    """The official client with another key."""
    return Client(api_key=key, api_url=str(api.http.base_url))


def test_errors_through_the_client(shop: Shop) -> None:
    lago = shop.lago
    assert refused(lago.customers.find, "nobody") == coded(404, "customer_not_found")
    assert refused(lago.quotes.find_all) == coded(404, "resource_not_found")
    assert refused(lago.taxes.update, Tax(), "vat") == {
        "status": 400,
        "error": "BadRequest: param is missing or the value is empty or invalid: tax",
    }
    assert refused(client_of(shop.api, str(uuid.uuid4())).plans.find_all) == UNAUTHORIZED
    reader = client_of(shop.api, key_of(shop.api, {"plan": ["read"]}))
    assert [plan.code for plan in reader.plans.find_all()["plans"]] == ["basic"]
    assert refused(reader.plans.destroy, "basic") == coded(403, "write_action_not_allowed_for_plan")
    assert refused(reader.customers.find, "acme") == coded(403, "read_action_not_allowed_for_customer")
    usage = refused(lago.customers.current_usage, "acme", "nope")
    assert usage == coded(405, "no_active_subscription")


@pytest.mark.parametrize("headers", [{}, JSON])
@pytest.mark.parametrize("content", [b"", b"  ", b"null", b"{}"])
def test_calls_without_a_body(shop: Shop, headers: dict[str, str], content: bytes) -> None:
    invoice = shop.invoice()
    for action in ("download", "download_pdf"):
        answer = shop.api.http.post(f"/api/v1/invoices/{invoice.lago_id}/{action}", headers=headers, content=content)
        assert answer.status_code == 200


@pytest.mark.parametrize("word", ["true", "True", "t", "1", "on", "yes"])
def test_words_for_true(shop: Shop, word: str) -> None:
    shop.subscription("own", plan_overrides={"amount_cents": 1})
    rows = shop.lago.subscriptions.find_all({"overridden": word})["subscriptions"]
    assert [row.external_id for row in rows] == ["own"]


@pytest.mark.parametrize("word", ["false", "False", "f", "0", "off", "no"])
def test_words_for_false(shop: Shop, word: str) -> None:
    shop.subscription("own", plan_overrides={"amount_cents": 1})
    rows = shop.lago.subscriptions.find_all({"overridden": word})["subscriptions"]
    assert [row.external_id for row in rows] == ["sub"]


@pytest.mark.parametrize("page", ["0", "-1", "null", "None", "x", "1.5", "9" * 40])
def test_pages_that_are_no_numbers(lago: Client, page: str) -> None:
    lago.customers.create(Customer(external_id="c"))
    answer = lago.customers.find_all({"page": page, "per_page": page})
    assert answer["meta"]["total_count"] == 1


def test_arrays_in_every_spelling(shop: Shop) -> None:
    shop.subscription("later", subscription_at="2025-09-01T00:00:00Z")
    spellings = (
        "status[]=active&status[]=pending",
        "status%5B%5D=active&status%5B%5D=pending",
        "status=active&status=pending",
    )
    for spelling in spellings:
        rows = shop.api.get(f"/subscriptions?{spelling}")["subscriptions"]
        assert {row["external_id"] for row in rows} == {"sub", "later"}
    assert len(shop.api.get("/subscriptions?status=pending")["subscriptions"]) == 1


def test_head_answers_as_get_without_the_body(shop: Shop) -> None:
    for path in ("/customers", "/customers/acme", "/plans/basic/charges/calls", "/webhooks/public_key", "/invoices"):
        get, head = shop.api.http.get(f"/api/v1{path}"), shop.api.http.head(f"/api/v1{path}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
    assert shop.api.http.head("/api/v1/customers/nobody").status_code == 404
    reader = {"Authorization": f"Bearer {key_of(shop.api, {'customer': ['read']})}"}
    assert shop.api.http.head("/api/v1/customers", headers=reader).status_code == 200


def test_patch_is_put(shop: Shop) -> None:
    api = shop.api
    bodies: dict[str, Any] = {
        "/organizations": {"organization": {"city": "Rome"}},
        "/taxes/vat": {"tax": {"name": "x"}},
        "/billable_metrics/calls": {"billable_metric": {"name": "x"}},
        "/plans/basic": {"plan": {"name": "x"}},
        "/plans/basic/charges/calls": {"charge": {"invoice_display_name": "x"}},
        "/subscriptions/sub": {"subscription": {"name": "x"}},
    }
    for path, body in bodies.items():
        root = next(iter(body))
        patched, put = api.call("PATCH", path, body), api.call("PUT", path, body)
        assert patched[root].keys() == put[root].keys()
        assert patched[root]["lago_id"] == put[root]["lago_id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/customers"),
        ("PUT", "/customers"),
        ("POST", "/customers/acme"),
        ("DELETE", "/organizations"),
        ("POST", "/invoices/x/finalize"),
        ("GET", "/nothing"),
        ("GET", "/customers/acme/nothing"),
        ("TRACE", "/customers"),
    ],
)
def test_a_wrong_verb_or_path_needs_no_key(running: Any, method: str, path: str) -> None:
    answer = httpx.request(method, f"{running.url}/api/v1{path}")
    assert answer.json() == coded(404, "resource_not_found")
    assert answer.status_code == 404


def test_slashes_at_the_end(shop: Shop) -> None:
    for path in ("/customers/", "/customers/acme/", "/plans/basic/charges/"):
        assert shop.api.http.get(f"/api/v1{path}").status_code == 200
    assert (
        shop.api.http.post("/api/v1/events/", json={"event": {"transaction_id": "t", "code": "c"}}).status_code == 200
    )


def test_an_accept_header_changes_nothing(shop: Shop) -> None:
    for accept in ("*/*", "text/html", "application/xml"):
        answer = shop.api.http.get("/api/v1/customers/acme", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_request_ids(api: Api) -> None:
    mine = str(uuid.uuid4())
    assert api.http.get("/api/v1/plans", headers={"X-Request-Id": mine}).headers["x-request-id"] == mine
    assert uuid.UUID(api.http.get("/api/v1/plans").headers["x-request-id"])


def test_the_scheme_of_the_key_is_not_looked_at(api: Api) -> None:
    for scheme in ("Bearer", "bearer", "Token"):
        answer = api.http.get("/api/v1/plans", headers={"Authorization": f"{scheme} {api.api_key}"})
        assert answer.status_code == 200
    for header in ("", "Bearer", api.api_key):
        answer = api.http.get("/api/v1/plans", headers={"Authorization": header})
        assert answer.json() == UNAUTHORIZED


def test_no_rate_headers_without_limits(api: Api) -> None:
    assert not [name for name in api.http.get("/api/v1/plans").headers if name.startswith("x-ratelimit")]


def test_updates_keep_what_they_do_not_name(shop: Shop) -> None:
    shop.lago.organizations.update(Organization(default_currency="EUR", city="Rome"))
    invoice = shop.invoice()
    before = shop.lago.invoices.find(invoice.lago_id)
    after = shop.lago.invoices.update(Invoice(payment_status="pending"), invoice.lago_id)
    assert after.copy(update={"updated_at": None}) == before.copy(update={"updated_at": None})
