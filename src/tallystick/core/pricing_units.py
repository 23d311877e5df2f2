"""Amounts of fees whose charge has its prices in a pricing unit, and of those that have them in money.

The conversion itself is `rating/amounts.py`; which charge has which unit is the contract's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from tallystick.core.money import exact, from_cents, precise
from tallystick.core.rating import FeeAmounts, PricingUnitAmounts, TrueUp, fee_amounts, pricing_unit


@dataclass(frozen=True, slots=True)
class PricingUnitTerms:
    """A pricing unit as one charge has it; one unit is `conversion_rate` units of the plan's currency."""

    id: UUID
    code: str
    short_name: str
    conversion_rate: Decimal


@dataclass(frozen=True, slots=True)
class InUnits:
    """What a fee costs in the pricing unit of its charge, in hundredths of it."""

    unit: PricingUnitTerms
    amounts: PricingUnitAmounts


@dataclass(frozen=True, slots=True)
class ChargeAmounts:
    """Amounts of a fee in money, and before that in the pricing unit of its charge if it has one."""

    money: FeeAmounts
    in_units: InUnits | None = None


def charge_amounts(
    unit: PricingUnitTerms | None, amount: Decimal, unit_amount: Decimal, currency: str
) -> ChargeAmounts:
    """From an exact amount and unit price in what the charge is priced in (rating.md §1, §15)."""
    if unit is None:
        return ChargeAmounts(fee_amounts(amount, unit_amount, currency))
    found = pricing_unit(amount, unit_amount, unit.conversion_rate, currency)
    return ChargeAmounts(found.fee, InUnits(unit, found))


def true_up_amounts(unit: PricingUnitTerms | None, missing: TrueUp, currency: str) -> ChargeAmounts:
    """Amounts of a true-up, which counts in hundredths of the pricing unit if there is one (rating.md §13)."""
    if unit is None:
        unit_amount = precise(from_cents(missing.precise_amount_cents, currency))
        return ChargeAmounts(FeeAmounts(missing.amount_cents, missing.precise_amount_cents, unit_amount))
    with exact():
        amount, unit_amount = Decimal(missing.amount_cents) / 100, missing.precise_amount_cents / 100
    found = pricing_unit(amount, unit_amount, unit.conversion_rate, currency)
    found = replace(found, precise_amount_cents=missing.precise_amount_cents)
    return ChargeAmounts(found.fee, InUnits(unit, found))
