"""`POST /invoices/preview` over HTTP: customers that do not exist, coupons to try, refusals (invoicing.md §18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.previews import of, preview
from tests.support.subscriptions import customer, subscribe
from tests.support.usage_shop import event


@pytest.fixture
def shop(api: Api) -> Api:
    """An organization with a customer, plans of 30.00 in arrears and of 31.00 in advance."""
    api.at("2025-06-01T00:00:00Z")
    customer(api)
    plan(api, amount_cents=3000)
    plan(api, "adv", amount_cents=3000, pay_in_advance=True)
    return api


def test_a_customer_that_does_not_exist(shop: Api) -> None:
    shop.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 10}})
    shop.put("/billing_entities/" + code_of(shop), {"billing_entity": {"tax_codes": ["vat"]}})
    body = {"name": "Acme", "timezone": "Asia/Tokyo", "country": "jp", "shipping_address": {"city": "Osaka"}}
    seen = preview(shop, customer=body, plan_code="adv", subscription_at="2025-06-15T20:00:00Z")
    # in Tokyo that is the 16th
    assert (seen["issuing_date"], seen["fees_amount_cents"], seen["total_amount_cents"]) == ("2025-06-16", 1500, 1650)
    shown = seen["customer"]
    assert (shown["external_id"], shown["name"], shown["country"]) == ("", "Acme", "JP")
    assert (shown["applicable_timezone"], shown["shipping_address"]["city"]) == ("Asia/Tokyo", "Osaka")
    assert (shown["created_at"], seen["created_at"]) == ("2025-06-01T00:00:00Z", "2025-06-01T00:00:00Z")
    (row,) = seen["subscriptions"]
    assert (row["plan_code"], row["status"], row["external_id"]) == ("adv", "active", "")
    assert (row["started_at"], row["lago_customer_id"]) == ("2025-06-15T20:00:00.000Z", shown["lago_id"])
    assert shop.get("/customers")["meta"]["total_count"] == 1


def code_of(api: Api) -> str:
    found: str = api.get("/billing_entities")["billing_entities"][0]["code"]
    return found


def test_what_an_unstored_invoice_shows(shop: Api) -> None:
    seen = preview(shop, plan_code="adv")
    assert (seen["number"], seen["sequential_id"], seen["file_url"], seen["web_url"]) == ("", None, None, None)
    assert (seen["status"], seen["payment_status"], seen["invoice_type"]) == ("finalized", "pending", "subscription")
    assert {"fees", "credits", "applied_taxes", "customer", "subscriptions"} <= set(seen)
    assert not {"billing_periods", "metadata", "error_details", "applied_invoice_custom_sections"} & set(seen)
    (fee,) = seen["fees"]
    assert (fee["lago_id"], fee["lago_invoice_id"], fee["external_customer_id"]) == (None, None, "c")
    assert "applied_taxes" not in fee
    shop.get(f"/invoices/{seen['lago_id']}", 404)
    assert shop.get("/invoices")["invoices"] == []


def test_a_known_customer_with_other_settings(shop: Api) -> None:
    seen = preview(shop, customer={"external_id": "c", "name": "Other", "timezone": "Asia/Tokyo"}, plan_code="adv")
    assert (seen["customer"]["name"], seen["issuing_date"]) == ("Other", "2025-06-01")
    assert seen["fees"][0]["from_date"] == "2025-05-31T15:00:00+00:00"
    kept = shop.get("/customers/c")["customer"]
    assert (kept["name"], kept["timezone"]) == (None, None)


def test_nulls_are_absent(shop: Api) -> None:
    nothing: dict[str, Any] = {"billing_time": None, "subscription_at": None, "coupons": None, "subscriptions": None}
    assert preview(shop, plan_code="adv", billing_entity_code=None, **nothing)["fees_amount_cents"] == 3000


# -- coupons ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tried", "taken"),
    [
        ([{"code": "fix"}], [1000]),
        ([{"code": "fix", "amount_cents": 300}], [300]),
        ([{"coupon_type": "percentage", "percentage_rate": "10"}, {"code": "fix"}], [300, 1000]),
        ([{"coupon_type": "fixed_amount", "amount_cents": 9999, "amount_currency": "EUR"}], [3000]),
        ([{"coupon_type": "fixed_amount", "amount_cents": 100, "amount_currency": "USD"}], []),
        ([{"code": "plans"}], [1500]),
        ([{"code": "other-plans"}], []),
        ([{"code": "metrics"}], []),
    ],
)
def test_coupons_are_tried(shop: Api, tried: list[dict[str, Any]], taken: list[int]) -> None:
    metric(shop, "calls")
    plan(shop, "other")
    coupon(shop, "fix")
    coupon(shop, "plans", percentage_rate="50", applies_to={"plan_codes": ["adv"]})
    coupon(shop, "other-plans", percentage_rate="50", applies_to={"plan_codes": ["other"]})
    coupon(shop, "metrics", percentage_rate="50", applies_to={"billable_metric_codes": ["calls"]})
    seen = preview(shop, plan_code="adv", coupons=tried)
    assert [credit["amount_cents"] for credit in seen["credits"]] == taken
    assert seen["coupons_amount_cents"] == sum(taken)
    assert seen["payment_status"] == ("succeeded" if sum(taken) == 3000 else "pending")


def test_own_coupons_win(shop: Api) -> None:
    coupon(shop, "fix")
    apply(shop, "fix", "c")
    seen = preview(shop, plan_code="adv", coupons=[{"coupon_type": "percentage", "percentage_rate": "100"}])
    assert [(credit["item"]["code"], credit["amount_cents"]) for credit in seen["credits"]] == [("fix", 1000)]
    assert shop.get("/customers/c/applied_coupons")["applied_coupons"][0]["amount_cents_remaining"] == 1000


# -- the worked example of §18 ------------------------------------------------------------------------


def test_a_minimum_that_usage_does_not_reach(api: Api) -> None:
    api.at("2025-03-01T00:00:00Z")
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 23}})
    customer(api, tax_codes=["vat"])
    calls = metric(api, "calls")
    plan(api, amount_cents=0, charges=[charge(calls, properties={"amount": "16.25"}, min_amount_cents=233700)])
    subscribe(api)
    event(api, "calls")
    seen = preview(api, **of())
    assert [fee["amount_cents"] for fee in seen["fees"] if fee["item"]["type"] == "charge"] == [1625, 232075]
    assert (seen["fees_amount_cents"], seen["taxes_amount_cents"], seen["total_amount_cents"]) == (
        233700,
        53751,
        287451,
    )


# -- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"coupons": {"code": "x"}}, "coupons_must_be_an_array"),
        ({"subscriptions": []}, "subscriptions_must_be_an_object"),
    ],
)
def test_wrong_shapes(shop: Api, body: dict[str, Any], error: str) -> None:
    assert preview(shop, 400, plan_code="p", **body) == {"status": 400, "error": error}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"plan_code": "nope"}, "plan_not_found"),
        ({}, "plan_not_found"),
        ({"customer": {"external_id": "nobody"}, "plan_code": "p"}, "customer_not_found"),
        ({"plan_code": "p", "billing_entity_code": "nope"}, "billing_entity_not_found"),
        ({"plan_code": "p", "coupons": [{"code": "nope"}]}, "coupon_not_found"),
        (of("nope"), "subscription_not_found"),
        (of("s", "nope"), "subscription_not_found"),
        (of("s", plan_code="nope"), "plan_not_found"),
    ],
)
def test_what_is_not_there(shop: Api, body: dict[str, Any], code: str) -> None:
    subscribe(shop)
    assert preview(shop, 404, **body)["code"] == code


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"customer": {}, **of("s")}, {"customer": ["must_be_persisted"]}),
        (of("s", terminated_at="soon"), {"terminated_at": ["invalid_timestamp"]}),
        (of("s", terminated_at="2025-05-31T23:59:59Z"), {"terminated_at": ["cannot_be_in_past"]}),
        (
            of("s", "t", terminated_at="2025-06-05T00:00:00Z"),
            {"subscriptions": ["only_one_subscription_allowed_for_termination"]},
        ),
        (of("s", "t", plan_code="adv"), {"subscriptions": ["only_one_subscription_allowed_for_plan_change"]}),
        (of("s", plan_code="p"), {"base": ["new_plan_should_be_different_from_existing_plan"]}),
        (of("s", "usd"), {"base": ["subscription_currencies_does_not_match"]}),
        (of("s", "week"), {"base": ["billing_periods_does_not_match"]}),
        (of("s", "other"), {"base": ["subscription_billing_entities_do_not_match"]}),
        ({"plan_code": "p", "billing_time": "yearly"}, {"billing_time": ["value_is_invalid"]}),
        ({"plan_code": "p", "subscription_at": "soon"}, {"subscription_at": ["invalid_date"]}),
    ],
)
def test_what_is_refused(shop: Api, body: dict[str, Any], details: dict[str, list[str]]) -> None:
    shop.post("/billing_entities", {"billing_entity": {"code": "second", "name": "Second"}})
    plan(shop, "usd", amount_currency="USD")
    plan(shop, "week", interval="weekly")
    subscribe(shop)
    subscribe(shop, external_id="t")
    subscribe(shop, "usd", external_id="usd")
    subscribe(shop, "week", external_id="week")
    subscribe(shop, external_id="other", billing_entity_code="second")
    assert preview(shop, 422, **body)["error_details"] == details
