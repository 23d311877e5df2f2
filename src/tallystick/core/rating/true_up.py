"""Spending minimum of a charge: the true-up fee that fills what its usage fees left open.

Not the minimum commitment of a plan (rating.md §17).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.money import cents_of, exact, precise


@dataclass(frozen=True, slots=True)
class TrueUp:
    """Amounts of a true-up fee, in minor units (hundredths when the charge has a pricing unit)."""

    amount_cents: int
    precise_amount_cents: Decimal
    minimum_cents: Decimal


def true_up(
    min_amount_cents: int, days: int, duration: int, used_cents: int, used_precise_cents: Decimal
) -> TrueUp | None:
    """The true-up of rating.md §13, None when usage reached the minimum or the fee would round to 0.

    `days` of the `duration` of the full period are billed; `used_*` sum all fees of the charge on the invoice.
    """
    with exact():
        minimum = Decimal(min_amount_cents * days) / duration
        missing = cents_of(minimum - used_cents)
        if missing <= 0:
            return None
        return TrueUp(missing, precise(minimum - used_precise_cents), precise(minimum))
