"""Windows and fees of rows that end: by request, by an upgrade, on a billing day (subscriptions.md §3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric, plan
from tests.support.fixed_charges import cents
from tests.support.subscriptions import customer, subscribe

START, END = "2024-01-17T10:00:00Z", "2024-05-09T15:30:00Z"
Z = "T00:00:00Z"
TERMINATING = "subscription_terminating"


def world(api: Api, end: str = END, zone: str = "UTC", start: str = START, **of: Any) -> None:
    """A subscription with usage on a plan of 10000 that runs until `end`."""
    api.at(start)
    billing_time = of.pop("billing_time", "calendar")
    events = charge(metric(api), properties={"amount": "1"})
    plan(api, **{"amount_cents": 10_000, "charges": [events], **of})
    customer(api, timezone=zone)
    subscribe(api, billing_time=billing_time)
    api.at(end)


def last(api: Api) -> tuple[tuple[str, str], tuple[str, str], list[int]]:
    """Windows of plan and usage and the plan fees of the closing invoice."""
    (invoice,) = [
        one for one in invoices(api) if any(row["invoicing_reason"] == TERMINATING for row in one["billing_periods"])
    ]
    (period,) = [one for one in invoice["billing_periods"] if one["invoicing_reason"] == TERMINATING]
    return (
        (period["subscription_from_datetime"], period["subscription_to_datetime"]),
        (period["charges_from_datetime"], period["charges_to_datetime"]),
        cents(invoice, "subscription"),
    )


@pytest.mark.parametrize(
    ("of", "plan_from", "usage_from", "fee"),
    [
        ({}, "2024-05-01" + Z, "2024-05-01" + Z, [2903]),
        ({"billing_time": "anniversary"}, "2024-04-17" + Z, "2024-04-17" + Z, [7667]),
        ({"billing_time": "anniversary", "interval": "yearly"}, "2024-01-17" + Z, START, [3115]),
        ({"pay_in_advance": True}, "2024-05-01" + Z, "2024-05-01" + Z, []),
        ({"interval": "weekly"}, "2024-05-06" + Z, "2024-05-06" + Z, [5714]),
        ({"interval": "quarterly"}, "2024-04-01" + Z, "2024-04-01" + Z, [4286]),
        ({"interval": "yearly", "bill_charges_monthly": True}, "2024-01-17" + Z, "2024-05-01" + Z, [3115]),
    ],
)
def test_termination(api: Api, of: dict[str, Any], plan_from: str, usage_from: str, fee: list[int]) -> None:
    world(api, **of)
    api.delete("/subscriptions/s")
    assert last(api) == ((plan_from, END), (usage_from, END), fee)


def test_upgrade(api: Api) -> None:
    """The old row without the day of the upgrade, the new one from that day on."""
    world(api)
    plan(api, "dear", amount_cents=20_000, pay_in_advance=True)
    subscribe(api, "dear")
    (invoice,) = [one for one in invoices(api) if len(one["billing_periods"]) == 2]
    assert sorted(cents(invoice, "subscription")) == [2581, 14_839]
    reasons = {one["invoicing_reason"]: one for one in invoice["billing_periods"]}
    new = reasons["subscription_starting"]
    assert (new["subscription_from_datetime"], new["subscription_to_datetime"]) == (
        "2024-05-09" + Z,
        "2024-05-31T23:59:59Z",
    )
    assert reasons["subscription_terminating"]["charges_to_datetime"] == END


def test_downgrade_at_a_tick(api: Api) -> None:
    world(api)
    plan(api, "cheap", amount_cents=100, pay_in_advance=True)
    subscribe(api, "cheap")
    api.at("2024-06-01T00:00:00Z")
    assert last(api) == (
        ("2024-05-01" + Z, "2024-05-31T23:59:59Z"),
        ("2024-05-01" + Z, "2024-05-31T23:59:59Z"),
        [10_000, 100],
    )


def test_the_day_of_an_end_on_a_tick_is_given_away(api: Api) -> None:
    """Paris, anniversary on the fifth, `ending_at` 5 October: September's period whole, and no day more."""
    start = "2023-08-05T08:00:00Z"
    api.at(start)
    plan(api, amount_cents=1000)
    customer(api, timezone="Europe/Paris")
    subscribe(api, billing_time="anniversary", ending_at="2023-10-05T00:00:00Z")
    api.at("2023-10-06T00:00:00Z")
    assert last(api)[0] == ("2023-09-04T22:00:00Z", "2023-10-04T21:59:59Z")
    assert last(api)[2] == [1000]


def test_after_the_tick_was_billed_one_day_is(api: Api) -> None:
    world(api, end="2024-05-01T08:00:00Z")
    api.delete("/subscriptions/s")
    assert last(api) == (("2024-05-01" + Z, "2024-05-01T08:00:00Z"), ("2024-05-01" + Z, "2024-05-01T08:00:00Z"), [323])


@pytest.mark.parametrize(
    ("zone", "start", "end", "fees"),
    [
        # 10 March and 10 November: days of New York, one of 23 hours, one of 25
        ("America/New_York", "2024-02-10T12:00:00Z", "2024-03-10T20:00:00Z", [3000, 97]),
        ("America/New_York", "2024-10-10T12:00:00Z", "2024-11-10T20:00:00Z", [3000, 100]),
        ("Europe/Paris", "2024-03-15T12:00:00Z", "2024-03-31T23:30:00Z", [1645, 100]),  # 1 April there, clocks changed
        ("Pacific/Auckland", "2024-01-31T12:00:00Z", "2024-02-28T12:00:00Z", [3000 * 29 // 29]),
        ("Pacific/Pago_Pago", "2024-03-01T10:00:00Z", "2024-04-01T10:00:00Z", [103, 3000]),
    ],
)
def test_days_are_days_of_the_customer(api: Api, zone: str, start: str, end: str, fees: list[int]) -> None:
    anniversary = "anniversary" if "York" in zone else "calendar"
    world(api, end=end, zone=zone, start=start, amount_cents=3000, billing_time=anniversary)
    api.delete("/subscriptions/s")
    assert [fee for invoice in invoices(api) for fee in cents(invoice, "subscription")] == fees
