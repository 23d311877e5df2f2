"""Package charge model: units are sold in packages, a started one is paid in full.

Free units come first and are never packed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, ceil_to, dec_text, ratio
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import JSON, Price, Usage
from tallystick.core.rating.values import required_price, required_whole


@dataclass(frozen=True, slots=True)
class Package:
    """A = ceil((U - free_units) / package_size) × amount (rating.md §7)."""

    package_price: Decimal
    package_size: int
    free_units: int

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Package:
        """From `{"amount": "5", "package_size": 100, "free_units": 50}`. Raises `InvalidProperties`."""
        return cls(
            required_price(properties, "amount"),
            required_whole(properties, "package_size", 1),
            required_whole(properties, "free_units", 0),
        )

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §7; the unit price is per paid unit."""
        paid = max(usage.units - self.free_units, ZERO)
        packages = ceil_to(paid / self.package_size)
        amount = packages * self.package_price
        trace = (
            Step(StepKind.FREE, ZERO, max(usage.units - paid, ZERO)),
            Step(StepKind.PACKAGES, amount, packages, self.package_price),
        )
        return Price(amount, ratio(amount, paid), usage.full_units, self._details(usage.units, paid), trace)

    def _details(self, units: Decimal, paid: Decimal) -> dict[str, JSON]:
        """`amount_details`; everything reads 0 when there were no units (rating.md §7)."""
        return {
            "free_units": dec_text(self.free_units if units else 0),
            "paid_units": dec_text(paid),
            "per_package_size": self.package_size if units else 0,
            "per_package_unit_amount": dec_text(self.package_price if units else ZERO),
        }
