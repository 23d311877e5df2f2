"""Prorated graduated charge model: ranges are chosen by full units and priced with prorated units.

For arrears charges on recurring sums and unique counts and for prorated fixed charges; the items come from metering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, ratio, total
from tallystick.core.rating.ranges import Range, range_of, read_ranges
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import Price, Usage

Item = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class ProratedGraduated:
    """Each item moves the level by f units, at p / f of the prices of the ranges it crosses (rating.md §5.1)."""

    ranges: tuple[Range, ...]

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> ProratedGraduated:
        """From `{"graduated_ranges": [...]}`. Raises `InvalidProperties`."""
        return cls(read_ranges(properties, "graduated_ranges", "per_unit_amount"))

    def price(self, usage: Usage) -> Price:
        """Price of rating.md §5.1; details are empty."""
        trace = self._trace(usage)
        amount = total(step.amount for step in trace)
        full = total(f for f, _ in usage.items)
        return Price(amount, ratio(amount, full), usage.full_units, {}, trace)

    def _trace(self, usage: Usage) -> tuple[Step, ...]:
        first = self.ranges[0]
        if not usage.units:
            return (_flat(first),)
        if len(usage.items) == 1 and not usage.items[0][0]:  # a fixed charge lowered to 0 during the period
            prorated = usage.items[0][1]
            return (Step(StepKind.TIER, prorated * first.price, prorated, first.price, ZERO, first.high), _flat(first))
        parts = dict.fromkeys(self.ranges, ZERO)
        level = top = ZERO
        for f, p in _counted(usage.items):
            for crossed, length in _overlaps(self.ranges, level, level + f):
                parts[crossed] += length * p / abs(f)
            level += f
            top = max(top, level)
        return () if level < 0 else self._steps(parts, top)

    def _steps(self, parts: dict[Range, Decimal], top: Decimal) -> tuple[Step, ...]:
        """max(R, 0), then the flat amounts of all ranges up to the highest level ever reached."""
        last = range_of(self.ranges, top)
        tiers = [
            Step(StepKind.TIER, units * crossed.price, units, crossed.price, crossed.low, crossed.high)
            for crossed, units in parts.items()
            if units
        ]
        rated = total(step.amount for step in tiers)
        floor = [Step(StepKind.FLOOR, -rated)] if rated < 0 else []
        return (*tiers, *floor, *(_flat(one) for one in self.ranges[: self.ranges.index(last) + 1]))


def _counted(items: tuple[Item, ...]) -> Iterator[Item]:
    """The items that count: not those added and removed again before the period (rating.md §5.1)."""
    level = ZERO
    for f, p in items:
        if f and (p or (f < 0 and level + f >= 0)):
            yield f, p
            level += f


def _overlaps(ranges: tuple[Range, ...], a: Decimal, b: Decimal) -> Iterator[tuple[Range, Decimal]]:
    """Length of the stretch between two levels inside each range; the first range has no lower end."""
    low, high = min(a, b), max(a, b)
    for position, one in enumerate(ranges):
        start = low if position == 0 else max(low, one.low)
        end = high if one.high is None else min(high, one.high)
        if end > start:
            yield one, end - start


def _flat(one: Range) -> Step:
    return Step(StepKind.FLAT, one.flat, low=one.low, high=one.high)
