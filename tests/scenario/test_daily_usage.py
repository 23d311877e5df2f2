"""Snapshots of usage, told by the clock and read as reports (metering.md §11, api.md §13)."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, subscribe


def send(api: Api, number: int, units: Any, code: str = "calls", of: str = "s", **more: Any) -> None:
    body = {
        "transaction_id": f"{of}-{number}",
        "external_subscription_id": of,
        "code": code,
        "properties": {"n": units},
    }
    api.post("/events", {"event": {**body, **more}})


def report(api: Api, **params: Any) -> list[tuple[str, str, str, str, int]]:
    return [
        (
            row["start_of_period_dt"],
            row["end_of_period_dt"],
            row["billable_metric_code"],
            row["units"],
            row["amount_cents"],
        )
        for row in api.get("/analytics/usage", **params)["usages"]
    ]


def sell(api: Api, **of_customer: Any) -> None:
    """Calls in arrears, seats that are carried, messages in advance."""
    api.at("2025-06-01T00:00:00Z")
    calls = metric(api, "calls", "sum_agg", field_name="n")
    seats = metric(api, "seats", "sum_agg", field_name="n", recurring=True)
    messages = metric(api, "messages", "count_agg")
    plan(
        api,
        amount_cents=0,
        charges=[
            charge(calls, properties={"amount": "0.10"}),
            charge(seats, properties={"amount": "30"}, prorated=True),
            charge(messages, properties={"amount": "1"}, pay_in_advance=True),
        ],
    )
    customer(api, currency="EUR", country="FR", **of_customer)
    subscribe(api)


def test_each_day_shows_what_it_added(api: Api) -> None:
    sell(api)
    api.at("2025-06-03T10:00:00Z")
    send(api, 1, 10)
    send(api, 2, 3, "seats")
    api.at("2025-06-03T23:30:00Z")
    send(api, 3, 5)
    api.at("2025-06-04T09:00:00Z")
    send(api, 4, None, "messages")
    assert report(api) == [
        ("2025-06-03", "2025-06-03", "calls", "15.0", 150),
        ("2025-06-03", "2025-06-03", "seats", "3.0", 8400),
    ]
    api.at("2025-06-05T01:00:00Z")
    assert report(api, from_date="2025-06-04") == [("2025-06-04", "2025-06-04", "messages", "1.0", 100)]
    (row, *_) = api.get("/analytics/usage")["usages"]
    assert row["organization_id"] == api.organization["lago_id"]
    assert (row["amount_currency"], row["is_billable_metric_deleted"]) == ("EUR", False)


def test_days_of_a_period_add_up_to_its_invoice(api: Api) -> None:
    sell(api)
    for day, units in ((3, 10), (30, 7)):
        api.at(f"2025-06-{day:02d}T10:00:00Z")
        send(api, day, units)
    api.at("2025-06-30T23:59:00Z")
    send(api, 99, 2, "seats")
    api.at("2025-07-05T00:00:00Z")
    invoice = api.get("/invoices")["invoices"][0]
    june = report(api, to_date="2025-06-30")
    assert [row[0] for row in june] == ["2025-06-03", "2025-06-30", "2025-06-30"]
    assert sum(row[4] for row in june) == invoice["fees_amount_cents"] == 170 + 200
    # carried units are those of the first day of July
    assert report(api, from_date="2025-07-01") == [("2025-07-01", "2025-07-01", "seats", "2.0", 6000)]
    assert report(api, time_granularity="monthly") == [
        ("2025-06-01", "2025-06-30", "calls", "17.0", 170),
        ("2025-06-01", "2025-06-30", "seats", "2.0", 200),
        ("2025-07-01", "2025-07-31", "seats", "2.0", 6000),
    ]
    assert report(api, time_granularity="weekly", billable_metric_code="calls") == [
        ("2025-06-02", "2025-06-08", "calls", "10.0", 100),
        ("2025-06-30", "2025-07-06", "calls", "7.0", 70),
    ]


def test_days_are_those_of_the_customer(api: Api) -> None:
    sell(api, timezone="America/New_York")
    api.at("2025-06-04T02:00:00Z")
    send(api, 1, 10)
    api.at("2025-06-04T03:59:00Z")
    assert report(api) == []
    api.at("2025-06-04T05:00:00Z")
    assert report(api) == [("2025-06-03", "2025-06-03", "calls", "10.0", 100)]


def test_the_last_day_of_a_subscription(api: Api) -> None:
    sell(api)
    api.at("2025-06-03T10:00:00Z")
    send(api, 1, 10)
    api.at("2025-06-03T11:30:00Z")
    api.delete("/subscriptions/s")
    api.at("2025-06-05T00:00:00Z")
    assert report(api) == [("2025-06-03", "2025-06-03", "calls", "10.0", 100)]


def test_what_an_end_takes_off_the_period_shows_on_the_last_day(api: Api) -> None:
    """Seats of a whole month, 2 x 30.00, become those of ten days; the sum of the days is what was invoiced."""
    sell(api)
    send(api, 1, 2, "seats")
    api.at("2025-06-10T11:30:00Z")
    api.delete("/subscriptions/s")
    api.at("2025-06-12T00:00:00Z")
    assert report(api) == [
        ("2025-06-01", "2025-06-01", "seats", "2.0", 6000),
        ("2025-06-10", "2025-06-10", "seats", "0.0", -4000),
    ]


def test_reports_are_narrowed(api: Api) -> None:
    sell(api)
    customer(api, "d", currency="EUR", country="DE")
    subscribe(api, of="d", external_id="t")
    api.at("2025-06-03T10:00:00Z")
    send(api, 1, 10)
    send(api, 2, 1, "seats", of="t")
    api.at("2025-06-04T01:00:00Z")
    calls, seats = report(api)
    for params, expected in (
        ({"external_customer_id": "d"}, [seats]),
        ({"external_subscription_id": "s"}, [calls]),
        ({"customer_country": "fr"}, [calls]),
        ({"is_billable_metric_recurring": "true"}, [seats]),
        ({"billable_metric_code": "calls"}, [calls]),
        ({"plan_code": "p", "currency": "eur"}, [calls, seats]),
        ({"currency": "USD"}, []),
        ({"to_date": "2025-06-02"}, []),
    ):
        assert report(api, **params) == expected, params
    api.delete("/billable_metrics/calls")
    (gone,) = api.get("/analytics/usage", billable_metric_code="calls")["usages"]
    assert gone["is_billable_metric_deleted"] is True
