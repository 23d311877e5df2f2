"""Custom charge model: the amount is the one that a custom aggregation computed.

The script and its state belong to metering.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.money import ratio
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class Custom:
    """A = amount of the aggregation state (rating.md §11)."""

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §11."""
        amount = usage.custom_amount
        step = Step(StepKind.GIVEN, amount, usage.units)
        return Price(amount, ratio(amount, usage.full_units), usage.full_units, {}, (step,))
