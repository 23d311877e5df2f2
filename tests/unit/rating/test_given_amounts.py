"""Dynamic and custom charges, whose amounts come with the usage: rating.md §10, §11."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Bill = Callable[..., tuple[Any, ...]]


@pytest.mark.parametrize(
    ("currency", "units", "cents", "expected"),
    [
        ("USD", "10", "10.1", ("10.0", "0.101", "10.1", 10, "0.0101")),
        ("USD", "20", "912.0", ("20.0", "9.12", "912.0", 912, "0.456")),
        ("USD", "5", "1234.56", ("5.0", "12.3456", "1234.56", 1235, "2.46912")),
        ("USD", "6", "0.5", ("6.0", "0.005", "0.5", 1, "0.000833333333333")),
        ("USD", "0", "50", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("USD", "3", "-20", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("JPY", "2", "150.5", ("2.0", "150.5", "150.5", 151, "75.25")),
        ("KWD", "2", "1500.4", ("2.0", "1.5004", "1500.4", 1500, "0.7502")),
    ],
)
def test_dynamic(bill: Bill, currency: str, units: str, cents: str, expected: tuple[Any, ...]) -> None:
    assert bill("dynamic", {}, units, currency=currency, precise_total_amount_cents=Decimal(cents)) == expected


@pytest.mark.parametrize(
    ("units", "amount", "fee_units", "cents", "unit"),
    [
        ("0", "0", "0.0", 0, "0.0"),
        ("10", "2.5", "10.0", 250, "0.25"),
        ("3", "0.005", "3.0", 1, "0.001666666666667"),
        ("3", "0.0049", "3.0", 0, "0.001633333333333"),
        ("-2", "5", "0.0", 0, "0.0"),
        ("4", "-1", "0.0", 0, "0.0"),
        ("0", "7", "0.0", 700, "0.0"),
    ],
)
def test_custom(bill: Bill, units: str, amount: str, fee_units: str, cents: int, unit: str) -> None:
    row = bill("custom", {}, units, custom_amount=Decimal(amount))
    assert (row[0], row[3], row[4]) == (fee_units, cents, unit)
