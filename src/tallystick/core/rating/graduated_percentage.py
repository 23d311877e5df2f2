"""Graduated percentage charge model: a percentage of the units inside each range.

Meant for units that are amounts of money, e.g. payments processed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.core.rating.ranges import Range, read_ranges
from tallystick.core.rating.tiers import price_by_tier
from tallystick.core.rating.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """A = Σ over entered ranges of units in the range × rate / 100 + flat_amount (rating.md §6)."""

    ranges: tuple[Range, ...]

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> GraduatedPercentage:
        """From `{"graduated_percentage_ranges": [...]}`. Raises `InvalidProperties`."""
        return cls(read_ranges(properties, "graduated_percentage_ranges", "rate"))

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §6."""
        return price_by_tier(self.ranges, usage, details_key="graduated_percentage_ranges", price_key="rate")
