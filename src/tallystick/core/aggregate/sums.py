"""Count, sum, max and latest of one bucket and group (metering.md §3.2), with what proration needs (§3.6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tallystick.core.aggregate.event import Event, numeric_value
from tallystick.core.aggregate.figures import Figures, needs_values
from tallystick.core.metering import MeterWindow
from tallystick.core.money import EXACT, ZERO, total
from tallystick.core.proration import date_days
from tallystick.core.windows import Window


def sums(window: MeterWindow, events: list[Event], start: datetime) -> Figures:
    """Figures of selected events in order; for custom metrics, which are not evaluated, all zero."""
    metric = window.charge.metric
    kind = metric.aggregation_type
    if kind == "count_agg":
        return Figures(events=len(events), window_events=len(events), units=Decimal(len(events)))
    values = [numeric_value(event.properties, metric.field_name) or ZERO for event in events]
    days = [_paid_days(window, event, start) for event in events]
    keeps = needs_values(window.charge)
    return Figures(
        events=len(events),
        window_events=sum(1 for paid in days if paid),
        units=_units(kind, values),
        carried=total(value for value, paid in zip(values, days, strict=True) if not paid),
        weight=total(EXACT.multiply(value, Decimal(paid)) for value, paid in zip(values, days, strict=True)),
        # only the dynamic charge model reads it, which goes with sums (rating.md §10)
        precise_cents=total(event.precise_total_amount_cents or ZERO for event in events if kind == "sum_agg"),
        values=tuple(values) if keeps else (),
        days=tuple(days) if keeps else (),
    )


def _units(aggregation_type: str, values: list[Decimal]) -> Decimal:
    match aggregation_type:
        case "max_agg":
            return max(values, default=ZERO)
        case "latest_agg":
            return values[-1] if values else ZERO
        case _:
            return total(values)


def _paid_days(window: MeterWindow, event: Event, start: datetime) -> int:
    """Days an event of the window pays for, its own and the last one included; 0 for events before the window."""
    if event.timestamp < start:
        return 0
    last_at = Window(window.start_at, window.end_at).last_at
    return date_days(event.timestamp, last_at, window.timezone) + 1 if window.charge.prorated else 1
