"""Usage of many charges and subscriptions at once: one query for each aggregation, however many windows there are.

The queries select, sort into buckets and add up; divisions and roundings are `core.aggregate.usage`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from tallystick.core.aggregate import Figures, group_keys, group_order, needs_values, usage
from tallystick.core.contract import PriceFilter
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.ground.db import Tx
from tallystick.rooms.metering.rolled import READS, Rolled, figures_query, kind_of
from tallystick.rooms.metering.selection import SELECTED, fetch, read_query

#: query -> what it reads of the metric's property
_READS = {**READS, "values": "number", "unique_count_prorated": "text"}
_FIGURES = """select no, filter_no, grp, events, window_events, units, carried, weight, precise_cents
from figures
"""
_OWN_QUERIES = ("unique_count", "unique_count_prorated", "values")
_AGGREGATIONS = {
    name: SELECTED + (read_query(name) if name in _OWN_QUERIES else figures_query(name) + _FIGURES) for name in _READS
}

Group = tuple[str | None, ...]
#: (place of the window, place of the filter from 1 or 0 for the default bucket, group values) -> columns
Found = dict[tuple[int, int, Group], dict[str, Any]]


async def meter(tx: Tx, windows: Sequence[MeterWindow], *, again: bool = False) -> list[MeteredBucket]:
    """Usage of every bucket and group of each window, in the order of the windows (metering.md §3, §4).

    Filters come first, the default bucket last, groups by their values, null first; a bucket without events has one
    group, all null, without units. Custom aggregations are not evaluated: their units are 0 (§3.9).

    Rollups answer where there are any; with `again`, those that are missing are asked for: the same windows will be
    measured again.
    """
    found: Found = {}
    rolled = Rolled(tx, windows)
    answers = await rolled.answers()
    for rows in answers.values():
        _collect(found, rows)
    for name, places in by_query(windows, answers).items():
        _collect(found, await fetch(tx, _AGGREGATIONS[name], windows, places, _READS[name]))
    if again:
        await rolled.remember(_events(found, answers))
    return list(_buckets(windows, found))


def _collect(found: Found, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        columns = dict(row)
        place = columns.pop("no"), columns.pop("filter_no"), tuple(columns.pop("grp"))
        found.setdefault(place, {}).update(columns)


def _events(found: Found, answered: Container[int]) -> dict[int, int]:
    """place of a window -> raw events that were read for it."""
    events: dict[int, int] = {}
    for (place, _, _), columns in found.items():
        if place not in answered:
            events[place] = events.get(place, 0) + columns.get("events", 0)
    return events


def by_query(windows: Sequence[MeterWindow], answered: Container[int] = ()) -> dict[str, list[int]]:
    """Query -> places of the windows it answers, without those that are answered already."""
    wanted: dict[str, list[int]] = {}
    for place, window in enumerate(windows):
        if place in answered:
            continue
        kind = kind_of(window)
        if kind == "unique_count" and window.charge.prorated:
            kind = "unique_count_prorated"
        if kind in _AGGREGATIONS:
            wanted.setdefault(kind, []).append(place)
        if needs_values(window.charge):
            wanted.setdefault("values", []).append(place)
    return wanted


def _buckets(windows: Sequence[MeterWindow], found: Found) -> Iterable[MeteredBucket]:
    """All buckets of all windows, those without events too."""
    groups: dict[tuple[int, int], list[Group]] = {}
    for place, filter_no, group in found:
        groups.setdefault((place, filter_no), []).append(group)
    for place, window in enumerate(windows):
        filters: tuple[tuple[int, PriceFilter | None], ...] = (*enumerate(window.charge.filters, 1), (0, None))
        for filter_no, bucket in filters:
            keys = group_keys(window.charge, bucket)
            properties = window.charge.properties if bucket is None else bucket.properties
            for group in sorted(groups.get((place, filter_no)) or [(None,) * len(keys)], key=group_order):
                figures = _figures(found.get((place, filter_no, group), {}))
                grouped_by = dict(zip(keys, group, strict=True))
                filter_id = bucket.id if bucket else None
                yield MeteredBucket(window.key, filter_id, grouped_by, usage(window, properties, figures))


def _figures(columns: Mapping[str, Any]) -> Figures:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()
    }
    return Figures(**given)
