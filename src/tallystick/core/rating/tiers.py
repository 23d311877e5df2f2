"""What graduated and graduated percentage charges share: each range prices the units inside it.

The two models differ in the name of the price and in the percent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from tallystick.core.money import ZERO, dec_text, ratio
from tallystick.core.rating.ranges import Range, split
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import JSON, Price, Usage

PriceKey = Literal["per_unit_amount", "rate"]


def price_by_tier(ranges: tuple[Range, ...], usage: Usage, *, details_key: str, price_key: PriceKey) -> Price:
    """A = Σ units in the range × price + flat amount over the entered ranges (rating.md §5, §6).

    The first range is always entered, so its flat amount is due at 0 units. A rate is in percent.
    """
    amount = ZERO
    rows: list[JSON] = []
    trace: list[Step] = []
    for entered, units in split(ranges, usage.units):
        unit_price = entered.price / 100 if price_key == "rate" else entered.price
        part = units * unit_price
        amount += part + entered.flat
        rows.append(_row(entered, units, part, price_key))
        trace.append(Step(StepKind.TIER, part, units, unit_price, entered.low, entered.high))
        trace.append(Step(StepKind.FLAT, entered.flat, low=entered.low, high=entered.high))
    return Price(amount, ratio(amount, usage.full_units), usage.full_units, {details_key: rows}, tuple(trace))


def _row(entered: Range, units: Decimal, part: Decimal, price_key: PriceKey) -> dict[str, JSON]:
    """One entry of `amount_details`; a per-unit amount shows 0 in a range without units, a rate always shows."""
    shown = entered.price if units or price_key == "rate" else ZERO
    return {
        "from_value": entered.from_value,
        "to_value": entered.to_value,
        "flat_unit_amount": dec_text(entered.flat),
        price_key: dec_text(shown),
        "units": dec_text(units),
        "per_unit_total_amount": dec_text(part),
        "total_with_flat_amount": dec_text(part + entered.flat),
    }
