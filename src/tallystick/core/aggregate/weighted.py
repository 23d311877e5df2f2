"""Weighted sums: the time-weighted mean of a level that events raise and lower (metering.md §3.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tallystick.core.aggregate.event import Event, numeric_value
from tallystick.core.aggregate.figures import Figures
from tallystick.core.metering import MeterWindow
from tallystick.core.money import EXACT, ZERO, divide, total

_MICROSECOND = timedelta(microseconds=1)


def weighted_sums(window: MeterWindow, events: list[Event], start: datetime) -> Figures:
    """Walks the instants of the window in order and adds up level × seconds; earlier events are the first level."""
    field = window.charge.metric.field_name
    values = [numeric_value(event.properties, field) or ZERO for event in events]
    changes = [
        (event.timestamp, value) for event, value in zip(events, values, strict=True) if event.timestamp >= start
    ]
    carried = total(value for event, value in zip(events, values, strict=True) if event.timestamp < start)
    level, at, weight = carried, window.start_at, ZERO
    for instant, value in (*changes, (_end(window), ZERO)):
        weight = EXACT.add(weight, EXACT.multiply(level, _seconds(instant - at)))
        level, at = EXACT.add(level, value), instant
    return Figures(
        events=len(events),
        window_events=len(changes),
        units=total(value for _, value in changes),
        carried=carried,
        weight=weight,
    )


def _end(window: MeterWindow) -> datetime:
    """The inclusive end of the window rounded up to a whole second."""
    last_at = window.end_at - _MICROSECOND
    return last_at + timedelta(microseconds=-last_at.microsecond % 1_000_000)


def _seconds(span: timedelta) -> Decimal:
    return divide(span // _MICROSECOND, 1_000_000)
