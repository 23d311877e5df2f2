"""Previews and regenerations with bodies that nobody should send: refused or answered, never a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.catalog import plan
from tests.support.subscriptions import customer, subscribe

ANSWERED = (200, 400, 404, 405, 422)


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer with a subscription and a voided invoice."""
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR")
    plan(api, amount_cents=3000, pay_in_advance=True)
    subscribe(api)
    add_on(api)
    return api


@pytest.mark.parametrize(
    "body",
    [
        {"customer": []},
        {"customer": {"external_id": {}, "timezone": "Mars/Olympus"}},
        {"customer": {"external_id": "c", "shipping_address": 1, "integration_customers": [1, None]}},
        {"subscriptions": {"external_ids": [1, None, {}, ["s"]]}},
        {"subscriptions": {"external_ids": "s", "terminated_at": 5}},
        {"subscriptions": {"external_ids": ["s"], "terminated_at": "8999-12-31T23:59:59Z"}},
        {"subscriptions": {"external_ids": ["s"], "terminated_at": []}},
        {"plan_code": 5, "coupons": [1, None, [], {}]},
        {"plan_code": "p", "coupons": [{"coupon_type": "percentage", "percentage_rate": "1e400"}]},
        {"plan_code": "p", "coupons": [{"coupon_type": "percentage", "percentage_rate": "-50"}]},
        {
            "plan_code": "p",
            "coupons": [{"coupon_type": "fixed_amount", "amount_cents": 10**18, "amount_currency": "EUR"}],
        },
        {"plan_code": "p", "coupons": [{"coupon_type": "fixed_amount", "amount_cents": -5, "amount_currency": "EUR"}]},
        {"plan_code": "p", "subscription_at": "8999-12-31T23:59:59Z"},
        {"plan_code": "p", "subscription_at": "1900-01-01", "billing_time": "anniversary"},
    ],
)
def test_previews(shop: Api, body: dict[str, Any]) -> None:
    seen = shop.post("/invoices/preview", {"customer": {"external_id": "c"}, **body}, ANSWERED)
    if "invoice" in seen:
        assert 0 <= seen["invoice"]["coupons_amount_cents"] <= seen["invoice"]["fees_amount_cents"]


def test_regenerations(shop: Api) -> None:
    made = bill_once(shop)
    path = f"/invoices/{made['lago_id']}"
    shop.post(f"{path}/void")
    line = {"id": made["fees"][0]["lago_id"]}
    bodies: list[Any] = [[1, None], {}, "x", [{"id": []}], [{**line, "units": "1e300"}], [{**line, "units": "NaN"}]]
    for fees in bodies:
        shop.post(f"{path}/regenerate", {"fees": fees}, ANSWERED[1:])
    corrections: list[dict[str, Any]] = [{"units": "1e300"}, {"fee_id": 5}, {"units": []}]
    for sent in corrections:
        shop.post(f"{path}/adjusted_fees", {"adjusted_fee": sent}, (*ANSWERED, 403))
