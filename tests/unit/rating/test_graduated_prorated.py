"""Prorated graduated charges: rating.md §5.1, §16.2."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import EXACT, cents_of, divide, round_half_away, total
from tallystick.core.rating import Usage, price

RANGES: list[dict[str, Any]] = [
    {"from_value": 0, "to_value": 5, "per_unit_amount": "10", "flat_amount": "100"},
    {"from_value": 6, "to_value": 15, "per_unit_amount": "5", "flat_amount": "50"},
    {"from_value": 16, "to_value": None, "per_unit_amount": "2", "flat_amount": "0"},
]
FIXED: list[dict[str, Any]] = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "10", "flat_amount": "5"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "8", "flat_amount": "0"},
]
SEPTEMBER = [(2, 21), (5, 15), (-6, 11), (10, 6), (4, 5), (60, 1)]  # value, paid days of 30
OCTOBER = [(75, 31), (20, 15)]  # carried first, paid days of 31


def amount(rows: list[dict[str, Any]], items: list[tuple[Decimal, Decimal]]) -> Decimal:
    usage = Usage(total(p for _, p in items), total(f for f, _ in items), items=tuple(items))
    result = price("graduated", {"graduated_ranges": rows}, usage, prorated=True, currency="USD")
    assert total(step.amount for step in result.trace) == result.amount
    assert result.details == {}
    return result.amount


def prorate(values: list[tuple[int, int]], duration: int) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(f), divide(f * days, duration)) for f, days in values]


@pytest.mark.parametrize(
    ("values", "duration", "expected", "cents"),
    [
        ([], 30, "100", 10000),
        (SEPTEMBER[:1], 30, "114", 11400),
        (SEPTEMBER[:2], 30, "184", 18400),
        (SEPTEMBER[:3], 30, "165.666667", 16567),
        (SEPTEMBER[:4], 30, "179.666667", 17967),
        (SEPTEMBER[:5], 30, "183", 18300),
        (SEPTEMBER, 30, "187", 18700),
        (OCTOBER[:1], 31, "370", 37000),
        (OCTOBER, 31, "389.354839", 38935),
    ],
)
def test_sum(values: list[tuple[int, int]], duration: int, expected: str, cents: int) -> None:
    result = amount(RANGES, prorate(values, duration))
    assert round_half_away(result, 6) == Decimal(expected)
    assert cents_of(EXACT.multiply(result, Decimal(100))) == cents


@pytest.mark.parametrize(
    ("full", "prorated", "expected"),
    [
        ("15", "15", "145"),
        ("15", "7.741935", "77.25806"),
        ("0", "0", "5"),
        ("0", "3.225806", "37.25806"),  # lowered to 0 during the period
    ],
)
def test_fixed_charge(full: str, prorated: str, expected: str) -> None:
    assert amount(FIXED, [(Decimal(full), Decimal(prorated))]) == Decimal(expected)


def test_added_and_gone_before_the_period_does_not_count() -> None:
    one, none = Decimal(1), Decimal(0)
    kept = [(one, Decimal("0.5"))]
    assert amount(RANGES, [(one, none), (-one, none), *kept]) == amount(RANGES, kept)


def test_removal_of_carried_units_gives_back_nothing() -> None:
    """add in May, remove on June 20: 20 days are paid at the first range, its flat amount once."""
    items = [(Decimal(1), Decimal("0.66667")), (Decimal(-1), Decimal(0))]
    assert amount(RANGES, items) == Decimal("106.6667")


def test_level_below_zero_costs_nothing() -> None:
    assert amount(RANGES, [(Decimal(-3), Decimal(-1)), (Decimal(1), Decimal(2))]) == 0


def test_giving_back_never_pays_out() -> None:
    """Dear units given back for longer than they were held, cheap ones added: only flat amounts stay."""
    items = [(Decimal(5), Decimal("0.5")), (Decimal(-4), Decimal(-4)), (Decimal(14), Decimal("4.2"))]
    assert amount(RANGES, items) == 150


def test_zero_prorated_units_cost_the_first_flat_amount() -> None:
    assert amount(RANGES, [(Decimal(5), Decimal(1)), (Decimal(-1), Decimal(-1))]) == 100
