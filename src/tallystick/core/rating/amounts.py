"""From an exact price to the amounts stored on a fee, with or without a pricing unit.

The one rounding of a fee happens here (rating.md §1); charge models never round.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.money import cut_to, exact, precise, precise_cents, round_half_away, to_cents

PRICING_UNIT_PLACES = 2  # every pricing unit has two decimals


@dataclass(frozen=True, slots=True)
class FeeAmounts:
    """Minor units, minor units with 15 decimals, and the unit price in currency units with 15 decimals."""

    amount_cents: int
    precise_amount_cents: Decimal
    precise_unit_amount: Decimal


@dataclass(frozen=True, slots=True)
class PricingUnitAmounts:
    """What a charge costs in pricing units (cents are their hundredths), and the fee it becomes in money."""

    amount_cents: int
    precise_amount_cents: Decimal
    unit_amount_cents: int
    precise_unit_amount: Decimal
    fee: FeeAmounts


def fee_amounts(amount: Decimal, unit_amount: Decimal, currency: str) -> FeeAmounts:
    """Amounts of a fee from an exact amount and unit price in currency units (rating.md §1)."""
    return FeeAmounts(to_cents(amount, currency), precise_cents(amount, currency), precise(unit_amount))


def pricing_unit(amount: Decimal, unit_amount: Decimal, conversion_rate: Decimal, currency: str) -> PricingUnitAmounts:
    """Amounts of a fee priced in pricing units; 1 unit = `conversion_rate` of the currency (rating.md §15).

    Money is converted from the rounded units, so amounts below half a hundredth vanish.
    """
    with exact():
        cents = int(round_half_away(amount, PRICING_UNIT_PLACES) * 100)
        fiat = cents * conversion_rate / 100
        return PricingUnitAmounts(
            amount_cents=cents,
            precise_amount_cents=precise(amount * 100),
            unit_amount_cents=int(cut_to(unit_amount * 100)),
            precise_unit_amount=precise(unit_amount),
            fee=fee_amounts(fiat, unit_amount * conversion_rate, currency),
        )
