"""Usage of many charges and subscriptions at once: one query for each aggregation, however many windows there are.

The queries select, sort into buckets and add up; divisions and roundings are `core.aggregate.usage`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tallystick.core.aggregate import Figures, group_keys, group_order, has_items, needs_values, usage, window_start
from tallystick.core.contract import PriceFilter
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.ground import json
from tallystick.ground.db import Tx, raw_connection
from tallystick.rooms.metering.charges import ChargeTable

QUERIES = Path(__file__).parent / "queries"
SELECTED = (QUERIES / "selected.sql").read_text()
#: query -> what it reads of the metric's property
_READS = {
    "count": "nothing",
    "sum": "number",
    "max": "number",
    "latest": "number",
    "values": "number",
    "unique_count": "text",
    "unique_count_prorated": "text",
    "weighted_sum": "number",
}
_AGGREGATIONS = {name: SELECTED + (QUERIES / f"{name}.sql").read_text() for name in _READS}
#: what ends the walk over a window's events, and what ends it when some windows ask for some of them only
_EVERY = "offset 0\n"
_ONLY = """and not exists (
                select from jsonb_each(${}::jsonb -> w.no::text) as o (key, texts)
                where not o.texts ? coalesce(e.properties ->> o.key, '')
            )
        offset 0
"""
#: Plans for these very windows: a general one would not know how many there are, nor which partitions they touch. The
#: planner takes the selected events for one row, and would loop over hundreds of thousands of them.
_SETTINGS = """select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
                      set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true),
                      set_config('enable_mergejoin', 'off', true)"""
_DEFAULTS = """set local plan_cache_mode to default; set local work_mem to default;
               set local enable_nestloop to default; set local enable_mergejoin to default"""

#: the driver writes it as PostgreSQL's -infinity
_ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)

Group = tuple[str | None, ...]
#: (place of the window, place of the filter from 1 or 0 for the default bucket, group values) -> columns
Found = dict[tuple[int, int, Group], dict[str, Any]]


async def meter(tx: Tx, windows: Sequence[MeterWindow]) -> list[MeteredBucket]:
    """Usage of every bucket and group of each window, in the order of the windows (metering.md §3, §4).

    Filters come first, the default bucket last, groups by their values, null first; a bucket without events has one
    group, all null, without units. Custom aggregations are not evaluated: their units are 0 (§3.9).
    """
    found: Found = {}
    for name, places in by_query(windows).items():
        for record in await fetch(tx, _AGGREGATIONS[name], windows, places, _READS[name]):
            columns = dict(record)
            place = columns.pop("no"), columns.pop("filter_no"), tuple(columns.pop("grp"))
            found.setdefault(place, {}).update(columns)
    return list(_buckets(windows, found))


async def fetch(
    tx: Tx, query: str, windows: Sequence[MeterWindow], places: Sequence[int], reads: str, *more: Any
) -> list[Any]:
    """Rows of a query that begins with `selected.sql`, over some of the windows; `no` is a window's place.

    `reads` is what it reads of the metric's property ($30), `more` are its own parameters from $31 on.
    """
    connection = await raw_connection(tx)
    parameters = [*_arguments(windows, places), reads, *more]
    only = {str(place): windows[place].only for place in places if windows[place].only}
    if only:
        parameters.append(json.dump_text(only))
        query = query.replace(_EVERY, _ONLY.format(len(parameters)))
    await connection.execute(_SETTINGS)
    rows = await connection.fetch(query, *parameters)
    await connection.execute(_DEFAULTS)
    return rows


def by_query(windows: Sequence[MeterWindow]) -> dict[str, list[int]]:
    """Query -> places of the windows it answers."""
    wanted: dict[str, list[int]] = {}
    for place, window in enumerate(windows):
        kind = window.charge.metric.aggregation_type.removesuffix("_agg")
        if kind == "unique_count" and window.charge.prorated:
            kind = "unique_count_prorated"
        if kind in _AGGREGATIONS:
            wanted.setdefault(kind, []).append(place)
        if needs_values(window.charge):
            wanted.setdefault("values", []).append(place)
    return wanted


def _arguments(windows: Sequence[MeterWindow], places: Sequence[int]) -> list[Any]:
    """The parameters $1 to $29 of `selected.sql`."""
    charges = ChargeTable()
    rows = [
        (place, *_window_row(window, charges.number(window.charge)))
        for place, window in ((place, windows[place]) for place in places)
    ]
    reaches = [row[6] for row in rows]
    return [
        *map(list, zip(*rows, strict=True)),
        *charges.arrays(),
        _ALWAYS if None in reaches else min(reaches),
        max(window.end_at for window in (windows[place] for place in places)),
    ]


def _window_row(window: MeterWindow, charge_no: int) -> tuple[Any, ...]:
    """organization, subscription, code, field, charge, reach, from, start, end, time zone, itemized."""
    metric, start = window.charge.metric, window_start(window)
    reach: dt.datetime | None = start
    if metric.recurring:
        reach = None if metric.aggregation_type == "weighted_sum_agg" else _ALWAYS
    return (
        window.organization_id,
        window.external_subscription_id,
        metric.code,
        metric.field_name,
        charge_no,
        reach,
        window.start_at,
        start,
        window.end_at,
        window.timezone if window.charge.prorated else None,
        has_items(window.charge),
    )


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
