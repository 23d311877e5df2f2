"""Price of a single event without looking at any other: no history, no free allowances, no taxes (metering.md §8.2).

Only for estimates; what an event really costs is `event.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import EXACT, ZERO, exact, ratio, round_half_away, round_to_currency, subunit, to_cents
from tallystick.core.rating.allowance import Allowance
from tallystick.core.rating.amounts import PRICING_UNIT_PLACES
from tallystick.core.rating.percentage import Percentage
from tallystick.core.rating.standard import Standard
from tallystick.core.rating.usage import ChargeModel

#: the charge models that have instant estimates
INSTANT_MODELS = (ChargeModel.STANDARD, ChargeModel.PERCENTAGE)


@dataclass(frozen=True, slots=True)
class InstantPrice:
    """`amount` in currency units, exact; `unit_price_cents` in minor units, of the rounded amount."""

    amount: Decimal
    amount_cents: int
    unit_price_cents: Decimal


def instant_price(
    model: ChargeModel,
    properties: Mapping[str, Any],
    units: Decimal,
    currency: str,
    conversion_rate: Decimal | None = None,
) -> InstantPrice:
    """Price of these units in one event; negative ones are free. Raises `InvalidProperties`, `UnknownCurrency`.

    With a `conversion_rate` prices are in pricing units, whose rounded amount becomes money (rating.md §15).
    """
    with exact():
        amount = ZERO if units < 0 else _amount(model, properties, units)
        if conversion_rate is not None:
            amount = round_half_away(amount, PRICING_UNIT_PLACES) * conversion_rate
        unit_price = ratio(round_to_currency(amount, currency), units)
        return InstantPrice(amount, to_cents(amount, currency), EXACT.multiply(unit_price, Decimal(subunit(currency))))


def _amount(model: ChargeModel, properties: Mapping[str, Any], units: Decimal) -> Decimal:
    if model is ChargeModel.STANDARD:
        return units * Standard.read(properties).unit_price
    terms = Percentage.read(properties)
    return terms.limits.amount([units], terms.rate, terms.fixed, Allowance(0, ZERO))
