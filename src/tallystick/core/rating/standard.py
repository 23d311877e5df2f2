"""Standard charge model: every unit has one price.

Prorated charges come here with prorated units; proration itself is metering's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import ratio
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import Price, Usage
from tallystick.core.rating.values import required_price


@dataclass(frozen=True, slots=True)
class Standard:
    """A = U × amount (rating.md §4)."""

    unit_price: Decimal

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Standard:
        """From `{"amount": "0.05"}`. Raises `InvalidProperties`."""
        return cls(required_price(properties, "amount"))

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §4."""
        amount = usage.units * self.unit_price
        step = Step(StepKind.UNITS, amount, usage.units, self.unit_price)
        return Price(amount, ratio(amount, usage.full_units), usage.full_units, {}, (step,))
