"""Alerts: which thresholds a figure crosses between two looks at it (metering.md §10, webhooks.md §5.7).

Values are minor units, credits or units, as the alert's type has them. Where they come from is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from tallystick.core.money import ZERO, divide, exact

#: steps of a recurring threshold that one look reports at most: those nearest to the figure
MOST_STEPS = 1000


class Direction(StrEnum):
    """Which way a figure runs into its thresholds."""

    INCREASING = "increasing"
    DECREASING = "decreasing"


@dataclass(frozen=True, slots=True)
class AlertThreshold:
    """A value to be told of; of a recurring one `value` is the step."""

    value: Decimal
    recurring: bool = False
    code: str | None = None


def crossed(
    direction: Direction, previous: Decimal, current: Decimal, thresholds: Sequence[AlertThreshold]
) -> list[AlertThreshold]:
    """Thresholds between the two values: one-time ones, then steps with the values reached, each ascending."""
    with exact():
        if direction is Direction.INCREASING:
            return _crossed_upwards(previous, current, thresholds)
        mirrored = [one if one.recurring else replace(one, value=-one.value) for one in thresholds]
        found = _crossed_upwards(-previous, -current, mirrored)
        return _ascending(replace(one, value=ZERO - one.value) for one in found)


def _crossed_upwards(previous: Decimal, current: Decimal, thresholds: Sequence[AlertThreshold]) -> list[AlertThreshold]:
    once = [one for one in thresholds if not one.recurring]
    if current <= previous or (once and current < min(one.value for one in once)):
        return []
    found = [one for one in once if previous < one.value <= current]
    base = max((one.value for one in once), default=ZERO)
    for step in thresholds:
        if step.recurring:
            last = _steps_to(current, base, step.value)
            first = max(_steps_to(previous, base, step.value) + 1, 1, last - MOST_STEPS + 1)
            found.extend(replace(step, value=base + k * step.value) for k in range(first, last + 1))
    return _ascending(found)


def _steps_to(value: Decimal, base: Decimal, step: Decimal) -> int:
    """How many whole steps lie between the base and a value; below zero under the base."""
    return int(divide(value - base, step).to_integral_value(ROUND_FLOOR))


def _ascending(found: Iterable[AlertThreshold]) -> list[AlertThreshold]:
    return sorted(found, key=lambda one: (one.recurring, one.value))
