"""Usage paid in advance: what one event adds to its bucket and group, and what of it current usage shows.

metering.md §6 and §7.3. Which events count, and the steps they make, are found by the SQL of `rooms/metering`; what a
step costs is `rating.price_of_event`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.core.aggregate import text_value
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeterWindow
from tallystick.core.money import EXACT, ZERO, ceil_to, divide, exact, total
from tallystick.core.proration import days_between
from tallystick.core.rating import (
    NOTHING,
    Allowance,
    Beginning,
    ChargeModel,
    Usage,
    read_allowance,
    round_units,
    running_totals,
)
from tallystick.core.windows import Window

_PRORATED_PLACES = 5
_LIMITS = ("per_transaction_min_amount", "per_transaction_max_amount")


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did, at its own place in time (metering.md §6.2, §6.4).

    counted         whether the aggregation selects the event; one that it does not adds nothing
    applied         value of a sum; 1 or -1 when a text was added or removed, else 0; 1 of a count
    raised          new units: by how much the event raised the maximum of its period
    units, events   aggregate and number of all selected events up to and including this one
    precise_cents   Σ precise_total_amount_cents of those; `own_precise_cents` the event's
    window_events   those of them that lie in the period
    values          what they were worth, in order, if the price looks at single values; later ones may follow
    """

    filter_id: UUID | None
    grouped_by: Mapping[str, str | None]
    counted: bool = False
    applied: Decimal = ZERO
    raised: Decimal = ZERO
    units: Decimal = ZERO
    events: int = 0
    window_events: int = 0
    precise_cents: Decimal = ZERO
    own_precise_cents: Decimal = ZERO
    values: Beginning = NOTHING

    @property
    def displayed_units(self) -> Decimal:
        """Units of the fee: a refill below the old maximum shows its units, at no price (metering.md §6.3)."""
        return self.raised if self.raised > 0 else max(self.applied, ZERO)

    @property
    def is_first(self) -> bool:
        """No event was selected before this one, which is."""
        return self.counted and self.events == 1


@dataclass(frozen=True, slots=True)
class Level:
    """Where the events of a period left a bucket and group: `current`, `peak`, and each raise with its instant."""

    current: Decimal
    peak: Decimal
    raises: tuple[tuple[datetime, Decimal], ...]


def is_billed_at_once(charge: ChargeTerms, code: str, properties: Mapping[str, Any]) -> bool:
    """Whether an event with this code makes a fee of the charge (metering.md §6.1)."""
    metric = charge.metric
    if not charge.pay_in_advance or metric.code != code:
        return False
    if metric.aggregation_type in ("count_agg", "custom_agg"):
        return True
    return bool((text_value(properties, metric.field_name) or "").strip())


def usages_of(charge: ChargeTerms, properties: Mapping[str, Any], step: Step) -> tuple[Usage, Usage]:
    """The usage with and without the event (rating.md §12), never rounded (metering.md §3.7).

    `properties` are those of the bucket.
    """
    after = _usage(charge, properties, step, step.units, left_out=0)
    without_units = EXACT.subtract(step.units, step.raised)
    before = _usage(charge, properties, step, without_units, left_out=int(step.counted))
    precise_before = EXACT.subtract(step.precise_cents, step.own_precise_cents)
    return after, replace(before, precise_total_amount_cents=precise_before)


def _usage(charge: ChargeTerms, properties: Mapping[str, Any], step: Step, units: Decimal, *, left_out: int) -> Usage:
    """The usage after the event, or before it when that one is left out."""
    kind, events = charge.metric.aggregation_type, step.events - left_out
    if charge.model is not ChargeModel.PERCENTAGE:
        return Usage(units, units, events, precise_total_amount_cents=step.precise_cents)
    carried = step.events - step.window_events
    limited = any(properties.get(name) not in (None, "") for name in _LIMITS)
    period = step.values.derived(("period", carried), lambda values: values[carried:])
    return Usage(
        units,
        units,
        events,
        running_totals=_running_totals(kind, read_allowance(properties), step.values, events, units),
        event_values=period.first(step.window_events - left_out) if limited else None,
        precise_total_amount_cents=step.precise_cents,
    )


def _running_totals(
    kind: str, allowance: Allowance, values: Beginning, events: int, units: Decimal
) -> Sequence[Decimal] | range:
    """r of rating.md §8.1 after so many events."""
    if kind != "sum_agg":
        return running_totals(kind, allowance, (), units)
    key = ("totals", allowance)
    return values.derived(key, lambda every: [*map(Decimal, running_totals(kind, allowance, every, ZERO))]).first(
        events
    )


def prorated_raise(raised: Decimal, at: datetime, last_at: datetime, tz: str, duration_days: int) -> Decimal:
    """New units × days left of the period / its full length, rounded up to 5 decimals (metering.md §6.5).

    `last_at` is the last instant of the period.
    """
    days = days_between(at, last_at, tz)
    return ceil_to(divide(EXACT.multiply(raised, Decimal(days)), duration_days), _PRORATED_PLACES)


def shown_usage(window: MeterWindow, charge: ChargeTerms, usage: Usage, level: Level | None) -> Usage:
    """Current usage of a charge that is paid in advance or prorated (metering.md §7.3).

    `usage` is what metering finds in the window, not rounded if the charge is paid in advance. Peaks that are invoiced
    already stay visible. Nothing falls below 0.
    """
    real, metric = usage.full_units, charge.metric
    if not charge.pay_in_advance:
        return replace(usage, units=max(usage.units, ZERO), full_units=max(real, ZERO))
    with exact():
        rated = _prorated_peak(window, usage, level) if charge.prorated else _peak(real, level)
    units, full = (
        round_units(metric.rounding_function, metric.rounding_precision, max(x, ZERO)) for x in (rated, real)
    )
    return replace(usage, units=units, full_units=full)


def _peak(real: Decimal, level: Level | None) -> Decimal:
    return real if level is None else real - level.current + level.peak


def _prorated_peak(window: MeterWindow, usage: Usage, level: Level | None) -> Decimal:
    """What was carried into the period by days of the window, and each raise by the days that it was paid for."""
    whole = window.window_days == window.duration_days
    if level is None:
        return usage.full_units if whole else usage.units
    last_at = Window(window.start_at, window.end_at).last_at
    paid = total(
        prorated_raise(raised, at, last_at, window.timezone, window.duration_days) for at, raised in level.raises
    )
    carried = usage.full_units - max(level.current, ZERO)
    share = divide(carried * window.window_days, window.duration_days)
    return paid + (carried if whole else ceil_to(share, _PRORATED_PLACES))
