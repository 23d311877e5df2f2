"""Reading of the numbers that people write into charge properties.

Prices are JSON strings and stay exact (rating.md §1); not for numbers of events, whose rule is stricter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.rating.usage import InvalidProperties

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST = Decimal(10) ** 30  # far above what 64 bits of minor units hold; refuses what could not be billed
_MOST_DECIMALS = 60  # keeps products inside the 80 digits of the exact context


def decimal_of(text: str) -> Decimal | None:
    """The finite decimal a text spells (exponent allowed), None when it spells none or an absurdly long one."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = Decimal(text)
    scale = number.as_tuple().exponent
    return number if abs(number) < _LARGEST and isinstance(scale, int) and scale >= -_MOST_DECIMALS else None


def price_of(value: object) -> Decimal | None:
    """A price: a JSON string with a finite decimal >= 0; a JSON number is refused (rating.md §1)."""
    number = decimal_of(value) if isinstance(value, str) else None
    return number if number is not None and number >= 0 else None


def bound_of(value: object) -> Decimal | None:
    """A bound of a range: a JSON number or a numeric string (rating.md §2)."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    return decimal_of(str(value))  # str() of a binary float gives the digits its author wrote


def whole_of(value: object, least: int) -> int | None:
    """A JSON integer not below `least`."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None


def plain_number(number: Decimal) -> int | Decimal:
    """A bound as stored and echoed: an integer when it is whole."""
    return int(number) if number == number.to_integral_value() else number


def required_price(properties: Mapping[str, Any], key: str) -> Decimal:
    """The price under `key`. Raises `InvalidProperties`."""
    price = price_of(properties.get(key))
    if price is None:
        raise InvalidProperties(f"{key} is not a non-negative decimal string")
    return price


def optional_price(properties: Mapping[str, Any], key: str) -> Decimal | None:
    """The price under `key`, None when it is absent or null. Raises `InvalidProperties`."""
    return None if properties.get(key) is None else required_price(properties, key)


def required_whole(properties: Mapping[str, Any], key: str, least: int) -> int:
    """The integer under `key`. Raises `InvalidProperties`."""
    whole = whole_of(properties.get(key), least)
    if whole is None:
        raise InvalidProperties(f"{key} is not an integer >= {least}")
    return whole
