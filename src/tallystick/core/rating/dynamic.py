"""Dynamic charge model: every event brings its own price, in minor units.

There are no properties; only events selected by the metric bring their amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.money import ZERO, from_cents, ratio
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A = P / sub (rating.md §10)."""

    currency: str

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §10; no units, no amount, even when events brought one."""
        amount: Decimal = from_cents(usage.precise_total_amount_cents, self.currency) if usage.units else ZERO
        step = Step(StepKind.GIVEN, amount, usage.units)
        return Price(amount, ratio(amount, usage.full_units), usage.full_units, {}, (step,))
