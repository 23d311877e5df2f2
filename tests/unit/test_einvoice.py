"""VAT groups of e-invoices: bases, allowances and taxes that add up to the invoice's (integrations.md §11.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.core.einvoice import Category, Group, Line, Totals, groups, share


def line(cents: int, rate: int, coupon: int = 0, tax: str = "0", category: Category = Category.STANDARD) -> Line:
    return Line(
        "x", "", Decimal(1), Decimal(cents) / 100, cents, category, Decimal(rate), Decimal(coupon), Decimal(tax)
    )


def test_the_worked_example_of_an_invoice() -> None:
    # invoicing.md §3.3: plan at 10 %, usage at 0 %, usage and true-up at 20 %, a coupon of 10.00
    lines = [
        line(10000, 10, 500, "950"),
        line(5000, 0, 250, category=Category.ZERO_RATED),
        line(3000, 20, 150, "570"),
        line(2000, 20, 100, "380"),
    ]
    assert groups(lines, 1000, 1900) == (
        Group(Category.STANDARD, Decimal(20), 5000, 250, 950),
        Group(Category.STANDARD, Decimal(10), 10000, 500, 950),
        Group(Category.ZERO_RATED, Decimal(0), 5000, 250, 0),
    )
    totals = Totals(lines_cents=20000, allowance_cents=1000, tax_cents=1900, prepaid_cents=6000)
    assert (totals.exclusive_cents, totals.inclusive_cents, totals.payable_cents) == (19000, 20900, 14900)


def test_a_credit_without_marks_on_the_lines_is_shared_by_their_amounts() -> None:
    found = groups([line(100, 20, tax="20"), line(200, 5, tax="10")], 30, 27)
    assert [(group.allowance_cents, group.base_cents, group.tax_cents) for group in found] == [
        (10, 90, 18),
        (20, 180, 9),
    ]


@pytest.mark.parametrize(
    ("cents", "weights", "wanted"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [0, 5], [0, 1]),
        (0, [3, 4], [0, 0]),
        (7, [0, 0], [7, 0]),
        (5, [], []),
        (199, [Decimal("99.6"), Decimal("99.4")], [100, 99]),
    ],
)
def test_left_over_cents_go_to_the_greatest_fractions(cents: int, weights: list[int], wanted: list[int]) -> None:
    assert share(cents, [Decimal(weight) for weight in weights]) == wanted
