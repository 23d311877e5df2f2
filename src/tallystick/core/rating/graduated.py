"""Graduated charge model: the units inside each range have the price of that range.

The prorated variant works event by event and lives in `graduated_prorated.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.core.rating.ranges import Range, read_ranges
from tallystick.core.rating.tiers import price_by_tier
from tallystick.core.rating.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class Graduated:
    """A = Σ over entered ranges of units in the range × per_unit_amount + flat_amount (rating.md §5)."""

    ranges: tuple[Range, ...]

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Graduated:
        """From `{"graduated_ranges": [...]}`. Raises `InvalidProperties`."""
        return cls(read_ranges(properties, "graduated_ranges", "per_unit_amount"))

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §5."""
        return price_by_tier(self.ranges, usage, details_key="graduated_ranges", price_key="per_unit_amount")
