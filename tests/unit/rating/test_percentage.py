"""Percentage charges: rating.md §8."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import ZERO, dec_text, total
from tallystick.core.rating import (
    Price,
    Usage,
    event_values,
    fee_amounts,
    price,
    read_allowance,
    running_totals,
)
from tallystick.core.rating.percentage import Percentage

FREE_EVENTS = {"rate": "1", "fixed_amount": "5", "free_units_per_events": 3}
FREE_TOTAL = {"rate": "1", "fixed_amount": "5", "free_units_per_total_aggregation": "15"}
BOTH = {**FREE_EVENTS, **FREE_TOTAL}
LIMITS = {"rate": "1", "fixed_amount": "1", "per_transaction_min_amount": "1.75", "per_transaction_max_amount": "12"}
CLAMPED = {"rate": "2.99", "per_transaction_min_amount": "1.75", "per_transaction_max_amount": "12"}


def decimals(values: str) -> list[Decimal]:
    return [Decimal(value) for value in values.split(", ")] if values else []


def rate(properties: dict[str, Any], values: str, aggregation_type: str = "sum_agg") -> Price:
    numbers = decimals(values)
    units = total(numbers) if aggregation_type == "sum_agg" else Decimal(len(numbers))
    totals = running_totals(aggregation_type, read_allowance(properties), numbers, units)
    one_by_one = event_values(aggregation_type, numbers)
    usage = Usage(units, units, len(numbers), running_totals=totals, event_values=one_by_one)
    result = price("percentage", properties, usage, prorated=False, currency="USD")
    assert total(step.amount for step in result.trace) == result.amount
    return result


@pytest.mark.parametrize(
    ("properties", "values", "units", "free_units", "free_events", "part", "fixed", "amount", "cents"),
    [
        ({"rate": "1.5"}, "100, 50.55", "150.55", "0.0", 0, "2.25825", "0.0", "2.25825", 226),
        ({"rate": "1", "fixed_amount": "0.30"}, "100, 100, 100", "300.0", "0.0", 0, "3.0", "0.9", "3.9", 390),
        ({"rate": "0", "fixed_amount": "0.30"}, "10, 0", "10.0", "0.0", 0, "0.0", "0.6", "0.6", 60),
        ({"rate": "2", "fixed_amount": "1"}, "0, 0", "0.0", "0.0", 0, "0.0", "0.0", "0.0", 0),
        (FREE_EVENTS, "10, 10, 10", "30.0", "30.0", 3, "0.0", "0.0", "0.0", 0),
        (FREE_EVENTS, "10, 10, 10, 10", "40.0", "30.0", 3, "0.1", "5.0", "5.1", 510),
        (FREE_TOTAL, "4, 4, 4", "12.0", "12.0", 3, "0.0", "0.0", "0.0", 0),
        (FREE_TOTAL, "4, 4, 4, 4", "16.0", "15.0", 3, "0.01", "5.0", "5.01", 501),
        (FREE_TOTAL, "4, 4, 4, 4, 10", "26.0", "15.0", 3, "0.11", "10.0", "10.11", 1011),
        (FREE_TOTAL, "15", "15.0", "15.0", 0, "0.0", "5.0", "5.0", 500),
        (FREE_TOTAL, "20", "20.0", "15.0", 0, "0.05", "5.0", "5.05", 505),
        (BOTH, "1, 1, 1, 1", "4.0", "3.0", 3, "0.01", "5.0", "5.01", 501),
        (BOTH, "10, 10, 10", "30.0", "15.0", 1, "0.15", "10.0", "10.15", 1015),
        ({"rate": "0.75"}, "33.33", "33.33", "0.0", 0, "0.249975", "0.0", "0.249975", 25),
    ],
)
def test_sum(
    properties: dict[str, Any],
    values: str,
    units: str,
    free_units: str,
    free_events: int,
    part: str,
    fixed: str,
    amount: str,
    cents: int,
) -> None:
    result = rate(properties, values)
    details = result.details
    assert (details["units"], details["free_units"], details["free_events"]) == (units, free_units, free_events)
    assert (details["per_unit_total_amount"], details["fixed_fee_total_amount"]) == (part, fixed)
    assert dec_text(result.amount) == amount
    assert fee_amounts(result.amount, result.unit_amount, "USD").amount_cents == cents


def test_count() -> None:
    properties = {"rate": "10", "fixed_amount": "1", "free_units_per_events": 2}
    result = rate(properties, "1, 1, 1, 1, 1", "count_agg")
    assert (result.details["free_units"], result.details["free_events"]) == ("2.0", 2)
    assert (result.details["per_unit_total_amount"], result.details["fixed_fee_total_amount"]) == ("0.3", "3.0")
    assert dec_text(result.amount) == "3.3"


@pytest.mark.parametrize(
    ("events", "total_units", "units", "free_units", "free_events"),
    [
        (None, "3", "10", "3", 2),  # the third event ends exactly on the allowance
        (None, "3.5", "10", "3.5", 3),
        (4, "2", "10", "4", 1),  # units from the events, events from the total
        (None, "50", "10", "10", 10),
        (20, None, "10", "10", 20),
    ],
)
def test_count_allowances_need_no_list(
    events: int | None, total_units: str | None, units: str, free_units: str, free_events: int
) -> None:
    allowance = read_allowance({"free_units_per_events": events, "free_units_per_total_aggregation": total_units})
    totals = running_totals("count_agg", allowance, (), Decimal(units))
    listed = tuple(Decimal(number) for number in totals)
    for seen in (totals, listed):
        assert (allowance.free_units(seen), allowance.free_events(seen)) == (Decimal(free_units), free_events)


@pytest.mark.parametrize(
    ("aggregation_type", "properties", "expected"),
    [
        ("sum_agg", {}, []),
        ("sum_agg", {"free_units_per_events": 2}, [4, 8]),
        ("sum_agg", {"free_units_per_total_aggregation": "8"}, [4, 8, 12]),
        ("sum_agg", {"free_units_per_events": 2, "free_units_per_total_aggregation": "1"}, [4, 8]),
        ("unique_count_agg", {"free_units_per_events": 2}, [1, 2, 3, 4]),
        ("count_agg", {}, []),
        ("max_agg", {"free_units_per_events": 2}, []),
        ("weighted_sum_agg", {"free_units_per_total_aggregation": "8"}, []),
        ("custom_agg", {"free_units_per_events": 2}, []),
    ],
)
def test_running_totals(aggregation_type: str, properties: dict[str, Any], expected: list[int]) -> None:
    values = [Decimal(4)] * 4
    assert list(running_totals(aggregation_type, read_allowance(properties), values, Decimal(4))) == expected


def test_details() -> None:
    assert rate(FREE_EVENTS, "10, 10, 10, 10").details == {
        "units": "40.0",
        "free_units": "30.0",
        "free_events": 3,
        "paid_units": "10.0",
        "rate": "1.0",
        "per_unit_total_amount": "0.1",
        "paid_events": 1,
        "fixed_fee_unit_amount": "5.0",
        "fixed_fee_total_amount": "5.0",
        "min_max_adjustment_total_amount": "0.0",
    }


def test_details_without_paid_events() -> None:
    details = rate({**FREE_EVENTS, "free_units_per_events": 9}, "10, 10").details
    assert (details["free_events"], details["paid_events"], details["fixed_fee_unit_amount"]) == (2, 0, "0.0")


@pytest.mark.parametrize(
    ("properties", "values", "per_event", "amount", "cents", "adjustment"),
    [
        (LIMITS, "100", "2.0", "2.0", 200, "0.0"),
        (LIMITS, "100, 1000, 10000", "2.0 + 11.0 + 12.0", "25.0", 2500, "-89.0"),
        (LIMITS, "10", "1.75", "1.75", 175, "0.65"),
        (LIMITS, "0", "1.75", "1.75", 175, "1.75"),
        (CLAMPED, "10, 80, 10000", "1.75 + 2.392 + 12.0", "16.142", 1614, "-285.549"),
        ({**CLAMPED, "free_units_per_events": 2}, "10, 80, 10000", "0.0 + 0.0 + 12.0", "12.0", 1200, "-287.0"),
        (
            {**CLAMPED, "free_units_per_total_aggregation": "30"},
            "10, 80, 10000",
            "0.0 + 1.794 + 12.0",
            "13.794",
            1379,
            "-287.0",
        ),
        ({**CLAMPED, "free_units_per_total_aggregation": "10"}, "10, 80", "1.75 + 2.392", "4.142", 414, "1.75"),
        (
            {**CLAMPED, "free_units_per_events": 1, "free_units_per_total_aggregation": "50"},
            "10, 80",
            "0.0 + 1.75",
            "1.75",
            175,
            "-0.642",
        ),
    ],
)
def test_limits(
    properties: dict[str, Any], values: str, per_event: str, amount: str, cents: int, adjustment: str
) -> None:
    terms = Percentage.read(properties)
    amounts = terms.limits.amounts(decimals(values), terms.rate, terms.fixed, terms.allowance)
    assert " + ".join(map(dec_text, amounts)) == per_event
    result = rate(properties, values)
    assert dec_text(result.amount) == amount
    assert fee_amounts(result.amount, result.unit_amount, "USD").amount_cents == cents
    assert result.details["min_max_adjustment_total_amount"] == adjustment


@pytest.mark.parametrize(
    ("aggregation_type", "values", "expected"),
    [
        ("sum_agg", [3, 7], [3, 7]),
        ("count_agg", [3, 7], [1, 1]),
        ("unique_count_agg", [3, 3], [1, 1]),
        ("max_agg", [3, 7, 2, 7], [0, 7, 0, 0]),
        ("max_agg", [], []),
        ("weighted_sum_agg", [3], None),
        ("custom_agg", [3], None),
    ],
)
def test_event_values(aggregation_type: str, values: list[int], expected: list[int] | None) -> None:
    found = event_values(aggregation_type, [Decimal(value) for value in values])
    assert (None if found is None else list(found)) == expected


def test_limits_do_not_apply_to_weighted_sums() -> None:
    usage = Usage(Decimal(10), Decimal(10), 1, event_values=None)
    assert price("percentage", CLAMPED, usage, prorated=False, currency="USD").amount == Decimal("0.299")


def test_limits_without_events_in_the_window_cost_nothing() -> None:
    """Recurring sums carry units, but only events of the window are transactions (rating.md §8.2)."""
    usage = Usage(Decimal(1000), Decimal(1000), 0, event_values=())
    assert price("percentage", CLAMPED, usage, prorated=False, currency="USD").amount == ZERO
