"""Instant estimates: the table of metering.md §8.2."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import dec_text
from tallystick.core.rating import ChargeModel, instant_price

PERCENT = {"rate": "1", "fixed_amount": "0.5", "per_transaction_min_amount": "1.75", "per_transaction_max_amount": "2"}


@pytest.mark.parametrize(
    ("model", "properties", "units", "cents", "unit_price"),
    [
        ("percentage", {"rate": "0.1", "fixed_amount": "0"}, "400", 40, "0.1"),
        ("percentage", PERCENT, "100", 175, "1.75"),
        ("percentage", PERCENT, "10000", 200, "0.02"),
        ("standard", {"amount": "0.004"}, "1", 0, "0.0"),
        ("standard", {"amount": "3"}, "1", 300, "300.0"),
        ("standard", {"amount": "3"}, "-2", 0, "0.0"),
        ("percentage", PERCENT, "-2", 0, "0.0"),
        ("percentage", {**PERCENT, "free_units_per_events": 5}, "100", 175, "1.75"),
    ],
)
def test_table(model: str, properties: dict[str, Any], units: str, cents: int, unit_price: str) -> None:
    price = instant_price(ChargeModel(model), properties, Decimal(units), "USD")
    assert (price.amount_cents, dec_text(price.unit_price_cents)) == (cents, unit_price)


def test_currencies_without_decimals() -> None:
    price = instant_price(ChargeModel.STANDARD, {"amount": "0.5"}, Decimal(3), "JPY")
    assert (price.amount_cents, dec_text(price.amount)) == (2, "1.5")
