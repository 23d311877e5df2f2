"""Percentage charge model: a percentage of the units, plus a fixed amount per event, after free allowances.

Minimum and maximum per transaction are in `transaction_limits.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, dec_text, ratio
from tallystick.core.rating.allowance import Allowance
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.transaction_limits import TransactionLimits
from tallystick.core.rating.usage import JSON, Price, Usage
from tallystick.core.rating.values import optional_price, required_price, required_whole


@dataclass(frozen=True, slots=True)
class Percentage:
    """A = (U - free units) × rate / 100 + (N - free events) × fixed_amount (rating.md §8); `rate` in percent."""

    rate: Decimal
    fixed: Decimal
    allowance: Allowance
    limits: TransactionLimits

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Percentage:
        """From `{"rate": "1.5", "fixed_amount": "0.3", ...}`. Raises `InvalidProperties`."""
        return cls(
            required_price(properties, "rate"),
            optional_price(properties, "fixed_amount") or ZERO,
            read_allowance(properties),
            TransactionLimits(
                optional_price(properties, "per_transaction_min_amount"),
                optional_price(properties, "per_transaction_max_amount"),
            ),
        )

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §8.1, or §8.2 when there are limits that apply to the metric."""
        units, events = usage.units, usage.events_count
        free_units = self.allowance.free_units(usage.running_totals)
        free_events = min(self.allowance.free_events(usage.running_totals), events)
        paid = ZERO if free_units > units else units - free_units
        part = paid * self.rate / 100
        fixed = (events - free_events) * self.fixed if units else ZERO
        adjustment = ZERO
        if self.limits and usage.event_values is not None:
            adjustment = self.limits.amount(usage.event_values, self.rate, self.fixed, self.allowance) - part - fixed
        amount = part + fixed + adjustment
        details: dict[str, JSON] = {
            "units": dec_text(units),
            "free_units": dec_text(free_units),
            "free_events": free_events,
            "paid_units": dec_text(max(paid, ZERO)),
            "rate": dec_text(self.rate),
            "per_unit_total_amount": dec_text(part),
            "paid_events": events - free_events,
            "fixed_fee_unit_amount": dec_text(self.fixed if events > free_events else ZERO),
            "fixed_fee_total_amount": dec_text(fixed),
            "min_max_adjustment_total_amount": dec_text(adjustment),
        }
        trace = (
            Step(StepKind.FREE, ZERO, free_units),
            Step(StepKind.RATE, part, paid, self.rate),
            Step(StepKind.FIXED, fixed, Decimal(events - free_events), self.fixed),
            Step(StepKind.LIMITS, adjustment),
        )
        return Price(amount, ratio(amount, usage.full_units), usage.full_units, details, trace)


def read_allowance(properties: Mapping[str, Any]) -> Allowance:
    """The free allowances of percentage properties. Raises `InvalidProperties`."""
    events = properties.get("free_units_per_events")
    return Allowance(
        0 if events is None else required_whole(properties, "free_units_per_events", 1),
        optional_price(properties, "free_units_per_total_aggregation") or ZERO,
    )
