"""Every object of the REST API has exactly the keys and types of the contract (api.md §15)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.contract.shop import Shop
from tests.contract.typecodes import assert_shape, problems
from tests.support.api import Api

CUSTOMER_SHOWN = "customer+taxes+integration_customers+applicable_invoice_custom_sections+error_details"
CUSTOMER_LISTED = "customer+taxes+integration_customers"
PLAN = (
    "plan+charges+usage_thresholds+applicable_usage_thresholds+taxes+entitlements+fixed_charges"
    "+minimum_commitment*+metadata*"
)
SUBSCRIPTION_UPDATED = "subscription+plan+applicable_usage_thresholds+applied_invoice_custom_sections"
INVOICE_SHOWN = (
    "invoice+customer+subscriptions+billing_periods+fees+credits+metadata+applied_taxes+error_details"
    "+applied_invoice_custom_sections"
)
NOTE = "credit_note+customer+items+applied_taxes+error_details"
METRIC_LISTED = "billable_metric+active_subscriptions_count*+draft_invoices_count*+plans_count*"


def read(api: Api, method: str, path: str, body: Any = None) -> Any:
    """An answer whose fractions are Decimals."""
    answer = api.http.request(method, f"/api/v1{path}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.json(parse_float=Decimal)


def check(api: Api, path: str, root: str, code: str, method: str = "GET", body: Any = None) -> Any:
    """The object under the root key has the shape, and nothing is beside it."""
    answer = read(api, method, path, body)
    assert list(answer) == [root]
    assert_shape(answer[root], code)
    return answer[root]


def check_list(api: Api, path: str, root: str, code: str) -> None:
    """A list that is not empty, with its meta."""
    answer = read(api, "GET", path)
    assert list(answer) == [root, "meta"]
    assert_shape(answer["meta"], "meta")
    assert answer[root]
    assert_shape(answer[root], f"{code}[]")


CONFORMING: list[tuple[Any, str]] = [
    ("1.0", "dec"),
    ("-0.05", "dec"),
    (None, "dec?"),
    (Decimal("20.0"), "num"),
    ([], "str[]"),
]
DEVIATING: list[tuple[Any, str]] = [
    ("1", "dec"),
    ("1.00", "dec"),
    (Decimal("1.0"), "int"),
    (True, "int"),
    ("2025-06-01", "dt"),
    (None, "str"),
    ({"key": "k"}, "metric_filter"),
    ({"key": "k", "values": [], "more": 1}, "metric_filter"),
]


@pytest.mark.parametrize(("value", "code"), CONFORMING)
def test_the_legend_takes_what_conforms(value: Any, code: str) -> None:
    assert_shape(value, code)


@pytest.mark.parametrize(("value", "code"), DEVIATING)
def test_the_legend_refuses_what_deviates(value: Any, code: str) -> None:
    assert list(problems(value, code))


def test_organization(api: Api) -> None:
    check(api, "/organizations", "organization", "organization")
    body = {"organization": {"city": "Rome"}}
    check(api, "/organizations", "organization", "organization+taxes", "PUT", body)


def test_billing_entity(shop: Shop) -> None:
    shown = "billing_entity+taxes+selected_invoice_custom_sections"
    made = {"billing_entity": {"code": "b", "name": "B", "country": "FR", "default_currency": "EUR"}}
    check(
        shop.api,
        "/billing_entities",
        "billing_entity",
        "billing_entity+taxes*+selected_invoice_custom_sections*",
        "POST",
        made,
    )
    check(shop.api, "/billing_entities/b", "billing_entity", shown, "PUT", {"billing_entity": {"tax_codes": ["vat"]}})
    check(shop.api, "/billing_entities/b", "billing_entity", shown)
    answer = read(shop.api, "GET", "/billing_entities")
    assert list(answer) == ["billing_entities"]
    assert_shape(answer["billing_entities"], "billing_entity[]")


def test_payment(shop: Shop) -> None:
    body = {"payment": {"invoice_id": shop.invoice().lago_id, "amount_cents": 100, "reference": "wire"}}
    made = check(shop.api, "/payments", "payment", "payment", "POST", body)
    check(shop.api, f"/payments/{made['lago_id']}", "payment", "payment")
    for listed in ("/payments", "/customers/acme/payments"):
        check_list(shop.api, listed, "payments", "payment")


def test_payment_request(shop: Shop) -> None:
    invoice = shop.invoice()
    shop.api.at("2025-08-15T00:00:00Z")
    body = {"payment_request": {"external_customer_id": "acme", "lago_invoice_ids": [invoice.lago_id]}}
    made = check(shop.api, "/payment_requests", "payment_request", "payment_request", "POST", body)
    check(shop.api, f"/payment_requests/{made['lago_id']}", "payment_request", "payment_request")
    for listed in ("/payment_requests", "/customers/acme/payment_requests"):
        check_list(shop.api, listed, "payment_requests", "payment_request")


def test_tax(shop: Shop) -> None:
    code = "tax+applied_to_billing_entities_codes"
    check(shop.api, "/taxes", "tax", code, "POST", {"tax": {"code": "t", "name": "T", "rate": "5.5"}})
    check(shop.api, "/taxes/t", "tax", code, "PUT", {"tax": {"name": "U"}})
    check(shop.api, "/taxes/vat", "tax", code)
    check_list(shop.api, "/taxes", "taxes", code)
    check(shop.api, "/taxes/t", "tax", code, "DELETE")


def test_billable_metric(shop: Shop) -> None:
    check(shop.api, "/billable_metrics/calls", "billable_metric", "billable_metric")
    check_list(shop.api, "/billable_metrics", "billable_metrics", METRIC_LISTED)
    body = {"billable_metric": {"code": "m", "name": "m", "aggregation_type": "count_agg"}}
    check(shop.api, "/billable_metrics", "billable_metric", METRIC_LISTED, "POST", body)
    check(shop.api, "/billable_metrics/m", "billable_metric", METRIC_LISTED, "DELETE")


def test_plan(shop: Shop) -> None:
    plan = check(shop.api, "/plans/basic", "plan", PLAN)
    assert plan["minimum_commitment"]
    assert plan["metadata"] == {"tier": "1"}
    check_list(shop.api, "/plans", "plans", PLAN)
    shop.plan("bare", minimum_commitment=None, usage_thresholds=None, metadata=None)
    bare = check(shop.api, "/plans/bare", "plan", PLAN)
    assert not {"minimum_commitment", "metadata"} & set(bare)
    check(shop.api, "/plans/bare", "plan", PLAN, "PUT", {"plan": {"tax_codes": ["vat"]}})
    check(shop.api, "/plans/bare", "plan", PLAN, "DELETE")


def test_charge_and_filter(shop: Shop) -> None:
    path = "/plans/basic/charges"
    check(shop.api, f"{path}/calls", "charge", "charge+taxes", "PUT", {"charge": {"tax_codes": ["vat"]}})
    charge = check(shop.api, f"{path}/calls", "charge", "charge+taxes")
    assert charge["taxes"]
    check_list(shop.api, path, "charges", "charge+taxes")
    check_list(shop.api, f"{path}/calls/filters", "filters", "filter")
    check(shop.api, f"{path}/calls/filters/{charge['filters'][0]['lago_id']}", "filter", "filter")
    check(shop.api, f"{path}/calls", "charge", "charge+taxes", "DELETE")


@pytest.mark.parametrize("key", ["pricing_group_keys", "grouped_by"])
def test_grouping_keys_are_mirrored(shop: Shop, key: str) -> None:
    body = {"charge": {"code": "g", "billable_metric_id": shop.sold.lago_id, "charge_model": "standard"}}
    body["charge"]["properties"] = {"amount": "1", key: ["region"]}
    charge = check(shop.api, "/plans/basic/charges", "charge", "charge+taxes", "POST", body)
    assert charge["properties"]["pricing_group_keys"] == charge["properties"]["grouped_by"] == ["region"]


def test_add_on_and_fixed_charge(shop: Shop) -> None:
    add_on = {"name": "A", "code": "a", "amount_cents": 1, "amount_currency": "EUR", "tax_codes": ["vat"]}
    made = check(shop.api, "/add_ons", "add_on", "add_on", "POST", {"add_on": add_on})
    check_list(shop.api, "/add_ons", "add_ons", "add_on")
    path = "/plans/basic/fixed_charges"
    body = {"fixed_charge": {"add_on_id": made["lago_id"], "code": "f", "charge_model": "standard", "units": "2"}}
    body["fixed_charge"] |= {"properties": {"amount": "1"}, "tax_codes": ["vat"]}
    check(shop.api, path, "fixed_charge", "fixed_charge+taxes", "POST", body)
    check(shop.api, f"{path}/f", "fixed_charge", "fixed_charge+taxes")
    check_list(shop.api, path, "fixed_charges", "fixed_charge+taxes")
    check_list(shop.api, "/subscriptions/sub/fixed_charges", "fixed_charges", "fixed_charge+taxes")
    check(shop.api, "/plans/basic", "plan", PLAN)
    check(shop.api, "/add_ons/a", "add_on", "add_on", "DELETE")


def test_coupon(shop: Shop) -> None:
    coupon = {"name": "C", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever"}
    check(shop.api, "/coupons", "coupon", "coupon", "POST", {"coupon": {**coupon, "expiration": "no_expiration"}})
    check_list(shop.api, "/coupons", "coupons", "coupon")
    body = {"applied_coupon": {"external_customer_id": "acme", "coupon_code": "c"}}
    check(shop.api, "/applied_coupons", "applied_coupon", "applied_coupon", "POST", body)
    invoice = shop.invoice().lago_id
    assert check(shop.api, f"/invoices/{invoice}", "invoice", INVOICE_SHOWN)["credits"]
    for path in ("/applied_coupons", "/customers/acme/applied_coupons"):
        check_list(shop.api, path, "applied_coupons", "applied_coupon+credits")


def test_credit_note(shop: Shop) -> None:
    invoice = shop.invoice()
    items = [{"fee_id": invoice.fees.__root__[0].lago_id, "amount_cents": 500}]
    asked = {"credit_note": {"invoice_id": invoice.lago_id, "items": items}}
    check(shop.api, "/credit_notes/estimate", "estimated_credit_note", "estimated_credit_note", "POST", asked)
    body = {"credit_note": {**asked["credit_note"], "credit_amount_cents": 600, "metadata": {"k": "v"}}}
    made = check(shop.api, "/credit_notes", "credit_note", f"{NOTE}+metadata", "POST", body)
    path = f"/credit_notes/{made['lago_id']}"
    check(shop.api, path, "credit_note", f"{NOTE}+metadata")
    for listed in ("/credit_notes", "/customers/acme/credit_notes"):
        check_list(shop.api, listed, "credit_notes", f"{NOTE}+metadata")
    shop.settle()
    check(shop.api, f"{path}/download", "credit_note", "credit_note+metadata", "POST")
    shop.api.delete(f"{path}/metadata")
    check(shop.api, f"{path}/void", "credit_note", NOTE, "PUT")


def test_lifetime_usage_and_alert(shop: Shop) -> None:
    shop.event(4)
    check(shop.api, "/subscriptions/sub/lifetime_usage", "lifetime_usage", "lifetime_usage+usage_thresholds")
    alert = {"alert_type": "current_usage_amount", "code": "a", "thresholds": [{"value": "1", "code": "w"}]}
    check(shop.api, "/subscriptions/sub/alerts", "alert", "alert", "POST", {"alert": alert})
    check_list(shop.api, "/subscriptions/sub/alerts", "alerts", "alert")


def test_customer(shop: Shop) -> None:
    check(shop.api, "/customers/acme", "customer", CUSTOMER_SHOWN)
    check_list(shop.api, "/customers", "customers", CUSTOMER_LISTED)
    body = {"customer": {"external_id": "c", "tax_codes": ["vat"]}}
    check(shop.api, "/customers", "customer", CUSTOMER_SHOWN, "POST", body)
    check(shop.api, "/customers/c", "customer", CUSTOMER_SHOWN, "DELETE")


def test_subscription(shop: Shop) -> None:
    path = "/subscriptions/sub"
    check(shop.api, path, "subscription", f"{SUBSCRIPTION_UPDATED}+entitlements")
    check_list(shop.api, "/subscriptions", "subscriptions", "subscription")
    check_list(shop.api, "/customers/acme/subscriptions", "subscriptions", "subscription")
    body: dict[str, Any] = {"subscription": {"name": "Main"}}
    check(shop.api, path, "subscription", SUBSCRIPTION_UPDATED, "PUT", body)
    body = {"subscription": {"external_customer_id": "acme", "external_id": "s2", "plan_code": "basic"}}
    check(shop.api, "/subscriptions", "subscription", f"{SUBSCRIPTION_UPDATED}+entitlements", "POST", body)
    check(shop.api, path, "subscription", "subscription+plan+applied_invoice_custom_sections", "DELETE")


def test_event(shop: Shop) -> None:
    body = {
        "event": {"transaction_id": "a", "code": "calls", "external_subscription_id": "sub", "properties": {"n": 1}}
    }
    body["event"]["precise_total_amount_cents"] = "1.5"
    check(shop.api, "/events", "event", "event", "POST", body)
    check(shop.api, "/events/a", "event", "event")
    check_list(shop.api, "/events", "events", "event")
    batch = {"events": [{"transaction_id": "b", "code": "calls"}]}
    check(shop.api, "/events/batch", "events", "event[]", "POST", batch)


def test_current_usage(shop: Shop) -> None:
    shop.event(3)
    shop.event(1, properties={"n": 1, "region": "eu"})
    path = "/customers/acme/current_usage?external_subscription_id=sub"
    usage = check(shop.api, path, "customer_usage", "customer_usage")
    assert usage["charges_usage"][0]["filters"]


def test_invoice(shop: Shop) -> None:
    shop.event(8)
    shop.event(2, properties={"n": 2, "region": "eu"})
    lago_id = shop.invoice().lago_id
    body = {"invoice": {"metadata": [{"key": "po", "value": "1"}]}}
    check(shop.api, f"/invoices/{lago_id}", "invoice", INVOICE_SHOWN, "PUT", body)
    invoice = check(shop.api, f"/invoices/{lago_id}", "invoice", INVOICE_SHOWN)
    for member in ("subscriptions", "billing_periods", "fees", "metadata", "applied_taxes"):
        assert invoice[member], member
    for fee in invoice["fees"]:
        assert ("from_date" in fee) is (fee["item"]["type"] != "commitment")
    for path in ("/invoices", "/customers/acme/invoices"):
        check_list(shop.api, path, "invoices", "invoice+customer+metadata+applied_taxes")
    shop.settle()
    check(shop.api, f"/invoices/{lago_id}/download", "invoice", "invoice", "POST")


def test_fee(shop: Shop) -> None:
    shop.event(8)
    shop.invoice()
    rows = read(shop.api, "GET", "/fees")["fees"]
    dated = "fee+from_date+to_date+applied_taxes"
    assert {row["item"]["type"] for row in rows} == {"subscription", "charge"}
    assert_shape(rows, f"{dated}[]")
    check(shop.api, f"/fees/{rows[0]['lago_id']}", "fee", dated)


def test_webhook_endpoint(api: Api) -> None:
    body = {"webhook_endpoint": {"webhook_url": "https://hooks.example.com/a", "event_types": ["invoice.created"]}}
    code = "webhook_endpoint+disabled_at"
    made = check(api, "/webhook_endpoints", "webhook_endpoint", f"{code}+secret", "POST", body)
    path = f"/webhook_endpoints/{made['lago_id']}"
    check(api, path, "webhook_endpoint", code)
    check(api, path, "webhook_endpoint", code, "PUT", {"webhook_endpoint": {"name": "main"}})
    check_list(api, "/webhook_endpoints", "webhook_endpoints", code)
    check(api, path, "webhook_endpoint", code, "DELETE")
