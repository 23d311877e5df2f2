"""Volume charges: rating.md §9."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.rating import Usage, price

Bill = Callable[..., tuple[Any, ...]]
Rows = Callable[..., list[dict[str, Any]]]

TABLES = {
    "A": [(0, 10, "5.00", "0"), (11, 50, "4.5", "10"), (51, None, "3.125", "25")],
    "B": [(0, 10, "1", "7"), (11, None, "0.5", "0")],
}


@pytest.mark.parametrize(
    ("table", "units", "full", "per_unit_total", "flat", "expected"),
    [
        ("A", "0", None, "0.0", "0.0", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("A", "1", None, "5.0", "0.0", ("1.0", "5.0", "500.0", 500, "5.0")),
        ("A", "10", None, "50.0", "0.0", ("10.0", "50.0", "5000.0", 5000, "5.0")),
        ("A", "10.5", None, "47.25", "10.0", ("10.5", "57.25", "5725.0", 5725, "5.452380952380952")),
        ("A", "11", None, "49.5", "10.0", ("11.0", "59.5", "5950.0", 5950, "5.409090909090909")),
        ("A", "50", None, "225.0", "10.0", ("50.0", "235.0", "23500.0", 23500, "4.7")),
        ("A", "50.01", None, "156.28125", "25.0", ("50.01", "181.28125", "18128.125", 18128, "3.624900019996001")),
        ("A", "100", None, "312.5", "25.0", ("100.0", "337.5", "33750.0", 33750, "3.375")),
        ("B", "0", None, "0.0", "7.0", ("0.0", "7.0", "700.0", 700, "0.0")),
        ("B", "10", None, "10.0", "7.0", ("10.0", "17.0", "1700.0", 1700, "1.7")),
        ("B", "11", None, "5.5", "0.0", ("11.0", "5.5", "550.0", 550, "0.5")),
        ("A", "33.1", "60", "103.4375", "25.0", ("60.0", "128.4375", "12843.75", 12844, "2.140625")),
        ("A", "8", "12", "36.0", "10.0", ("12.0", "46.0", "4600.0", 4600, "3.833333333333333")),
    ],
)
def test_volume(
    bill: Bill,
    ranges: Rows,
    table: str,
    units: str,
    full: str | None,
    per_unit_total: str,
    flat: str,
    expected: tuple[Any, ...],
) -> None:
    properties = {"volume_ranges": ranges(TABLES[table])}
    assert bill("volume", properties, units, full=full, prorated=full is not None) == expected
    usage = Usage(Decimal(units), Decimal(full or units))
    details = price("volume", properties, usage, prorated=full is not None, currency="USD").details
    assert (details["per_unit_total_amount"], details["flat_unit_amount"]) == (per_unit_total, flat)


@pytest.mark.parametrize(
    ("units", "full", "per_unit"), [("10.5", "10.5", "4.5"), ("8", "12", "3.0"), ("0", "0", "0.0")]
)
def test_details_show_the_prorated_unit_price(ranges: Rows, units: str, full: str, per_unit: str) -> None:
    usage = Usage(Decimal(units), Decimal(full))
    result = price("volume", {"volume_ranges": ranges(TABLES["A"])}, usage, prorated=False, currency="USD")
    assert result.details["per_unit_amount"] == per_unit
