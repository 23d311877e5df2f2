"""Rules for the ranges of graduated, graduated percentage and volume charges.

What the ranges mean is in `ranges.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO
from tallystick.core.rating.values import bound_of, price_of

_PRICE_CODES = {
    "graduated_ranges": {"per_unit_amount": "invalid_amount", "flat_amount": "invalid_amount"},
    "volume_ranges": {"per_unit_amount": "invalid_amount", "flat_amount": "invalid_amount"},
    "graduated_percentage_ranges": {"rate": "invalid_rate", "flat_amount": "invalid_amount"},
}


def range_errors(key: str, rows: object) -> list[str]:
    """Error codes of the ranges under `key`, one per failing price or range (rating.md §2)."""
    if not rows:
        return [f"missing_{key}"]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return [f"invalid_{key}"]
    errors: list[str] = []
    previous: Decimal | None = None
    for position, row in enumerate(rows):
        errors += [code for name, code in _PRICE_CODES[key].items() if price_of(row.get(name)) is None]
        touching = key != "volume_ranges"
        first, last = position == 0, position == len(rows) - 1
        if not _fits(row, _starts(previous, first=first, touching=touching), last=last):
            errors.append(f"invalid_{key}")
        previous = bound_of(row.get("to_value"))
    return errors


def _starts(previous: Decimal | None, *, first: bool, touching: bool) -> tuple[Decimal, ...]:
    """The values allowed as `from_value`, given the end of the range before; volume ranges may not touch."""
    if first:
        return (ZERO, Decimal(1))
    if previous is None:
        return ()
    return (previous, previous + 1) if touching else (previous + 1,)


def _fits(row: Mapping[str, Any], starts: tuple[Decimal, ...], *, last: bool) -> bool:
    """Whether a range starts where it may, ends above its start, and is open exactly when it is the last."""
    start, end = bound_of(row.get("from_value")), bound_of(row.get("to_value"))
    if start is None or start not in starts:
        return False
    return row.get("to_value") is None if last else end is not None and end > start
