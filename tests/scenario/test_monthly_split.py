"""Yearly and semiannual plans with a monthly split: what each tick bills and reports (subscriptions.md §3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric
from tests.support.fixed_charges import fixed, shop
from tests.support.subscriptions import customer, subscribe

#: a plan fee and two fixed charges, one paid in advance
PLAN: dict[str, Any] = {"interval": "yearly", "amount_cents": 36_500}


def year(api: Api, start: str, **more: Any) -> None:
    """A customer with usage on a yearly plan from `start` on."""
    api.at(start)
    of_plan = {name: more.pop(name) for name in list(more) if name != "billing_time"}
    events = charge(metric(api, "m", "sum_agg", field_name="n", recurring=True), properties={"amount": "1"})
    parts = fixed(units=2, price="1"), fixed(units=3, price="1", pay_in_advance=True)
    shop(api, *parts, charges=[events], **{**PLAN, **of_plan})
    customer(api)
    subscribe(api, **more)
    event = {"transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"n": "1"}}
    api.post("/events", {"event": event})


def row(invoice: dict[str, Any]) -> dict[str, Any]:
    """What an invoice bills of each kind, and the windows it reports."""
    (period,) = invoice["billing_periods"]
    return {
        "plan": (period["subscription_from_datetime"], period["subscription_to_datetime"]),
        "usage": (period["charges_from_datetime"], period["charges_to_datetime"]),
        "fixed": (period["fixed_charges_from_datetime"], period["fixed_charges_to_datetime"]),
        "fees": sorted(
            (fee["item"]["type"], fee["pay_in_advance"], fee["from_date"][:10], fee["to_date"][:10])
            for fee in invoice["fees"]
        ),
    }


def at_ticks(api: Api, until: str) -> dict[str, dict[str, Any]]:
    """issuing date -> what the invoice of that tick bills."""
    api.at(until)
    ticks = [one for one in invoices(api) if one["billing_periods"][0]["invoicing_reason"] == "subscription_periodic"]
    return {one["issuing_date"]: row(one) for one in ticks}


def test_usage_monthly_in_arrears(api: Api) -> None:
    year(api, "2023-02-14T10:00:00Z", bill_charges_monthly=True)
    found = at_ticks(api, "2024-02-01T00:00:00Z")
    assert len(found) == 12
    assert found["2023-03-01"] == {
        "plan": ("2023-02-14T00:00:00Z", "2023-02-14T10:00:00Z"),
        "usage": ("2023-02-14T10:00:00Z", "2023-02-28T23:59:59Z"),
        "fixed": (None, None),
        "fees": [("charge", False, "2023-02-14", "2023-02-28")],
    }
    assert found["2023-06-01"]["plan"] == ("2023-02-14T00:00:00Z", "2023-02-14T10:00:00Z")
    assert found["2023-06-01"]["usage"] == ("2023-05-01T00:00:00Z", "2023-05-31T23:59:59Z")
    assert found["2024-01-01"] == {
        "plan": ("2023-02-14T00:00:00Z", "2023-12-31T23:59:59Z"),
        "usage": ("2023-12-01T00:00:00Z", "2023-12-31T23:59:59Z"),
        "fixed": ("2023-02-14T10:00:00Z", "2023-12-31T23:59:59Z"),
        "fees": [
            ("charge", False, "2023-12-01", "2023-12-31"),
            ("fixed_charge", False, "2023-02-14", "2023-12-31"),
            ("fixed_charge", True, "2024-01-01", "2024-12-31"),
            ("subscription", False, "2023-02-14", "2023-12-31"),
        ],
    }
    assert found["2024-02-01"]["plan"] == ("2023-02-14T00:00:00Z", "2023-12-31T23:59:59Z")
    assert found["2024-02-01"]["fees"] == [("charge", False, "2024-01-01", "2024-01-31")]


def test_everything_monthly_in_advance(api: Api) -> None:
    both = {"bill_charges_monthly": True, "bill_fixed_charges_monthly": True}
    year(api, "2024-01-31T01:00:00Z", pay_in_advance=True, billing_time="anniversary", **both)
    found = at_ticks(api, "2025-01-31T00:00:00Z")
    start = row(invoices(api)[0])
    assert start["plan"] == ("2024-01-31T00:00:00Z", "2025-01-30T23:59:59Z")
    assert start["fees"] == [
        ("fixed_charge", True, "2024-01-31", "2024-02-28"),
        ("subscription", True, "2024-01-31", "2025-01-30"),
    ]
    assert list(found)[:3] == ["2024-02-29", "2024-03-31", "2024-04-30"]
    assert found["2024-02-29"] == {
        "plan": ("2024-01-31T00:00:00Z", "2025-01-30T23:59:59Z"),
        "usage": ("2024-01-31T01:00:00Z", "2024-02-28T23:59:59Z"),
        "fixed": ("2024-01-31T01:00:00Z", "2024-02-28T23:59:59Z"),
        "fees": [
            ("charge", False, "2024-01-31", "2024-02-28"),
            ("fixed_charge", False, "2024-01-31", "2024-02-28"),
            ("fixed_charge", True, "2024-02-29", "2024-03-30"),
        ],
    }
    assert found["2024-03-31"]["usage"] == ("2024-02-29T00:00:00Z", "2024-03-30T23:59:59Z")
    last = found["2025-01-31"]
    assert last["plan"] == ("2025-01-31T00:00:00Z", "2026-01-30T23:59:59Z")
    assert last["usage"] == last["fixed"] == ("2024-12-31T00:00:00Z", "2025-01-30T23:59:59Z")
    assert ("subscription", True, "2025-01-31", "2026-01-30") in last["fees"]


def test_fixed_charges_monthly_leave_usage_to_the_half_year(api: Api) -> None:
    year(api, "2024-01-01T00:00:00Z", interval="semiannual", bill_fixed_charges_monthly=True)
    found = at_ticks(api, "2024-07-01T00:00:00Z")
    assert [kind for kind, *_ in found["2024-02-01"]["fees"]] == ["fixed_charge", "fixed_charge"]
    assert [fee for fee in found["2024-07-01"]["fees"] if fee[0] == "charge"] == [
        ("charge", False, "2024-01-01", "2024-06-30")
    ]
    assert ("fixed_charge", False, "2024-06-01", "2024-06-30") in found["2024-07-01"]["fees"]
    assert ("subscription", False, "2024-01-01", "2024-06-30") in found["2024-07-01"]["fees"]


@pytest.mark.parametrize("billing_time", ["calendar", "anniversary"])
def test_a_backdated_advance_plan_waits_for_its_year(api: Api, billing_time: str) -> None:
    """The year that ran when it was made is never billed, whatever its ticks split (§3.4)."""
    api.at("2024-03-15T12:00:00Z")
    shop(api, interval="yearly", amount_cents=36_500, pay_in_advance=True, bill_charges_monthly=True)
    customer(api)
    subscribe(api, subscription_at="2024-01-01T00:00:00Z", billing_time=billing_time)
    api.at("2025-01-01T00:00:00Z")
    fees = [(one["issuing_date"], fee["amount_cents"]) for one in invoices(api) for fee in one["fees"]]
    assert fees == [("2025-01-01", 36_500)]
