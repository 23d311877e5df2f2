"""Charges paid in advance, told by the clock: what each event costs (metering.md §6.3, §6.5, rating.md §12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.advance import dec, fee_of, fees, sell, send, usage
from tests.support.api import Api
from tests.support.billing import invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, subscribe

GRADUATED = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "2", "flat_amount": "5"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "1", "flat_amount": "3"},
]
BY_PERCENT = [
    {"from_value": 0, "to_value": 100, "rate": "20", "flat_amount": "10"},
    {"from_value": 101, "to_value": 200, "rate": "30", "flat_amount": "7"},
    {"from_value": 201, "to_value": None, "rate": "40", "flat_amount": "5"},
]


def cents(api: Api, values: list[Any]) -> list[int]:
    """What events with these values cost, sent one after the other."""
    return [fee_of(api, send(api, value))["amount_cents"] for value in values]


def test_a_sum_that_falls_and_rises(api: Api) -> None:
    sell(api)
    rows = [fee_of(api, send(api, value)) for value in (10, -4, 8, -20, 5, 30)]
    assert [(row["units"], row["amount_cents"], row["precise_unit_amount"]) for row in rows] == [
        ("10.0", 1000, "1.0"),
        ("0.0", 0, "0.0"),
        ("4.0", 400, "1.0"),
        ("0.0", 0, "0.0"),
        ("5.0", 0, "0.0"),
        ("15.0", 1500, "1.0"),
    ]
    assert usage(api)["units"] == "29.0"
    assert usage(api)["amount_cents"] == 2900


def test_texts_that_come_and_go(api: Api) -> None:
    sell(api, "unique_count", properties={"amount": "12"})
    steps = [("add", "a"), ("remove", "a"), ("add", "a"), ("add", "b"), ("add", "b"), ("remove", "z"), ("add", "c")]
    rows = [fee_of(api, send(api, text, operation_type=operation)) for operation, text in steps]
    assert [(row["units"], row["amount_cents"]) for row in rows] == [
        ("1.0", 1200),
        ("0.0", 0),
        ("1.0", 0),
        ("1.0", 1200),
        ("0.0", 0),
        ("0.0", 0),
        ("1.0", 1200),
    ]


def test_counted_events(api: Api) -> None:
    sell(api, "count", "package", {"amount": "5", "package_size": 2, "free_units": 1})
    assert cents(api, [None, None, None, None]) == [0, 500, 0, 500]


@pytest.mark.parametrize(
    ("model", "properties", "values", "expected"),
    [
        ("package", {"amount": "100", "package_size": 2, "free_units": 3}, [3, 1, 2, "0.5"], [0, 10000, 10000, 0]),
        ("graduated", {"graduated_ranges": GRADUATED}, [4, 6, 1], [1300, 1200, 400]),
        ("percentage", {"rate": "5", "fixed_amount": "1", "free_units_per_events": 2}, [8, 5, 3], [0, 0, 115]),
        (
            "percentage",
            {"rate": "5", "fixed_amount": "1", "free_units_per_total_aggregation": "120"},
            [100, 10, 20, 20],
            [0, 0, 150, 200],
        ),
        (
            "percentage",
            {
                "rate": "1",
                "fixed_amount": "0.5",
                "per_transaction_min_amount": "1.75",
                "per_transaction_max_amount": "2",
            },
            [100, 1000, 10000, 0],
            [175, 200, 200, 175],
        ),
        ("graduated_percentage", {"graduated_percentage_ranges": BY_PERCENT}, [50, 100, 300], [2000, 3200, 12000]),
    ],
)
def test_models(api: Api, model: str, properties: dict[str, Any], values: list[Any], expected: list[int]) -> None:
    sell(api, model=model, properties=properties)
    assert cents(api, values) == expected


def test_details_of_percentages(api: Api) -> None:
    sell(api, model="percentage", properties={"rate": "5", "fixed_amount": "1", "free_units_per_events": 2})
    keys = ("free_units", "paid_units", "free_events", "paid_events")
    details = [fee_of(api, send(api, value))["amount_details"] for value in (8, 5, 3)]
    assert [tuple(row[key] for key in keys) for row in details] == [
        ("8.0", "0.0", "1.0", "0.0"),
        ("5.0", "0.0", "1.0", "0.0"),
        ("0.0", "3.0", "0.0", "1.0"),
    ]


def test_dynamic_amounts(api: Api) -> None:
    sell(api, model="dynamic", properties={})
    first = send(api, 5, costs="1234.56")
    second = send(api, 1, costs="2.1")
    assert [fee_of(api, event)["amount_cents"] for event in (first, second)] == [1235, 2]


def test_prorated_seats_and_what_usage_shows_of_them(api: Api) -> None:
    sell(
        api,
        properties={"amount": "29"},
        start="2024-02-01T00:00:00Z",
        of_metric={"recurring": True},
        prorated=True,
    )
    found = []
    for moment, value in (("06T01", 10), ("06T02", -5), ("06T03", 2), ("20T12", 8)):
        api.at(f"2024-02-{moment}:00:00Z")
        fee = fee_of(api, send(api, value))
        shown = usage(api)
        found.append((fee["amount_cents"], fee["units"], shown["units"], shown["amount_cents"]))
    assert found == [
        (24000, "10.0", "10.0", 24000),
        (0, "0.0", "5.0", 24000),
        (0, "2.0", "7.0", 24000),
        (5000, "5.0", "15.0", 29000),
    ]


def test_the_invoice_of_an_event(api: Api) -> None:
    api.post("/taxes", {"tax": {"code": "vat", "name": "vat", "rate": "20", "applied_to_organization": True}})
    sell(api, properties={"amount": "1.2"}, of_customer={"net_payment_term": 10})
    api.at("2025-03-05T10:00:00Z")
    event = send(api, 3)
    invoice = one_invoice(api)
    assert (invoice["status"], invoice["invoice_type"], invoice["issuing_date"]) == (
        "finalized",
        "subscription",
        "2025-03-05",
    )
    assert (invoice["fees_amount_cents"], invoice["taxes_amount_cents"], invoice["total_amount_cents"]) == (
        360,
        72,
        432,
    )
    assert invoice["payment_due_date"] == "2025-03-15"
    (period,) = invoice["billing_periods"]
    assert period["invoicing_reason"] == "in_advance_charge"
    assert period["charges_from_datetime"] == "2025-03-01T00:00:00Z"
    assert period["charges_to_datetime"] == "2025-03-31T23:59:59Z"
    (fee,) = invoice["fees"]
    assert (fee["pay_in_advance"], fee["event_transaction_id"]) == (True, event["transaction_id"])
    assert (fee["events_count"], fee["from_date"]) == (1, "2025-03-01T00:00:00+00:00")
    api.at("2025-03-16T00:00:00Z")
    assert one_invoice(api)["payment_overdue"] is True


def test_no_grace_and_no_second_bill_at_the_tick(api: Api) -> None:
    sell(api, of_customer={"billing_configuration": {"invoice_grace_period": 3}})
    send(api, 4)
    assert one_invoice(api)["status"] == "finalized"
    api.at("2025-04-10T00:00:00Z")
    assert [row["amount_cents"] for row in fees(api)] == [400]


def test_an_event_without_the_property_costs_nothing_and_makes_nothing(api: Api) -> None:
    sell(api)
    for value in (None, "", " "):
        send(api, value)
    assert fees(api) == []
    assert fee_of(api, send(api, 0))["amount_cents"] == 0
    assert fee_of(api, send(api, "many"))["amount_cents"] == 0


def test_an_event_of_nobody_makes_nothing(api: Api) -> None:
    sell(api)
    send(api, 1, of="somebody")
    send(api, 1, at="2025-02-27T00:00:00+00:00")
    assert fees(api) == []


def test_a_late_event_is_priced_at_its_own_place(api: Api) -> None:
    sell(api, model="graduated", properties={"graduated_ranges": GRADUATED})
    api.at("2025-03-20T00:00:00Z")
    assert fee_of(api, send(api, 11))["amount_cents"] == 2900
    late = fee_of(api, send(api, 10, at="2025-03-10T00:00:00+00:00"))
    assert late["amount_cents"] == 2500  # the first ten units, as if nothing had come after them
    assert fee_of(api, send(api, 1))["amount_cents"] == 100


def test_an_event_of_the_last_period_belongs_to_it(api: Api) -> None:
    sell(api)
    send(api, 5)
    api.at("2025-04-03T00:00:00Z")
    late = fee_of(api, send(api, 8, at="2025-03-31T23:59:59+00:00"))
    assert (late["amount_cents"], late["from_date"]) == (800, "2025-03-01T00:00:00+00:00")
    assert late["created_at"] == "2025-04-03T00:00:00Z"
    assert fee_of(api, send(api, 2))["amount_cents"] == 200


def test_filters_and_groups_have_their_own_levels(api: Api) -> None:
    sell(
        api,
        model="package",
        properties={"amount": "1", "package_size": 10, "free_units": 0, "pricing_group_keys": ["team"]},
        of_metric={"filters": [{"key": "region", "values": ["eu", "us"]}]},
        filters=[
            {"values": {"region": ["eu"]}, "properties": {"amount": "3", "package_size": 10, "free_units": 0}},
        ],
    )
    sent = [
        send(api, 5, region="eu", team="a"),
        send(api, 5, region="eu", team="b"),
        send(api, 5, region="us", team="a"),
        send(api, 5, region="us", team="b"),
        send(api, 5, region="us", team="a"),
    ]
    rows = [fee_of(api, event) for event in sent]
    assert [row["amount_cents"] for row in rows] == [300, 0, 100, 100, 0]
    assert [row["item"]["grouped_by"] for row in rows] == [{}, {}, {"team": "a"}, {"team": "b"}, {"team": "a"}]
    assert [row["lago_charge_filter_id"] is not None for row in rows] == [True, True, False, False, False]


def test_each_charge_on_the_metric_has_its_invoice(api: Api) -> None:
    api.at("2025-03-01T00:00:00Z")
    counted = metric(api)
    plan(
        api,
        amount_cents=0,
        charges=[
            charge(counted, properties={"amount": "1"}, pay_in_advance=True, code="one"),
            charge(counted, properties={"amount": "2"}, pay_in_advance=True, code="two"),
            charge(counted, properties={"amount": "4"}, code="later"),
        ],
    )
    customer(api, currency="EUR")
    subscribe(api)
    send(api)
    assert sorted(row["total_amount_cents"] for row in invoices(api)) == [100, 200]
    api.at("2025-04-01T00:00:00Z")
    assert sorted(row["total_amount_cents"] for row in invoices(api)) == [100, 200, 400]


def test_nothing_is_issued_for_nothing_when_zero_is_skipped(api: Api) -> None:
    sell(api, of_customer={"finalize_zero_amount_invoice": "skip"})
    send(api, 0)
    assert invoices(api) == []
    assert fees(api) == []


def test_a_fee_shows_what_its_event_is_broken_down_by(api: Api) -> None:
    keys = [{"value": "region", "options": {"display_in_invoice": True}}]
    sell(api, properties={"amount": "1", "presentation_group_keys": keys})
    fee = fee_of(api, send(api, 4, region="eu"))
    assert fee["presentation_breakdowns"] == [{"presentation_by": {"region": "eu"}, "units": "4.0"}]


def test_a_plan_that_changes_takes_effect_with_the_next_event(api: Api) -> None:
    sold = sell(api)
    assert cents(api, [1]) == [100]
    api.put("/plans/p", {"plan": {"charges": [{"id": sold["lago_id"], "properties": {"amount": "3"}}]}})
    assert dec(fee_of(api, send(api, 1))["amount_cents"]) == 300


def test_a_new_period_begins_anew(api: Api) -> None:
    sell(api, model="graduated", properties={"graduated_ranges": GRADUATED})
    assert cents(api, [11]) == [2900]
    api.at("2025-04-02T00:00:00Z")
    assert cents(api, [1]) == [700]
