"""Package charges: rating.md §7."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import dec_text
from tallystick.core.rating import StepKind, Usage, price

Bill = Callable[..., tuple[Any, ...]]


def package(amount: str, size: int, free: int) -> dict[str, Any]:
    return {"amount": amount, "package_size": size, "free_units": free}


@pytest.mark.parametrize(
    ("properties", "units", "paid", "packages", "expected"),
    [
        (package("5", 100, 50), "0", "0.0", 0, ("0.0", "0.0", "0.0", 0, "0.0")),
        (package("5", 100, 50), "50", "0.0", 0, ("50.0", "0.0", "0.0", 0, "0.0")),
        (package("5", 100, 50), "50.0001", "0.0001", 1, ("50.0001", "5.0", "500.0", 500, "50000.0")),
        (package("5", 100, 50), "150", "100.0", 1, ("150.0", "5.0", "500.0", 500, "0.05")),
        (package("5", 100, 50), "150.5", "100.5", 2, ("150.5", "10.0", "1000.0", 1000, "0.099502487562189")),
        (package("5", 100, 50), "251", "201.0", 3, ("251.0", "15.0", "1500.0", 1500, "0.074626865671642")),
        (package("5", 100, 200), "120", "0.0", 0, ("120.0", "0.0", "0.0", 0, "0.0")),
        (package("0.333", 3, 0), "7", "7.0", 3, ("7.0", "0.999", "99.9", 100, "0.142714285714286")),
        (package("5", 1, 0), "2.5", "2.5", 3, ("2.5", "15.0", "1500.0", 1500, "6.0")),
        # groups are packed on their own (metering.md §4.3)
        (package("1", 15, 0), "20", "20.0", 2, ("20.0", "2.0", "200.0", 200, "0.1")),
        (package("1", 15, 0), "10", "10.0", 1, ("10.0", "1.0", "100.0", 100, "0.1")),
        (package("1", 15, 0), "30", "30.0", 2, ("30.0", "2.0", "200.0", 200, "0.066666666666667")),
    ],
)
def test_package(
    bill: Bill, properties: dict[str, Any], units: str, paid: str, packages: int, expected: tuple[Any, ...]
) -> None:
    assert bill("package", properties, units) == expected
    result = price("package", properties, Usage(Decimal(units), Decimal(units)), prorated=False, currency="USD")
    assert result.details["paid_units"] == paid
    assert [step.units for step in result.trace if step.kind is StepKind.PACKAGES] == [packages]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("150.5", {"free_units": "50.0", "paid_units": "100.5", "per_package_size": 100}),
        ("20", {"free_units": "50.0", "paid_units": "0.0", "per_package_size": 100}),
        ("0", {"free_units": "0.0", "paid_units": "0.0", "per_package_size": 0}),
    ],
)
def test_details(units: str, expected: dict[str, Any]) -> None:
    usage = Usage(Decimal(units), Decimal(units))
    result = price("package", package("5", 100, 50), usage, prorated=False, currency="USD")
    unit_amount = dec_text(5 if Decimal(units) else 0)
    assert result.details == {**expected, "per_package_unit_amount": unit_amount}
