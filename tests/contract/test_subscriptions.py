"""`subscriptions` through the official client."""

from __future__ import annotations

import pytest
from lago_python_client.models import Subscription

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def test_find(shop: Shop) -> None:
    found = shop.lago.subscriptions.find("sub")
    assert (found.external_id, found.external_customer_id, found.plan_code) == ("sub", "acme", "basic")
    assert (found.status, found.billing_time, found.plan_amount_currency) == ("active", "calendar", "EUR")
    assert found.started_at == "2025-06-01T00:00:00.000Z"
    assert found.current_billing_period_ending_at == "2025-06-30T23:59:59Z"
    assert (found.on_termination_invoice, found.on_termination_credit_note) == ("generate", None)
    assert (found.activation_rules, found.consolidate_invoice) == ([], True)
    assert found.payment_method.payment_method_type == "provider"
    assert found.billing_entity_code


def test_create_with_overrides(shop: Shop) -> None:
    made = shop.subscription(
        "other",
        name="Other",
        billing_time="anniversary",
        subscription_at="2025-05-10T00:00:00Z",
        ending_at="2026-05-10T00:00:00Z",
        purchase_order_number="PO-1",
        plan_overrides={"amount_cents": 1500, "name": "Cheap"},
    )
    assert (made.name, made.billing_time, made.subscription_at) == ("Other", "anniversary", "2025-05-10T00:00:00Z")
    assert (made.ending_at, made.purchase_order_number) == ("2026-05-10T00:00:00Z", "PO-1")
    assert made.plan_amount_cents == "1500"


def test_update(shop: Shop) -> None:
    assert shop.lago.subscriptions.update(Subscription(name="Main"), "sub").name == "Main"
    assert refused(shop.lago.subscriptions.update, Subscription(name="x"), "nope") == coded(
        404, "subscription_not_found"
    )


def test_find_all(shop: Shop) -> None:
    shop.subscription("later", subscription_at="2025-08-01T00:00:00Z")
    find_all = shop.lago.subscriptions.find_all
    assert [row.external_id for row in find_all()["subscriptions"]] == ["sub"]
    options = {"external_customer_id": "acme", "status[]": ["pending", "active"], "overridden": False}
    assert [row.external_id for row in find_all(options)["subscriptions"]] == ["later", "sub"]
    assert find_all({"plan_code": "nope"})["subscriptions"] == []
    assert find_all({"plan_code": "basic", "page": 3})["meta"]["prev_page"] == 2


def test_destroy(shop: Shop) -> None:
    ended = shop.lago.subscriptions.destroy("sub", {"on_termination_invoice": "skip"})
    assert (ended.status, ended.on_termination_invoice) == ("terminated", "skip")
    assert ended.terminated_at == "2025-06-01T00:00:00Z"
    assert refused(shop.lago.subscriptions.find, "sub") == coded(404, "subscription_not_found")
    assert shop.lago.subscriptions.find("sub", {"status": "terminated"}).lago_id == ended.lago_id


def test_destroy_of_a_pending_one(shop: Shop) -> None:
    shop.subscription("later", subscription_at="2025-08-01T00:00:00Z")
    assert shop.lago.subscriptions.destroy("later", {"status": "pending"}).status == "canceled"


@pytest.mark.parametrize("external_id", ["a.b.c", "s@x", "a b", "a+b", "ü"])
def test_external_ids_are_found_as_given(shop: Shop, external_id: str) -> None:
    assert shop.subscription(external_id).external_id == external_id
    assert shop.lago.subscriptions.find(external_id).external_id == external_id
    assert shop.lago.customers.current_usage("acme", external_id).currency == "EUR"


def test_refusals(shop: Shop) -> None:
    create = shop.lago.subscriptions.create
    body = {"external_customer_id": "acme", "plan_code": "basic", "external_id": "new"}
    assert refused(create, Subscription(**{**body, "plan_code": "nope"})) == coded(404, "plan_not_found")
    assert refused(create, Subscription(**{**body, "billing_time": "x"})) == invalid(billing_time=["value_is_invalid"])
    assert refused(create, Subscription(plan_code="basic", external_id="new")) == invalid(
        external_customer_id=["value_is_mandatory"]
    )
