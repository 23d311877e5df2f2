"""Minimum commitments over time: ticks, ends, changes of plan, splits (the table of subscriptions.md §4.7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import add_on, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.fixed_charges import cents, fixed
from tests.support.subscriptions import customer, subscribe


def committed(api: Api, amount: int = 1_000_000, code: str = "p", **more: Any) -> dict[str, Any]:
    """A plan with a commitment."""
    return plan(api, code, minimum_commitment={"amount_cents": amount}, **more)


def started(api: Api, moment: str, **more: Any) -> Api:
    """A subscription to a plan with a commitment, running since `moment`."""
    api.at(moment)
    committed(api, **more)
    customer(api)
    subscribe(api)
    return api


def commitment(invoice: dict[str, Any]) -> list[int]:
    """What the invoice adds to reach the commitment."""
    return cents(invoice, "commitment")


# interval, plan fee, start, tick, plan fee of the period, commitment fee
ROWS = [
    ("weekly", 100_000, "2024-02-14T10:00:00Z", "2024-02-19T00:00:00Z", 71_429, 642_857),
    ("monthly", 100_000, "2023-02-04T10:00:00Z", "2023-03-01T00:00:00Z", 89_286, 803_571),
    ("yearly", 100_000, "2022-02-01T10:00:00Z", "2023-01-01T00:00:00Z", 91_507, 823_561),
]


@pytest.mark.parametrize(("interval", "price", "start", "tick", "plan_fee", "fee"), ROWS)
def test_first_periods_in_arrears(
    api: Api, interval: str, price: int, start: str, tick: str, plan_fee: int, fee: int
) -> None:
    started(api, start, interval=interval, amount_cents=price)
    api.at(tick)
    invoice = one_invoice(api)
    assert cents(invoice, "subscription") == [plan_fee]
    assert commitment(invoice) == [fee]
    assert [row["item"]["type"] for row in invoice["fees"]] == ["subscription", "commitment"]


def test_how_the_fee_looks(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", amount_cents=100)
    api.put("/plans/p", {"plan": {"minimum_commitment": {"amount_cents": 5000, "invoice_display_name": "At least"}}})
    api.at("2025-02-01T00:00:00Z")
    (fee,) = [row for row in one_invoice(api)["fees"] if row["item"]["type"] == "commitment"]
    assert fee["item"] == {
        "type": "commitment",
        "code": "p",
        "name": "p",
        "description": None,
        "invoice_display_name": "At least",
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": api.get("/subscriptions/s")["subscription"]["lago_id"],
        "item_type": "Subscription",
        "grouped_by": {},
    }
    assert (fee["units"], fee["amount_cents"], fee["precise_unit_amount"]) == ("1.0", 4900, "49.0")
    assert fee["pay_in_advance"] is False
    assert "from_date" not in fee


def test_the_default_name_and_reached_commitments(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", amount=5000, amount_cents=4999)
    api.at("2025-02-01T00:00:00Z")
    fee = one_invoice(api)["fees"][1]
    assert (fee["amount_cents"], fee["item"]["invoice_display_name"]) == (1, "Minimum commitment")
    api.put("/plans/p", {"plan": {"amount_cents": 5000}})
    api.at("2025-03-01T00:00:00Z")
    assert commitment(invoices(api)[1]) == []


def test_in_advance_the_next_invoice_reconciles(api: Api) -> None:
    api.at("2024-02-28T00:00:00Z")
    calls = metric(api, "calls")
    prices = ("2500", "3000", "1500")
    committed(
        api,
        amount_cents=10_000,
        pay_in_advance=True,
        charges=[charge(calls, properties={"amount": str(int(price) // 100)}) for price in prices],
    )
    customer(api)
    subscribe(api)
    first = one_invoice(api)
    assert (cents(first, "subscription"), commitment(first)) == ([690], [])
    api.post("/events", {"event": {"transaction_id": "t", "external_subscription_id": "s", "code": "calls"}})
    api.at("2024-03-01T00:00:00Z")
    second = invoices(api)[1]
    assert cents(second, "charge") == [2500, 3000, 1500]
    assert commitment(second) == [61_276]
    api.at("2024-04-01T00:00:00Z")
    assert commitment(invoices(api)[2]) == [990_000]
    api.at("2024-04-10T12:00:00Z")
    api.delete("/subscriptions/s")
    # 10 of 30 days of April, whose whole plan fee was paid
    assert commitment(invoices(api)[3]) == [323_333]


def test_a_draft_stays_as_it_was(api: Api) -> None:
    api.at("2024-02-28T00:00:00Z")
    committed(api, amount_cents=10_000, pay_in_advance=True)
    customer(api, billing_configuration={"invoice_grace_period": 10})
    subscribe(api)
    api.at("2024-03-01T00:00:00Z")
    drafts = invoices(api)
    assert [commitment(row) for row in drafts] == [[], [68_966 - 690]]
    for row, expected in zip(drafts, ([], [68_276]), strict=True):
        assert commitment(api.put(f"/invoices/{row['lago_id']}/refresh")["invoice"]) == expected


def test_termination_in_arrears(api: Api) -> None:
    started(api, "2024-01-17T10:00:00Z", amount_cents=10_000)
    api.at("2024-06-09T15:30:00Z")
    api.delete("/subscriptions/s")
    last = invoices(api)[-1]
    assert (cents(last, "subscription"), commitment(last)) == ([3000], [297_000])


def test_termination_on_a_billing_day_gives_it_away(api: Api) -> None:
    api.at("2024-05-15T00:00:00Z")
    committed(api, amount_cents=10_000, pay_in_advance=True)
    customer(api)
    subscribe(api, ending_at="2024-07-01T00:00:00Z")
    api.at("2024-07-01T06:00:00Z")
    assert [commitment(row) for row in invoices(api)] == [[], [548_387 - 5484], [990_000]]


def test_a_downgrade_reconciles_the_whole_period(api: Api) -> None:
    started(api, "2024-05-01T00:00:00Z", amount_cents=10_000)
    plan(api, "small", amount_cents=5000)
    api.at("2024-05-10T00:00:00Z")
    subscribe(api, "small")
    api.at("2024-06-01T00:00:00Z")
    invoice = one_invoice(api)
    assert (cents(invoice, "subscription"), commitment(invoice)) == ([10_000], [990_000])


def test_an_upgrade_counts_its_day(api: Api) -> None:
    started(api, "2024-06-01T00:00:00Z", amount=300_000, amount_cents=3000)
    plan(api, "large", amount_cents=6000)
    api.at("2024-06-11T12:00:00Z")
    subscribe(api, "large")
    invoice = one_invoice(api)
    assert (cents(invoice, "subscription"), commitment(invoice)) == ([1000], [109_000])


def test_a_split_year_is_reconciled_once_over_all_its_invoices(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    calls = metric(api, "calls")
    add_on(api, "seat", 1000)
    committed(
        api,
        amount=100_000,
        interval="yearly",
        amount_cents=12_000,
        bill_charges_monthly=True,
        bill_fixed_charges_monthly=True,
        charges=[charge(calls, properties={"amount": "5"})],
        fixed_charges=[fixed(units=1), fixed(units=1, price="20", pay_in_advance=True)],
    )
    customer(api)
    subscribe(api)
    for month in (1, 5):
        api.at(f"2025-0{month}-10T00:00:00Z")
        body = {"transaction_id": f"t{month}", "external_subscription_id": "s", "code": "calls"}
        api.post("/events", {"event": body})
    api.at("2026-01-01T00:00:00Z")
    found = invoices(api)
    assert [commitment(row) for row in found[:-1]] == [[]] * 12
    # 12 000 for the plan, 2 × 500 for usage, 12 × 1000 in arrears, 12 × 2000 in advance
    assert commitment(found[-1]) == [100_000 - 12_000 - 1000 - 12_000 - 24_000]


def test_coupons_do_not_count_and_taxes_are_the_commitments_own(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    for code, rate in (("low", 5), ("high", 20)):
        api.post("/taxes", {"tax": {"name": code, "code": code, "rate": rate}})
    plan(api, amount_cents=1000, minimum_commitment={"amount_cents": 5000, "tax_codes": ["high"]}, tax_codes=["low"])
    customer(api)
    subscribe(api)
    coupon = {"name": "c", "code": "c", "coupon_type": "fixed_amount", "amount_cents": 500, "amount_currency": "EUR"}
    api.post("/coupons", {"coupon": {**coupon, "frequency": "once", "expiration": "no_expiration"}})
    api.post("/applied_coupons", {"applied_coupon": {"external_customer_id": "c", "coupon_code": "c"}})
    api.at("2025-02-01T00:00:00Z")
    invoice = one_invoice(api)
    assert commitment(invoice) == [4000]
    assert [fee["taxes_rate"] for fee in invoice["fees"]] == [5.0, 20.0]
