"""Graduated and graduated percentage charges: rating.md §5, §6."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.rating import Usage, price

Bill = Callable[..., tuple[Any, ...]]
Rows = Callable[..., list[dict[str, Any]]]

GRADUATED = {
    "A": [(0, 100, "0.10", "0"), (101, 1000, "0.05", "10"), (1001, None, "0.012", "20")],
    "B": [(0, 10, "2", "5"), (11, None, "1", "3")],
    "C": [(0, Decimal("0.5"), "10", "0"), (Decimal("0.5"), 2, "4", "1"), (2, None, "1", "0")],
}
PERCENTAGE = {
    "A": [(0, 1000, "1", "0"), (1001, 10000, "0.5", "5"), (10001, None, "0.25", "10")],
    "B": [(0, 50, "3", "1.5"), (51, None, "1", "0")],
}


def parts(model: str, properties: dict[str, Any], key: str, units: str) -> str:
    """The column "per range units→total" of the tables."""
    result = price(model, properties, Usage(Decimal(units), Decimal(units)), prorated=False, currency="USD")
    rows: Any = result.details[key]
    return " + ".join(f"{row['units']}→{row['total_with_flat_amount']}" for row in rows)


@pytest.mark.parametrize(
    ("table", "units", "per_range", "expected"),
    [
        ("A", "0", "0.0→0.0", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("A", "1", "1.0→0.1", ("1.0", "0.1", "10.0", 10, "0.1")),
        ("A", "100", "100.0→10.0", ("100.0", "10.0", "1000.0", 1000, "0.1")),
        ("A", "100.5", "100.0→10.0 + 0.5→10.025", ("100.5", "20.025", "2002.5", 2003, "0.199253731343284")),
        ("A", "101", "100.0→10.0 + 1.0→10.05", ("101.0", "20.05", "2005.0", 2005, "0.198514851485149")),
        ("A", "1000", "100.0→10.0 + 900.0→55.0", ("1000.0", "65.0", "6500.0", 6500, "0.065")),
        (
            "A",
            "1000.25",
            "100.0→10.0 + 900.0→55.0 + 0.25→20.003",
            ("1000.25", "85.003", "8500.3", 8500, "0.08498175456136"),
        ),
        (
            "A",
            "2500.75",
            "100.0→10.0 + 900.0→55.0 + 1500.75→38.009",
            ("2500.75", "103.009", "10300.9", 10301, "0.041191242627212"),
        ),
        ("B", "0", "0.0→5.0", ("0.0", "5.0", "500.0", 500, "0.0")),
        ("B", "10", "10.0→25.0", ("10.0", "25.0", "2500.0", 2500, "2.5")),
        (
            "B",
            "10.000001",
            "10.0→25.0 + 0.000001→3.000001",
            ("10.000001", "28.000001", "2800.0001", 2800, "2.799999820000018"),
        ),
        ("B", "11", "10.0→25.0 + 1.0→4.0", ("11.0", "29.0", "2900.0", 2900, "2.636363636363636")),
        ("C", "0.5", "0.5→5.0", ("0.5", "5.0", "500.0", 500, "10.0")),
        ("C", "0.75", "0.5→5.0 + 0.25→2.0", ("0.75", "7.0", "700.0", 700, "9.333333333333333")),
        (
            "C",
            "3.333",
            "0.5→5.0 + 1.5→7.0 + 1.333→1.333",
            ("3.333", "13.333", "1333.3", 1333, "4.000300030003"),
        ),
        ("B", "-1", "-1.0→3.0", ("0.0", "0.0", "0.0", 0, "0.0")),
    ],
)
def test_graduated(bill: Bill, ranges: Rows, table: str, units: str, per_range: str, expected: tuple[Any, ...]) -> None:
    properties = {"graduated_ranges": ranges(GRADUATED[table])}
    assert bill("graduated", properties, units) == expected
    assert parts("graduated", properties, "graduated_ranges", units) == per_range


def test_graduated_details(ranges: Rows) -> None:
    properties = {"graduated_ranges": ranges(GRADUATED["B"])}
    result = price("graduated", properties, Usage(Decimal(11), Decimal(11)), prorated=False, currency="USD")
    assert result.details == {
        "graduated_ranges": [
            {
                "from_value": 0,
                "to_value": 10,
                "flat_unit_amount": "5.0",
                "per_unit_amount": "2.0",
                "units": "10.0",
                "per_unit_total_amount": "20.0",
                "total_with_flat_amount": "25.0",
            },
            {
                "from_value": 11,
                "to_value": None,
                "flat_unit_amount": "3.0",
                "per_unit_amount": "1.0",
                "units": "1.0",
                "per_unit_total_amount": "1.0",
                "total_with_flat_amount": "4.0",
            },
        ]
    }


def test_per_unit_amount_reads_zero_without_units(ranges: Rows) -> None:
    properties = {"graduated_ranges": ranges(GRADUATED["B"])}
    result = price("graduated", properties, Usage(Decimal(0), Decimal(0)), prorated=False, currency="USD")
    rows: Any = result.details["graduated_ranges"]
    assert [(row["per_unit_amount"], row["flat_unit_amount"]) for row in rows] == [("0.0", "5.0")]


def test_touching_and_stepping_ranges_cost_the_same(bill: Bill, ranges: Rows) -> None:
    touching = ranges([(0, 10, "2", "5"), (10, 20, "1", "3"), (20, None, "0.5", "0")])
    mixed = ranges([(1, "10", "2", "5"), (11, 20, "1", "3"), (20, None, "0.5", "0")])
    for units in ("10", "10.5", "20", "33"):
        expected = bill("graduated", {"graduated_ranges": touching}, units)
        assert bill("graduated", {"graduated_ranges": mixed}, units) == expected


@pytest.mark.parametrize(
    ("table", "units", "per_range", "expected"),
    [
        ("A", "0", "0.0→0.0", ("0.0", "0.0", "0.0", 0, "0.0")),
        ("A", "1", "1.0→0.01", ("1.0", "0.01", "1.0", 1, "0.01")),
        ("A", "1000", "1000.0→10.0", ("1000.0", "10.0", "1000.0", 1000, "0.01")),
        ("A", "1000.5", "1000.0→10.0 + 0.5→5.0025", ("1000.5", "15.0025", "1500.25", 1500, "0.014995002498751")),
        ("A", "1001", "1000.0→10.0 + 1.0→5.005", ("1001.0", "15.005", "1500.5", 1501, "0.01499000999001")),
        ("A", "10000", "1000.0→10.0 + 9000.0→50.0", ("10000.0", "60.0", "6000.0", 6000, "0.006")),
        (
            "A",
            "25000",
            "1000.0→10.0 + 9000.0→50.0 + 15000.0→47.5",
            ("25000.0", "107.5", "10750.0", 10750, "0.0043"),
        ),
        ("B", "0", "0.0→1.5", ("0.0", "1.5", "150.0", 150, "0.0")),
        ("B", "50", "50.0→3.0", ("50.0", "3.0", "300.0", 300, "0.06")),
        ("B", "50.33", "50.0→3.0 + 0.33→0.0033", ("50.33", "3.0033", "300.33", 300, "0.059672163719452")),
    ],
)
def test_graduated_percentage(
    bill: Bill, ranges: Rows, table: str, units: str, per_range: str, expected: tuple[Any, ...]
) -> None:
    properties = {"graduated_percentage_ranges": ranges(PERCENTAGE[table], "rate")}
    assert bill("graduated_percentage", properties, units) == expected
    assert parts("graduated_percentage", properties, "graduated_percentage_ranges", units) == per_range


def test_graduated_percentage_details(ranges: Rows) -> None:
    properties = {"graduated_percentage_ranges": ranges(PERCENTAGE["A"], "rate")}
    usage = Usage(Decimal(1000), Decimal(1000))
    result = price("graduated_percentage", properties, usage, prorated=False, currency="USD")
    assert result.details == {
        "graduated_percentage_ranges": [
            {
                "from_value": 0,
                "to_value": 1000,
                "flat_unit_amount": "0.0",
                "rate": "1.0",
                "units": "1000.0",
                "per_unit_total_amount": "10.0",
                "total_with_flat_amount": "10.0",
            }
        ]
    }
