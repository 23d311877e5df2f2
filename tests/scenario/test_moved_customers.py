"""Customers who move to another time zone: ticks go to the new midnight, nothing is billed twice, nothing is missed.

subscriptions.md §3.7; readings in docs/decisions/0008.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric, plan
from tests.support.fixed_charges import fixed, shop
from tests.support.subscriptions import change, customer, subscribe

ANNIVERSARY = {"billing_time": "anniversary"}


def of(api: Api, kind: str = "subscription") -> list[tuple[str, str, int]]:
    """(first instant, last instant, cents) of the fees of a kind, oldest first."""
    return [
        (fee["from_date"][:19], fee["to_date"][:19], fee["amount_cents"])
        for invoice in invoices(api)
        for fee in invoice["fees"]
        if fee["item"]["type"] == kind
    ]


def use(api: Api, moment: str) -> None:
    """One event."""
    timestamp = int(dt.datetime.fromisoformat(moment).timestamp())
    event = {"transaction_id": moment, "external_subscription_id": "s", "code": "m", "timestamp": timestamp}
    api.post("/events", {"event": event})


def used(api: Api, **more: Any) -> None:
    """A customer in UTC on a monthly plan whose events cost 1 each."""
    api.at("2024-02-01T00:00:00Z")
    events = charge(metric(api), properties={"amount": "1"})
    shop(api, fixed(units=10, price="1"), charges=[events], **{"amount_cents": 3100, **more})
    customer(api, timezone="UTC")
    subscribe(api)


def test_usage_and_fixed_charges_go_on_where_they_stopped(api: Api) -> None:
    used(api)
    api.at("2024-03-10T00:00:00Z")
    customer(api, timezone="America/New_York")
    use(api, "2024-03-01T02:00:00Z")  # after the end of February in UTC, before it in New York
    api.at("2024-04-01T04:00:00Z")
    assert of(api) == [
        ("2024-02-01T00:00:00", "2024-02-29T23:59:59", 3100),
        ("2024-03-01T05:00:00", "2024-04-01T03:59:59", 3100),
    ]
    assert of(api, "charge") == [("2024-03-01T00:00:00", "2024-04-01T03:59:59", 100)]
    assert [row[0] for row in of(api, "fixed_charge")] == ["2024-02-01T00:00:00", "2024-03-01T00:00:00"]


def test_an_end_between_two_midnights_bills_only_what_was_used_since(api: Api) -> None:
    """1 April was billed in UTC; where the customer is now it is still 31 March."""
    used(api, minimum_commitment={"amount_cents": 10_000})
    api.at("2024-04-01T01:00:00Z")
    customer(api, timezone="America/New_York")
    use(api, "2024-04-01T02:00:00Z")
    api.at("2024-04-01T03:00:00Z")
    billed = len(invoices(api))
    api.delete("/subscriptions/s")
    (last,) = invoices(api)[billed:]
    assert [(fee["item"]["type"], fee["amount_cents"]) for fee in last["fees"]] == [("charge", 100)]


@pytest.mark.parametrize(
    ("start", "moved_at", "zone"),
    [
        ("2024-03-01T02:00:00Z", "2024-03-01T03:00:00Z", "America/New_York"),  # 1 March comes once more
        ("2024-03-01T12:00:00Z", "2024-03-31T20:00:00Z", "Asia/Tokyo"),  # 1 April has begun hours ago
    ],
)
def test_an_advance_plan_pays_a_month_once(api: Api, start: str, moved_at: str, zone: str) -> None:
    api.at(start)
    shop(api, fixed(units=10, price="1", pay_in_advance=True), amount_cents=3100, pay_in_advance=True)
    customer(api, timezone="UTC")
    subscribe(api)
    api.at(moved_at)
    customer(api, timezone=zone)
    api.at("2024-05-02T00:00:00Z")
    assert [cents for _, _, cents in of(api)] == [3100, 3100, 3100]
    assert [cents for _, _, cents in of(api, "fixed_charge")] == [1000, 1000, 1000]


def test_an_anchor_that_changes_its_date(api: Api) -> None:
    """23:30 on 31 January in UTC is 1 February in Tokyo: the tick after 29 February is 1 April."""
    api.at("2024-01-31T23:30:00Z")
    plan(api, amount_cents=3100, charges=[charge(metric(api), properties={"amount": "1"})])
    customer(api, timezone="UTC")
    subscribe(api, **ANNIVERSARY)
    api.at("2024-02-29T02:00:00Z")
    customer(api, timezone="Asia/Tokyo")
    use(api, "2024-02-29T01:00:00Z")
    api.at("2024-04-01T00:00:00Z")
    assert of(api) == [
        ("2024-01-31T00:00:00", "2024-02-28T23:59:59", 3100),
        ("2024-02-29T15:00:00", "2024-03-31T14:59:59", 3100),
    ]
    assert of(api, "charge") == [("2024-02-29T00:00:00", "2024-03-31T14:59:59", 100)]


def test_units_raised_after_a_move_are_the_difference(api: Api) -> None:
    api.at("2024-03-01T00:00:00Z")
    made = shop(api, fixed(units=10, price="1", pay_in_advance=True))
    customer(api, timezone="UTC")
    subscribe(api)
    api.at("2024-03-10T00:00:00Z")
    customer(api, timezone="America/New_York")
    asked = {"id": made["fixed_charges"][0]["lago_id"], "units": "15", "apply_units_immediately": True}
    change(api, plan_overrides={"fixed_charges": [asked]})
    assert [cents for _, _, cents in of(api, "fixed_charge")] == [1000, 500]


@pytest.mark.parametrize(
    ("zone", "moved_at", "first", "last"),
    [
        ("America/New_York", "2024-03-10T00:00:00Z", "2024-03-01T02:00:00Z", "2024-04-01T03:59:59Z"),
        ("Asia/Tokyo", "2024-03-10T00:00:00Z", "2024-03-01T02:00:00Z", "2024-03-31T14:59:59Z"),
        (
            "America/New_York",
            "2024-03-01T03:00:00Z",
            "2024-03-01T02:00:00Z",
            "2024-04-01T03:59:59Z",
        ),  # 29 February there
    ],
)
def test_current_usage_is_what_the_next_invoice_bills(
    api: Api, zone: str, moved_at: str, first: str, last: str
) -> None:
    """Neither what February's invoice billed nor less than what March's will bill."""
    used(api)
    use(api, "2024-02-29T23:00:00Z")
    use(api, first)
    api.at(moved_at)
    customer(api, timezone=zone)
    usage = api.get("/customers/c/current_usage", external_subscription_id="s")["customer_usage"]
    assert (usage["from_datetime"], usage["to_datetime"]) == ("2024-03-01T00:00:00Z", last)
    assert usage["amount_cents"] == 100
    api.at("2024-04-02T00:00:00Z")
    assert [row[2] for row in of(api, "charge")] == [100, 100]
