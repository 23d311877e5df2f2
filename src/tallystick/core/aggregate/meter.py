"""The oracle: usage of one window, bucket by bucket and group by group, from a plain list of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tallystick.core.aggregate.buckets import bucket_of, group_keys, group_of
from tallystick.core.aggregate.event import Event, numeric_value, text_value
from tallystick.core.aggregate.figures import Figures, usage
from tallystick.core.aggregate.sums import sums
from tallystick.core.aggregate.unique import operation, unique_counts
from tallystick.core.aggregate.weighted import weighted_sums
from tallystick.core.contract import PriceFilter
from tallystick.core.metering import MeteredBucket, MeterWindow

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NUMERIC = ("sum_agg", "max_agg", "latest_agg", "weighted_sum_agg")


def meter(
    window: MeterWindow, events: Sequence[Event], first_started_at: datetime | None = None
) -> list[MeteredBucket]:
    """Usage of all buckets of a charge, filters first, groups in order of their values (metering.md §3, §4).

    `events` are all events with the window's organization, subscription and code. `first_started_at`: start of the
    oldest subscription with that external id; weighted sums carry nothing older, and nothing at all without it.
    """
    charge = window.charge
    selected = _selected(window, events, first_started_at)
    found = []
    for bucket in (*charge.filters, None):
        keys = group_keys(charge, bucket)
        inside = [event for event in selected if bucket_of(charge, event.properties) is bucket]
        groups = sorted({group_of(keys, event.properties) for event in inside}, key=group_order)
        for group in groups or [(None,) * len(keys)]:
            figures = _figures(window, [event for event in inside if group_of(keys, event.properties) == group])
            found.append(_metered(window, bucket, dict(zip(keys, group, strict=True)), figures))
    return found


def _metered(
    window: MeterWindow, bucket: PriceFilter | None, group: dict[str, str | None], figures: Figures
) -> MeteredBucket:
    properties = window.charge.properties if bucket is None else bucket.properties
    return MeteredBucket(window.key, bucket.id if bucket else None, group, usage(window, properties, figures))


def group_order(group: Sequence[str | None]) -> tuple[tuple[bool, str], ...]:
    """Sorting key of groups: by their values, null first."""
    return tuple((value is not None, value or "") for value in group)


def window_start(window: MeterWindow) -> datetime:
    """The first instant whose events count: `from` cut to milliseconds (metering.md §3.1)."""
    start = window.start_at
    return start - timedelta(microseconds=start.microsecond % 1000)


def _selected(window: MeterWindow, events: Sequence[Event], first_started_at: datetime | None) -> list[Event]:
    """`select` of metering.md §3.1 in order, without the bucket and group rules."""
    start = _reach(window, first_started_at)
    inside = (event for event in events if start <= event.timestamp < window.end_at)
    asked = (event for event in inside if _is_asked_for(window, event))
    return sorted((event for event in asked if _has_value(window, event)), key=lambda event: event.position)


def _is_asked_for(window: MeterWindow, event: Event) -> bool:
    return all((text_value(event.properties, key) or "") in values for key, values in window.only.items())


def _reach(window: MeterWindow, first_started_at: datetime | None) -> datetime:
    """From when on events count (metering.md §3.4)."""
    start = window_start(window)
    if not window.charge.metric.recurring:
        return start
    if window.charge.metric.aggregation_type == "weighted_sum_agg":
        return start if first_started_at is None else min(start, first_started_at)
    return _ALWAYS


def _has_value(window: MeterWindow, event: Event) -> bool:
    metric = window.charge.metric
    if metric.aggregation_type in _NUMERIC:
        return numeric_value(event.properties, metric.field_name) is not None
    if metric.aggregation_type == "unique_count_agg":
        return bool(text_value(event.properties, metric.field_name)) and operation(event) is not None
    return metric.aggregation_type == "count_agg"


def _figures(window: MeterWindow, events: list[Event]) -> Figures:
    start = window_start(window)
    match window.charge.metric.aggregation_type:
        case "weighted_sum_agg":
            return weighted_sums(window, events, start)
        case "unique_count_agg":
            return unique_counts(window, events, start)
        case _:
            return sums(window, events, start)
