"""Charges billed in advance, event by event: rating.md §12, metering.md §6.3-§6.5."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import ZERO, dec_text, exact, total
from tallystick.core.rating import (
    EventPrice,
    Usage,
    event_values,
    fee_amounts,
    price_of_event,
    read_allowance,
    running_totals,
)

Rows = Callable[..., list[dict[str, Any]]]


def usage(properties: dict[str, Any], values: list[Decimal], seen: list[Decimal], amounts: list[Decimal]) -> Usage:
    """A sum over `values`, with the running totals of `seen`."""
    units = total(values)
    totals = running_totals("sum_agg", read_allowance(properties), seen, units)
    return Usage(
        units,
        units,
        len(values),
        running_totals=totals,
        event_values=event_values("sum_agg", values),
        precise_total_amount_cents=total(amounts),
    )


def sell(model: str, properties: dict[str, Any], values: str, amounts: str = "") -> list[EventPrice]:
    """One fee per event of a sum that only rises, so that new units are the event's value."""
    numbers = [Decimal(value) for value in values.split(", ")]
    cents = [Decimal(value) for value in amounts.split(", ")] if amounts else [ZERO] * len(numbers)
    return [
        price_of_event(
            model,
            properties,
            usage(properties, numbers[: k + 1], numbers[: k + 1], cents[: k + 1]),
            usage(properties, numbers[:k], numbers[:k], cents[:k]),
            number,
            number,
            k == 0,
            currency="USD",
        )
        for k, number in enumerate(numbers)
    ]


def row(event: EventPrice) -> tuple[str, str, int, str]:
    """(amount with event, amount without, amount_cents, precise_unit_amount)."""
    fee = fee_amounts(event.delta, event.unit_amount, "USD")
    return (
        dec_text(event.with_price.amount),
        dec_text(event.without_price.amount),
        fee.amount_cents,
        dec_text(fee.precise_unit_amount),
    )


def test_package() -> None:
    fees = sell("package", {"amount": "100", "package_size": 2, "free_units": 3}, "3, 1, 2, 0.5")
    assert [row(fee) for fee in fees] == [
        ("0.0", "0.0", 0, "0.0"),
        ("100.0", "0.0", 10000, "100.0"),
        ("200.0", "100.0", 10000, "50.0"),
        ("200.0", "200.0", 0, "0.0"),
    ]
    assert all(fee.details == {} for fee in fees)


def test_graduated_pays_the_first_flat_amount_once(ranges: Rows) -> None:
    properties = {"graduated_ranges": ranges([(0, 10, "2", "5"), (11, None, "1", "3")])}
    fees = sell("graduated", properties, "4, 6, 1")
    assert [row(fee) for fee in fees] == [
        ("13.0", "0.0", 1300, "3.25"),
        ("25.0", "13.0", 1200, "2.0"),
        ("29.0", "25.0", 400, "4.0"),
    ]
    assert all(fee.details == {} for fee in fees)


def test_later_event_from_zero_units_does_not_pay_the_flat_amount_again(ranges: Rows) -> None:
    properties = {"graduated_ranges": ranges([(0, 10, "2", "5"), (11, None, "1", "3")])}
    first, second = sell("graduated", properties, "0, 4")
    assert row(first) == ("5.0", "0.0", 500, "0.0")
    assert row(second) == ("13.0", "5.0", 800, "2.0")


@pytest.mark.parametrize(
    ("allowance", "values", "expected"),
    [
        (
            {"free_units_per_events": 2},
            "8, 5, 3",
            [
                ("0.0", "0.0", 0, "8.0", "0.0", "1.0", "0.0"),
                ("0.0", "0.0", 0, "5.0", "0.0", "1.0", "0.0"),
                ("1.15", "0.0", 115, "0.0", "3.0", "0.0", "1.0"),
            ],
        ),
        (
            {"free_units_per_total_aggregation": "120"},
            "100, 10, 20, 20",
            [
                ("0.0", "0.0", 0, "100.0", "0.0", "1.0", "0.0"),
                ("0.0", "0.0", 0, "10.0", "0.0", "1.0", "0.0"),
                ("1.5", "0.0", 150, "10.0", "10.0", "0.0", "1.0"),
                ("3.5", "1.5", 200, "0.0", "20.0", "0.0", "1.0"),
            ],
        ),
    ],
)
def test_percentage(allowance: dict[str, Any], values: str, expected: list[tuple[Any, ...]]) -> None:
    fees = sell("percentage", {"rate": "5", "fixed_amount": "1", **allowance}, values)
    keys = ("free_units", "paid_units", "free_events", "paid_events")
    assert [(*row(fee)[:3], *(fee.details[key] for key in keys)) for fee in fees] == expected


def test_percentage_details_are_decimal_strings() -> None:
    *_, last = sell("percentage", {"rate": "5", "fixed_amount": "1", "free_units_per_events": 2}, "8, 5, 3")
    assert last.details == {
        "units": "3.0",
        "free_units": "0.0",
        "free_events": "0.0",
        "paid_units": "3.0",
        "rate": "5.0",
        "per_unit_total_amount": "0.15",
        "paid_events": "1.0",
        "fixed_fee_unit_amount": "1.0",
        "fixed_fee_total_amount": "1.0",
        "min_max_adjustment_total_amount": "0.0",
    }


def test_percentage_limits() -> None:
    limits = {"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "2"}
    fees = sell("percentage", {"rate": "1", "fixed_amount": "0.5", **limits}, "100, 1000, 10000, 0")
    assert [row(fee)[:3] for fee in fees] == [
        ("1.75", "0.0", 175),
        ("3.75", "1.75", 200),
        ("5.75", "3.75", 200),
        ("7.5", "5.75", 175),
    ]
    assert [fee.units for fee in fees][-1] == 0
    assert fees[-1].unit_amount == 0  # a paid event without units has no unit price


def test_graduated_percentage(ranges: Rows) -> None:
    table = [(0, 100, "20", "10"), (101, 200, "30", "7"), (201, None, "40", "5")]
    fees = sell("graduated_percentage", {"graduated_percentage_ranges": ranges(table, "rate")}, "50, 100, 300")
    assert [row(fee)[:3] for fee in fees] == [
        ("20.0", "0.0", 2000),
        ("52.0", "20.0", 3200),
        ("172.0", "52.0", 12000),
    ]
    details: list[Any] = [fee.details["graduated_percentage_ranges"] for fee in fees]
    keys = ("units", "flat_unit_amount", "total_with_flat_amount", "per_unit_total_amount")
    assert [[tuple(one[key] for key in keys) for one in rows] for rows in details] == [
        [("50.0", "10.0", "20.0", "0.4")],
        [("50.0", "0.0", "10.0", "0.2"), ("50.0", "7.0", "22.0", "0.44")],
        [
            ("0.0", "0.0", "0.0", "0.0"),
            ("50.0", "0.0", "15.0", "0.3"),
            ("250.0", "5.0", "105.0", "0.42"),
        ],
    ]
    assert [one["rate"] for one in details[2]] == ["20.0", "30.0", "40.0"]
    assert [(one["from_value"], one["to_value"]) for one in details[2]] == [(0, 100), (101, 200), (201, None)]


def test_dynamic() -> None:
    fees = sell("dynamic", {}, "5, 1", "1234.56, 2.1")
    assert [row(fee)[2] for fee in fees] == [1235, 2]
    assert [fee.details for fee in fees] == [{}, {}]


def fee_of_state(properties: dict[str, Any], current: str, new_units: str, displayed: str, position: int) -> EventPrice:
    """Fee of an event after which the aggregate is `current`."""
    after = Decimal(current)
    with exact():
        before = after - Decimal(new_units)
    return price_of_event(
        "standard",
        properties,
        Usage(after, after, position),
        Usage(before, before, position - 1),
        Decimal(new_units),
        Decimal(displayed),
        position == 1,
        currency="USD",
    )


def test_sum_that_falls_and_rises() -> None:
    """metering.md §6.3: (current, new units, fee units) of values 10, -4, 8, -20, 5, 30."""
    states = [
        ("10", "10", "10"),
        ("6", "0", "0"),
        ("14", "4", "4"),
        ("-6", "0", "0"),
        ("-1", "0", "5"),
        ("29", "15", "15"),
    ]
    fees = [fee_of_state({"amount": "1"}, *state, k) for k, state in enumerate(states, start=1)]
    assert [(dec_text(fee.units), *row(fee)) for fee in fees] == [
        ("10.0", "10.0", "0.0", 1000, "1.0"),
        ("0.0", "6.0", "6.0", 0, "0.0"),
        ("4.0", "14.0", "10.0", 400, "1.0"),
        ("0.0", "-6.0", "-6.0", 0, "0.0"),
        ("5.0", "-1.0", "-1.0", 0, "0.0"),
        ("15.0", "29.0", "14.0", 1500, "1.0"),
    ]


def test_unique_count() -> None:
    """metering.md §6.3: add a, remove a, add a, add b, add b, remove z, add c at "12"."""
    states = [("1", "1", "1"), ("0", "0", "0"), ("1", "0", "1"), ("2", "1", "1"), ("2", "0", "0"), ("2", "0", "0")]
    states.append(("3", "1", "1"))
    fees = [fee_of_state({"amount": "12"}, *state, k) for k, state in enumerate(states, start=1)]
    assert [(dec_text(fee.units), row(fee)[2]) for fee in fees] == [
        ("1.0", 1200),
        ("0.0", 0),
        ("1.0", 0),
        ("1.0", 1200),
        ("0.0", 0),
        ("0.0", 0),
        ("1.0", 1200),
    ]


def test_rising_from_a_negative_maximum_pays_every_new_unit() -> None:
    """metering.md §6.2: -5, then +8 gives 8 new units although only 3 are above zero."""
    assert row(fee_of_state({"amount": "1"}, "3", "8", "8", 2)) == ("3.0", "-5.0", 800, "1.0")


@pytest.mark.parametrize(
    ("prorated", "displayed", "cents"),
    [("8.27587", "10", 24000), ("0", "0", 0), ("0", "2", 0), ("1.72414", "5", 5000)],
)
def test_prorated(prorated: str, displayed: str, cents: int) -> None:
    """metering.md §6.5: only the prorated new units are priced, whatever was there before."""
    nothing = Usage(ZERO, ZERO)
    event = price_of_event(
        "standard",
        {"amount": "29"},
        nothing,
        nothing,
        Decimal(prorated),
        Decimal(displayed),
        False,
        currency="USD",
        prorated=True,
    )
    assert (row(event)[2], event.units) == (cents, Decimal(displayed))


def test_unit_amount_comes_from_the_rounded_amount() -> None:
    event = fee_of_state({"amount": "0.3333"}, "3", "3", "3", 1)
    assert (event.delta, event.amount) == (Decimal("0.9999"), Decimal(1))
    assert dec_text(fee_amounts(event.delta, event.unit_amount, "USD").precise_unit_amount) == "0.333333333333333"
    assert dec_text(fee_amounts(event.delta, event.unit_amount, "USD").precise_amount_cents) == "99.99"


def test_negative_difference_zeroes_the_fee() -> None:
    refund = sell("dynamic", {}, "5, 1", "10, -40")[1]
    assert refund.delta == refund.amount == refund.units == ZERO


def test_pricing_units_round_to_hundredths_in_any_currency() -> None:
    three = Usage(Decimal(3), Decimal(3), 1)
    none = Usage(ZERO, ZERO)
    properties = {"amount": "0.335"}
    for in_pricing_units, amount in ((True, "1.01"), (False, "1.0")):
        event = price_of_event(
            "standard",
            properties,
            three,
            none,
            Decimal(3),
            Decimal(3),
            True,
            currency="JPY",
            in_pricing_units=in_pricing_units,
        )
        assert dec_text(event.amount) == amount
