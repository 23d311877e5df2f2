"""Taxes of fees and invoices (credits.md §2.2-2.5): which set wins, what it amounts to, where it is rounded.

Rates are percent; amounts are minor units. It does not know where taxes come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.contract import TaxTerms
from tallystick.core.money import ZERO, cents_of, divide, exact, precise, round_half_away

RATE_PLACES = 5  # R5 of invoicing.md §3.1


@dataclass(frozen=True, slots=True)
class FeeTaxAmount:
    """One tax on one fee."""

    tax: TaxTerms
    amount_cents: int
    precise_amount_cents: Decimal


@dataclass(frozen=True, slots=True)
class FeeTaxes:
    """All taxes of a fee; the total is rounded once, so it may differ from the sum of the rows."""

    rows: tuple[FeeTaxAmount, ...]
    amount_cents: int
    precise_amount_cents: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxableFee:
    """What an invoice's taxes need of a fee: `base` = amount − coupons, exact minor units."""

    base: Decimal
    taxes: tuple[TaxTerms, ...]


@dataclass(frozen=True, slots=True)
class InvoiceTaxAmount:
    """One tax over all fees of an invoice; `fees_amount_cents` is its base, cut to an integer."""

    tax: TaxTerms
    fees_amount_cents: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class InvoiceTaxes:
    """All taxes of an invoice: rounded once over all taxes (invoicing.md §7.2)."""

    rows: tuple[InvoiceTaxAmount, ...]
    amount_cents: int
    rate: Decimal


def winning(*levels: Iterable[TaxTerms]) -> tuple[TaxTerms, ...]:
    """The first non-empty set, from the most specific level down; sets are never merged (credits.md §2.2)."""
    for level in levels:
        taxes = tuple(level)
        if taxes:
            return taxes
    return ()


def fee_taxes(
    amount_cents: int, precise_amount_cents: Decimal, precise_coupons_cents: Decimal, taxes: Sequence[TaxTerms]
) -> FeeTaxes:
    """Taxes of one fee (credits.md §2.3)."""
    with exact():
        base = amount_cents - precise_coupons_cents
        precise_base = precise_amount_cents - precise_coupons_cents
        rows = []
        total, precise_total, rate = ZERO, ZERO, ZERO
        for tax in taxes:
            amount, precise_amount = base * tax.rate / 100, precise_base * tax.rate / 100
            rows.append(FeeTaxAmount(tax, cents_of(amount), precise(precise_amount)))
            total += amount
            precise_total += precise_amount
            rate += tax.rate
        return FeeTaxes(tuple(rows), cents_of(total), precise(precise_total), rate)


def invoice_taxes(fees: Sequence[TaxableFee], sub_total_cents: int) -> InvoiceTaxes:
    """Taxes of an invoice over its fees (credits.md §2.4). `sub_total_cents` excludes taxes."""
    by_tax: dict[object, tuple[TaxTerms, list[Decimal]]] = {}
    for fee in fees:
        for tax in fee.taxes:
            by_tax.setdefault(tax.id, (tax, []))[1].append(fee.base)
    with exact():
        rows = []
        total, rate = ZERO, ZERO
        for tax, bases in by_tax.values():
            base = sum(bases, ZERO)
            amount = base * tax.rate / 100
            share = divide(base, sub_total_cents) if sub_total_cents > 0 else divide(len(bases), len(fees))
            rows.append(InvoiceTaxAmount(tax, int(base), cents_of(amount)))
            total += amount
            rate += share * tax.rate
        return InvoiceTaxes(tuple(rows), cents_of(total), round_half_away(rate, RATE_PLACES))
