"""Volume charge model: all units have the price of the range that the total falls into.

Never billed in advance: the price of earlier units changes with later ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import dec_text, precise, ratio
from tallystick.core.rating.ranges import Range, range_of, read_ranges
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import JSON, Price, Usage


@dataclass(frozen=True, slots=True)
class Volume:
    """A = U × per_unit_amount + flat_amount of the range of the full units (rating.md §9)."""

    ranges: tuple[Range, ...]

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Volume:
        """From `{"volume_ranges": [...]}`. Raises `InvalidProperties`."""
        return cls(read_ranges(properties, "volume_ranges", "per_unit_amount"))

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §9: the range by full units, the price by (possibly prorated) rated units."""
        full = usage.full_units
        chosen = range_of(self.ranges, full)
        per_unit_total: Decimal = usage.units * chosen.price
        amount = per_unit_total + chosen.flat
        details: dict[str, JSON] = {
            "flat_unit_amount": dec_text(chosen.flat),
            "per_unit_amount": dec_text(precise(ratio(per_unit_total, full))),
            "per_unit_total_amount": dec_text(per_unit_total),
        }
        trace = (
            Step(StepKind.TIER, per_unit_total, usage.units, chosen.price, chosen.low, chosen.high),
            Step(StepKind.FLAT, chosen.flat, low=chosen.low, high=chosen.high),
        )
        return Price(amount, ratio(amount, full), full, details, trace)
