"""Taxes of fees and invoices: the examples of credits.md §2.2-2.4 and invoicing.md §3.3."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from tallystick.core.contract import TaxTerms
from tallystick.core.taxes import TaxableFee, fee_taxes, invoice_taxes, winning


def tax(rate: str, code: str = "vat") -> TaxTerms:
    return TaxTerms(uuid4(), code, code, Decimal(rate), None)


def test_the_first_non_empty_level_wins_and_nothing_is_merged() -> None:
    charge, plan = tax("5"), tax("20")
    assert winning([charge], [plan]) == (charge,)
    assert winning([], [plan], [charge]) == (plan,)
    assert winning([], []) == ()


def test_three_fees_at_nineteen_point_six() -> None:
    """Fee taxes are 65 each; the invoice rounds once: 196 (credits.md §2.4)."""
    vat = tax("19.6")
    rows = [fee_taxes(333, Decimal(333), Decimal(0), [vat]).amount_cents for _ in range(3)]
    assert rows == [65, 65, 65]
    together = invoice_taxes([TaxableFee(Decimal(333), (vat,))] * 3, 999)
    assert together.amount_cents == 196
    assert together.rate == Decimal("19.6")
    (row,) = together.rows
    assert (row.fees_amount_cents, row.amount_cents) == (999, 196)


def test_taxes_of_one_set_add_up_on_the_same_base() -> None:
    both = fee_taxes(1000, Decimal("1000.4"), Decimal(0), [tax("10"), tax("2.5")])
    assert both.amount_cents == 125
    assert both.rate == Decimal("12.5")
    assert both.precise_amount_cents == Decimal("125.05")
    assert [row.amount_cents for row in both.rows] == [100, 25]


@pytest.mark.parametrize(
    ("fees", "taxes_cents", "rate"),
    [
        # plan 9500 at 10 %, X 4750 at 0 %, Y 2850 and its true-up 1900 at 20 % (invoicing.md §3.3)
        ([("9500", "10"), ("4750", "0"), ("2850", "20"), ("1900", "20")], 1900, "10"),
        ([("10000", "10"), ("5000", "0"), ("3000", "20"), ("2000", "20")], 2000, "10"),
    ],
)
def test_worked_example(fees: list[tuple[str, str]], taxes_cents: int, rate: str) -> None:
    by_rate = {rate: tax(rate) for _, rate in fees}
    rows = [TaxableFee(Decimal(base), (by_rate[rate],)) for base, rate in fees]
    found = invoice_taxes(rows, sum(int(base) for base, _ in fees))
    assert found.amount_cents == taxes_cents
    assert found.rate == Decimal(rate)


def test_rate_of_an_invoice_without_amount_counts_fees() -> None:
    found = invoice_taxes([TaxableFee(Decimal(0), (tax("20"),)), TaxableFee(Decimal(0), ())], 0)
    assert found.rate == Decimal(10)
    assert found.amount_cents == 0
