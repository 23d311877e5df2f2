"""Rounding of a metric's units before they are priced.

Not money rounding, which is in `core/money.py`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from tallystick.core.money import ceil_to, floor_to, round_half_away


class RoundingFunction(StrEnum):
    """`rounding_function` of a metric (metering.md §2.1)."""

    ROUND = "round"
    CEIL = "ceil"
    FLOOR = "floor"


_ROUNDINGS = {
    RoundingFunction.ROUND: round_half_away,
    RoundingFunction.CEIL: ceil_to,
    RoundingFunction.FLOOR: floor_to,
}


def round_units(function: str | None, precision: int | None, value: Decimal) -> Decimal:
    """Units rounded as the metric says (metering.md §3.7); unchanged without a function.

    `precision` None is 0, negative rounds to tens, hundreds, … Raises `ValueError` for an unknown function.
    """
    if function is None:
        return value
    return _ROUNDINGS[RoundingFunction(function)](value, precision or 0)
