"""`amount_details` of fees billed in advance: the difference between the details with and without the event.

Only percentage and graduated percentage charges have any.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, dec_text, exact, ratio, round_half_away
from tallystick.core.rating.usage import JSON

_RANGES = "graduated_percentage_ranges"
_OF_WITH = ("rate", "fixed_fee_unit_amount")  # prices, not amounts: taken over as they are
_AVERAGE_PLACES = 2


def percentage_details(with_details: Mapping[str, Any], without_details: Mapping[str, Any]) -> dict[str, JSON]:
    """`with - without` as decimal strings; `free_units` is what is left of the units (rating.md §12)."""
    details: dict[str, JSON] = {
        key: value if key in _OF_WITH else _difference(with_details, without_details, key)
        for key, value in with_details.items()
    }
    details["free_units"] = _difference(details, details, "units", "paid_units")
    return details


def graduated_percentage_details(
    with_details: Mapping[str, Any], without_details: Mapping[str, Any]
) -> dict[str, JSON]:
    """Every range of `with`, its numbers minus those of the same range of `without` (rating.md §12).

    `per_unit_total_amount` is an average unit price with the flat amount included, kept on purpose.
    """
    before = without_details.get(_RANGES, ())
    ranges = with_details[_RANGES]
    return {_RANGES: [_range(row, before[k] if k < len(before) else {}) for k, row in enumerate(ranges)]}


def _range(row: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, JSON]:
    units, total = _difference(row, before, "units"), _difference(row, before, "total_with_flat_amount")
    average = round_half_away(ratio(Decimal(total), Decimal(units)), _AVERAGE_PLACES)
    return {
        **row,
        "flat_unit_amount": _difference(row, before, "flat_unit_amount"),
        "units": units,
        "per_unit_total_amount": dec_text(average),
        "total_with_flat_amount": total,
    }


def _difference(a: Mapping[str, Any], b: Mapping[str, Any], key: str, other_key: str | None = None) -> str:
    """a[key] - b[other_key or key] as a `dec` string; absent counts as 0."""
    with exact():
        return dec_text(Decimal(a[key]) - Decimal(b.get(other_key or key, ZERO)))
