"""Standard charges: rating.md §4, §16.2, and the amounts of metering.md §3.5-§3.6."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import EXACT, divide
from tallystick.core.rating import Usage, price

Bill = Callable[..., tuple[Any, ...]]


@pytest.mark.parametrize(
    ("currency", "units", "amount", "expected"),
    [
        ("USD", "0", "0.05", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("USD", "1", "0.05", ("1.0", "0.05", "5.0", 5, "0.05")),
        ("USD", "3", "0.005", ("3.0", "0.015", "1.5", 2, "0.005")),
        ("USD", "1", "0.005", ("1.0", "0.005", "0.5", 1, "0.005")),
        ("USD", "1", "0.0049", ("1.0", "0.0049", "0.49", 0, "0.0049")),
        ("USD", "2.5", "12.345", ("2.5", "30.8625", "3086.25", 3086, "12.345")),
        ("USD", "1000000", "0.0000015", ("1000000.0", "1.5", "150.0", 150, "0.0000015")),
        ("JPY", "3", "0.5", ("3.0", "1.5", "1.5", 2, "0.5")),
        ("JPY", "1", "0.49", ("1.0", "0.49", "0.49", 0, "0.49")),
        ("KWD", "1", "1.2345", ("1.0", "1.2345", "1234.5", 1235, "1.2345")),
        ("HUF", "7", "0.145", ("7.0", "1.015", "1.015", 1, "0.145")),
        ("USD", "-4", "5", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("USD", "1", "1e-7", ("1.0", "0.0000001", "0.00001", 0, "0.0000001")),
    ],
)
def test_standard(bill: Bill, currency: str, units: str, amount: str, expected: tuple[Any, ...]) -> None:
    assert bill("standard", {"amount": amount}, units, currency=currency) == expected


@pytest.mark.parametrize(
    ("prorated", "full", "amount", "fee_units", "cents", "unit"),
    [
        ("0.51613", "1", "30", "1.0", 1548, "15.4839"),
        ("5.1613", "10", "30", "10.0", 15484, "15.4839"),
        ("0.32259", "10", "30", "10.0", 968, "0.96777"),
        ("8.32259", "7", "30", "7.0", 24968, "35.668242857142857"),
        ("4.83871", "10", "30", "10.0", 14516, "14.51613"),
        ("5.1613", "12", "30", "12.0", 15484, "12.90325"),
        ("4.51613", "10", "30", "10.0", 13548, "13.54839"),
        ("2.12904", "3", "30", "3.0", 6387, "21.2904"),
        # unique count, June (metering.md §3.6)
        ("1", "1", "30", "1.0", 3000, "30.0"),
        ("0.7", "1", "30", "1.0", 2100, "21.0"),
        ("0.03334", "1", "30", "1.0", 100, "1.0002"),
        ("0.66667", "0", "30", "0.0", 2000, "0.0"),
        ("0.86667", "1", "30", "1.0", 2600, "26.0001"),
        ("0.83334", "1", "30", "1.0", 2500, "25.0002"),
        ("1.23334", "2", "30", "2.0", 3700, "18.5001"),
        ("0.5", "1", "30", "1.0", 1500, "15.0"),
        # fixed charges, January (rating.md §16.2)
        ("12.580645", "15", "10", "15.0", 12581, "8.387096666666667"),
        ("1.548387", "4", "10", "4.0", 1548, "3.8709675"),
        ("3.225806", "0", "10", "0.0", 3226, "0.0"),
        ("2.290323", "2", "10", "2.0", 2290, "11.451615"),
    ],
)
def test_prorated(bill: Bill, prorated: str, full: str, amount: str, fee_units: str, cents: int, unit: str) -> None:
    row = bill("standard", {"amount": amount}, prorated, full=full, prorated=True)
    assert (row[0], row[3], row[4]) == (fee_units, cents, unit)


@pytest.mark.parametrize(
    ("units", "cents"),
    [
        ("2177.41935483870967741936", 217742),
        ("533.33333333333333333334", 53333),
        ("4.55", 455),
        ("12", 1200),
    ],
)
def test_weighted_sums(bill: Bill, units: str, cents: int) -> None:
    assert bill("standard", {"amount": "1"}, units)[3] == cents


@pytest.mark.parametrize(
    ("delta", "days", "cents"),
    [("5", 15, 2419), ("1", 7, 226), ("5", 1, 161), ("5", 31, 5000), ("0.5", 31, 500)],
)
def test_fixed_charge_raised_during_january(bill: Bill, delta: str, days: int, cents: int) -> None:
    """rating.md §16.4: the price of delta × days / 31."""
    units = divide(EXACT.multiply(Decimal(delta), Decimal(days)), 31)
    assert bill("standard", {"amount": "10"}, str(units), full=delta, prorated=True)[3] == cents


def test_blank_properties_mean_the_default() -> None:
    assert price("standard", {}, Usage(Decimal(9), Decimal(9)), prorated=False, currency="USD").amount == 0
