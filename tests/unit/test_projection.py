"""The worked examples of metering.md §7.4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import divide, to_cents
from tallystick.core.projection import elapsed_ratio, projected_amount, projected_units
from tallystick.core.rating import tariff
from tallystick.core.windows import Window
from tests.support.metering import at

GRADUATED_B = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "2", "flat_amount": "5"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "1", "flat_amount": "3"},
    ]
}
VOLUME_A = {
    "volume_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "10", "flat_amount": "0"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "4.5", "flat_amount": "10"},
    ]
}
PACKAGE = {"amount": "5", "package_size": 100, "free_units": 50}
STANDARD = {"amount": "10"}
FLAT = {"graduated_ranges": [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "7"}]}


@pytest.mark.parametrize(
    ("model", "properties", "units", "current", "days", "projected", "cents"),
    [
        ("standard", STANDARD, "3", "30", (3, 31), "31", 31000),
        ("standard", {"amount": "20"}, "1", "20", (3, 31), "10.33", 20660),
        ("graduated", GRADUATED_B, "4", "13", (10, 30), "12", 3000),
        ("package", PACKAGE, "60", "5", (15, 30), "120", 500),
        ("volume", VOLUME_A, "9", "90", (10, 30), "27", 13150),
        ("percentage", {"rate": "1"}, "40", "5.10", (10, 30), "120", 1530),
        ("standard", STANDARD, "7", "70", (30, 30), "7", 7000),
        ("standard", STANDARD, "-3", "0", (10, 30), "0", 0),
        ("standard", STANDARD, "3", "30", (0, 30), "0", 0),
        ("percentage", {"rate": "1"}, "3", "30", (0, 30), "0", 0),
        # nothing used, nothing projected: the first flat amount is not (§7.4)
        ("graduated", FLAT, "0", "7", (10, 30), "0", 0),
    ],
)
def test_projections(
    model: str, properties: dict[str, Any], units: str, current: str, days: tuple[int, int], projected: str, cents: int
) -> None:
    elapsed = divide(*days)
    found = projected_units(Decimal(units), elapsed)
    assert found == Decimal(projected)
    prices = tariff(model, properties, prorated=False, currency="EUR")
    amount = projected_amount(prices, found, Decimal(current), elapsed, prorated=False)
    assert to_cents(amount, "EUR") == cents


def test_prorated_tiers_are_scaled() -> None:
    prices = tariff("graduated", GRADUATED_B, prorated=True, currency="EUR")
    assert projected_amount(prices, Decimal(30), Decimal("1.25"), divide(10, 30), prorated=True) == Decimal("3.75")


@pytest.mark.parametrize(
    ("moment", "tz", "days"),
    [
        ("2026-05-31T23:59:59", "UTC", (0, 31)),
        ("2026-06-01T00:00:00", "UTC", (1, 30)),
        ("2026-06-03T12:00:00", "UTC", (3, 30)),
        ("2026-06-04T00:00:00", "UTC", (4, 30)),
        ("2026-06-30T23:59:59", "UTC", (30, 30)),
        ("2026-07-15T00:00:00", "UTC", (30, 30)),
    ],
)
def test_days_that_have_begun(moment: str, tz: str, days: tuple[int, int]) -> None:
    june = Window(at("2026-06-01"), at("2026-07-01"))
    assert elapsed_ratio(june, at(moment), tz) == divide(*days)
