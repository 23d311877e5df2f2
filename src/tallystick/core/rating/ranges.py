"""Ranges of graduated, graduated percentage and volume charges as positions on the unit axis.

Not their validation, which is in `properties.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO
from tallystick.core.rating.usage import InvalidProperties
from tallystick.core.rating.values import bound_of, plain_number, required_price


@dataclass(frozen=True, slots=True)
class Range:
    """Range k: it covers the positions (low, high] (rating.md §5), whatever `from_value` says.

    `price` is the per-unit amount, or the rate in percent.
    """

    from_value: int | Decimal
    to_value: int | Decimal | None
    low: Decimal
    high: Decimal | None
    price: Decimal
    flat: Decimal

    def reaches(self, units: Decimal) -> bool:
        """Whether the range ends at or above `units`."""
        return self.high is None or self.high >= units


def read_ranges(properties: Mapping[str, Any], key: str, price_key: str) -> tuple[Range, ...]:
    """The ranges under `key`, prices under `price_key`. Raises `InvalidProperties`."""
    ranges: list[Range] = []
    low = ZERO
    for row in properties.get(key) or ():
        start = bound_of(row.get("from_value"))
        high = bound_of(row.get("to_value"))
        if start is None or (high is None and row.get("to_value") is not None):
            raise InvalidProperties(f"{key} has a bound that is not a number")
        to_value = None if high is None else plain_number(high)
        price, flat = required_price(row, price_key), required_price(row, "flat_amount")
        ranges.append(Range(plain_number(start), to_value, low, high, price, flat))
        low = high if high is not None else low
    if not ranges:
        raise InvalidProperties(f"{key} is empty")
    return tuple(ranges)


def split(ranges: tuple[Range, ...], units: Decimal) -> Iterator[tuple[Range, Decimal]]:
    """The ranges entered by `units` and the units in each (rating.md §5).

    The first range is always entered; a later one only when `units` exceed the end of the one before.
    """
    for entered in ranges:
        top = units if entered.high is None else min(units, entered.high)
        yield entered, top - entered.low
        if entered.reaches(units):
            return


def range_of(ranges: tuple[Range, ...], units: Decimal) -> Range:
    """The first range that reaches `units` (rating.md §9); the last one when none does."""
    return next((one for one in ranges if one.reaches(units)), ranges[-1])
