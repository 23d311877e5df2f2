"""From prices to fees: pricing units (rating.md §15), spending minimum (§13), metric rounding (metering.md §3.7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.core.money import dec_text, round_half_away
from tallystick.core.rating import pricing_unit, round_units, true_up


@pytest.mark.parametrize(
    ("amount", "unit_amount", "rate", "currency", "expected"),
    [
        ("300", "1", "0.5", "USD", (30000, "30000.0", 15000, "15000.0", "0.5")),
        ("0.004", "0.004", "0.5", "USD", (0, "0.4", 0, "0.0", "0.002")),
        ("1.005", "0.335", "0.333333", "USD", (101, "100.5", 34, "33.666633", "0.111666555")),
        ("10655.243249", "5.5423123", "0.0075", "USD", (1065524, "1065524.3249", 7991, "7991.43", "0.04156734225")),
        ("10.55", "2.11", "110", "JPY", (1055, "1055.0", 1161, "1160.5", "232.1")),
        ("0", "0", "2", "USD", (0, "0.0", 0, "0.0", "0.0")),
        ("2.345", "2.345", "1", "EUR", (235, "234.5", 235, "235.0", "2.345")),
    ],
)
def test_pricing_unit(
    amount: str, unit_amount: str, rate: str, currency: str, expected: tuple[int, str, int, str, str]
) -> None:
    result = pricing_unit(Decimal(amount), Decimal(unit_amount), Decimal(rate), currency)
    assert (
        result.amount_cents,
        dec_text(result.precise_amount_cents),
        result.fee.amount_cents,
        dec_text(result.fee.precise_amount_cents),
        dec_text(result.fee.precise_unit_amount),
    ) == expected
    assert result.precise_unit_amount == Decimal(unit_amount)


def test_pricing_unit_cuts_its_unit_price() -> None:
    result = pricing_unit(Decimal("10655.243249"), Decimal("5.5483123"), Decimal("0.0075"), "USD")
    assert result.unit_amount_cents == 554


@pytest.mark.parametrize(
    ("minimum", "days", "duration", "used", "precise", "prorated", "expected"),
    [
        (1000, 31, 31, 700, "700", "1000", (300, "300")),
        (1000, 25, 28, 800, "800", "892.857143", (93, "92.857143")),
        (1000, 25, 28, 893, "893", "", None),
        (1000, 25, 28, 892, "892", "892.857143", (1, "0.857143")),
        (5000, 30, 30, 5000, "5000", "", None),
        (10000, 30, 30, 0, "0", "10000", (10000, "10000")),
        (999, 7, 31, 100, "99.6", "225.580645", (126, "125.980645")),
        (1000, 1, 3, 333, "333", "", None),  # a third of a cent rounds to 0: no fee
        (0, 31, 31, 0, "0", "", None),
    ],
)
def test_true_up(
    minimum: int,
    days: int,
    duration: int,
    used: int,
    precise: str,
    prorated: str,
    expected: tuple[int, str] | None,
) -> None:
    result = true_up(minimum, days, duration, used, Decimal(precise))
    if expected is None:
        assert result is None
        return
    assert result is not None
    assert result.amount_cents == expected[0]
    assert round_half_away(result.precise_amount_cents, 6) == Decimal(expected[1])
    assert round_half_away(result.minimum_cents, 6) == Decimal(prorated)


def test_true_up_in_pricing_units() -> None:
    """rating.md §13: 300 hundredths are 3.00 units, 0.75 of the currency."""
    missing = true_up(1000, 31, 31, 700, Decimal(700))
    assert missing is not None
    assert missing.amount_cents == 300
    assert pricing_unit(Decimal(3), Decimal(3), Decimal("0.25"), "USD").fee.amount_cents == 75


@pytest.mark.parametrize(
    ("function", "precision", "value", "expected"),
    [
        ("round", None, "2.5", "3.0"),
        ("round", 0, "2.5", "3.0"),
        ("round", None, "-2.5", "-3.0"),
        ("round", None, "2.4", "2.0"),
        ("ceil", 0, "2.000001", "3.0"),
        ("ceil", 0, "-2.5", "-2.0"),
        ("floor", 0, "2.9", "2.0"),
        ("floor", 0, "-2.5", "-3.0"),
        ("round", 2, "1.005", "1.01"),
        ("round", 2, "1.0049", "1.0"),
        ("ceil", -2, "101", "200.0"),
        ("ceil", -2, "100", "100.0"),
        ("round", -1, "15", "20.0"),
        ("round", -1, "14.99", "10.0"),
        ("floor", 1, "0.99", "0.9"),
        (None, 2, "1.005", "1.005"),
    ],
)
def test_round_units(function: str | None, precision: int | None, value: str, expected: str) -> None:
    assert dec_text(round_units(function, precision, Decimal(value))) == expected


def test_unknown_rounding_function() -> None:
    with pytest.raises(ValueError):
        round_units("truncate", 0, Decimal(1))
