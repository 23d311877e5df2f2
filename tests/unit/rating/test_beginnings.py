"""Beginnings of a list of values give the prices that plain tuples give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.rating import Beginning, Usage, price, running_totals
from tallystick.core.rating.percentage import read_allowance

VALUES = [Decimal(text) for text in ("100", "5", "-20", "0", "2500.5", "7", "40", "1")]
LIMITS = {"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "2"}


@pytest.mark.parametrize("limits", [{}, LIMITS])
@pytest.mark.parametrize(
    "free",
    [
        {},
        {"free_units_per_events": 3},
        {"free_units_per_total_aggregation": "90"},
        {"free_units_per_events": 2, "free_units_per_total_aggregation": "104"},
    ],
)
def test_same_prices(limits: dict[str, Any], free: dict[str, Any]) -> None:
    properties = {"rate": "1", "fixed_amount": "0.5", **limits, **free}
    allowance = read_allowance(properties)
    every = Beginning(VALUES)
    totals = Beginning(list(map(Decimal, running_totals("sum_agg", allowance, VALUES, Decimal(0)))))
    for count in range(len(VALUES) + 1):
        values = tuple(VALUES[:count])
        units = sum(values, Decimal(0))
        plain = Usage(units, units, count, running_totals=running_totals("sum_agg", allowance, values, units))
        shared = Usage(units, units, count, running_totals=totals.first(count))
        if limits:
            plain = Usage(units, units, count, running_totals=plain.running_totals, event_values=values)
            shared = Usage(units, units, count, running_totals=shared.running_totals, event_values=every.first(count))
        both = [price("percentage", properties, usage, prorated=False, currency="USD") for usage in (plain, shared)]
        assert both[0] == both[1]


def test_it_is_a_sequence() -> None:
    three = Beginning(VALUES).first(3)
    assert (len(three), three[0], three[-1], list(three)) == (3, VALUES[0], VALUES[2], VALUES[:3])
    assert three[1:] == VALUES[1:3]
    assert len(three.first(99)) == len(VALUES)
    with pytest.raises(IndexError):
        three[3]
