"""Unique counts: texts that are added and removed (metering.md §3.3), and the days they were there (§3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tallystick.core.aggregate.event import Event, text_value
from tallystick.core.aggregate.figures import Figures, has_items
from tallystick.core.metering import MeterWindow
from tallystick.core.money import ONE
from tallystick.core.periods import local_date
from tallystick.core.proration import date_days
from tallystick.core.windows import Window

ADD, REMOVE = "add", "remove"


def operation(event: Event) -> str | None:
    """`add` or `remove`; None for any other text, such an event is ignored (metering.md §3.3)."""
    text = text_value(event.properties, "operation_type") or ADD
    return text if text in (ADD, REMOVE) else None


@dataclass(frozen=True, slots=True)
class _Operation:
    """A kept operation of one text, with the paid days of the interval it begins or ends."""

    text: str
    event: Event
    adds: bool
    days: int


def unique_counts(window: MeterWindow, events: list[Event], start: datetime) -> Figures:
    """Figures of selected events in order; `weight` and items only matter for prorated charges."""
    field = window.charge.metric.field_name
    by_text: dict[str, list[Event]] = {}
    for event in events:
        by_text.setdefault(text_value(event.properties, field) or "", []).append(event)
    kept = [one for text, its in by_text.items() for one in _operations(window, text, its, start)]
    active = sum(1 if one.adds else -1 for one in kept)
    items = sorted(
        (one for one in kept if one.days), key=lambda one: (one.event.timestamp, one.text, one.event.position)
    )
    keeps = has_items(window.charge)
    return Figures(
        events=len(events),
        window_events=sum(1 for event in events if event.timestamp >= start),
        units=Decimal(active),
        weight=Decimal(sum(one.days for one in kept if one.adds)),
        values=tuple(ONE if one.adds else -ONE for one in items) if keeps else (),
        days=tuple(one.days for one in items) if keeps else (),
    )


def _operations(window: MeterWindow, text: str, events: list[Event], start: datetime) -> Iterator[_Operation]:
    """Alternating additions and removals of one text, beginning with an addition."""
    changes = list(_changes(window, events))
    last_at = Window(window.start_at, window.end_at).last_at
    for place in range(0, len(changes), 2):
        added, *removed = changes[place : place + 2]
        end = removed[0].timestamp if removed else last_at
        days = 0 if end < start else date_days(max(added.timestamp, start), end, window.timezone) + 1
        yield _Operation(text, added, True, days)
        if removed:
            yield _Operation(text, removed[0], False, days)


def _changes(window: MeterWindow, events: list[Event]) -> Iterator[Event]:
    """Without removals that are taken back on the same local day, and without what does not change the state."""
    state = REMOVE
    for place, event in enumerate(events):
        does = operation(event)
        day = local_date(event.timestamp, window.timezone)
        later = (other for other in events[place + 1 :] if local_date(other.timestamp, window.timezone) == day)
        if does == REMOVE and any(operation(other) == ADD for other in later):
            continue
        if does is not None and does != state:
            state = does
            yield event
