"""Selects the events of many windows in one query, sorted into buckets and groups; what is done with them comes after.

Every query of events begins here, so there is one answer to which events count where (metering.md §3.1, §4).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tallystick.core.aggregate import has_items, window_start
from tallystick.core.metering import MeterWindow
from tallystick.ground import json
from tallystick.ground.db import Tx, raw_connection
from tallystick.rooms.metering.charges import ChargeTable

QUERIES = Path(__file__).parent / "queries"
#: The planner takes the selected events for one row, and would loop over hundreds of thousands of them.
_SETTINGS = """select set_config('plan_cache_mode', $1, true), set_config('jit', 'off', true),
                      set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true),
                      set_config('enable_mergejoin', 'off', true)"""
_DEFAULTS = """set local plan_cache_mode to default; set local work_mem to default;
               set local enable_nestloop to default; set local enable_mergejoin to default"""

#: the driver writes it as PostgreSQL's -infinity
_ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


def read_query(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return (QUERIES / f"{name}.sql").read_text()


_SELECTED = read_query("selected")
_SOURCE = "        -- source\n"
_EVERY, _NOTED = read_query("sources/every"), read_query("sources/noted")

#: events that the windows reach
SELECTED = _SELECTED.replace(_SOURCE, _EVERY)
#: the same without those noted as unrolled
SELECTED_ROLLED = _SELECTED.replace(_SOURCE, _EVERY + read_query("sources/not_noted"))
#: only those noted as unrolled, in the rows that $34 names or in all
SELECTED_NOTED = _SELECTED.replace(_SOURCE, _NOTED)

#: keeps the events that some windows ask for
_ONLY = """            and not exists (
                select from jsonb_each(${}::jsonb -> w.no::text) as o (key, texts)
                where not o.texts ? coalesce(e.properties ->> o.key, '')
            )
"""


class Plan(Enum):
    """How a query is planned: for these very windows, which takes milliseconds, or once for all.

    A general plan knows neither how many windows there are nor which partitions they touch: it is for few events.
    """

    CUSTOM = "force_custom_plan"
    GENERAL = "force_generic_plan"


@dataclass(frozen=True, slots=True)
class RollupRef:
    """A rollup that answers a window, and how far back its question reaches where the window does not say."""

    rollup_id: uuid.UUID
    stream_id: uuid.UUID
    earliest_at: dt.datetime | None


async def fetch(
    tx: Tx,
    query: str,
    windows: Sequence[MeterWindow],
    places: Sequence[int],
    reads: str,
    *more: Any,
    rollups: Mapping[int, RollupRef] | None = None,
    plan: Plan = Plan.CUSTOM,
) -> list[Any]:
    """Rows of a query that begins with one of the selections, over some of the windows; `no` is a window's place.

    `reads` is what it reads of the metric's property ($32), `more` are its own parameters from $33 on.
    """
    connection = await raw_connection(tx)
    parameters = [*_arguments(windows, places, rollups or {}), reads, *more]
    only = {str(place): windows[place].only for place in places if windows[place].only}
    if only:
        parameters.append(json.dump_text(only))
        query = query.replace(_EVERY, _EVERY + _ONLY.format(len(parameters)))
    await connection.execute(_SETTINGS, plan.value)
    rows = await connection.fetch(query, *parameters)
    await connection.execute(_DEFAULTS)
    return rows


def _arguments(windows: Sequence[MeterWindow], places: Sequence[int], rollups: Mapping[int, RollupRef]) -> list[Any]:
    """The parameters $1 to $31 of `selected.sql`."""
    charges = ChargeTable()
    rows = []
    for place in places:
        window, rollup = windows[place], rollups.get(place)
        ids = (rollup.rollup_id, rollup.stream_id) if rollup else (None, None)
        earliest_at = rollup.earliest_at if rollup else None
        rows.append((place, *_window_row(window, charges.number(window.charge), earliest_at), *ids))
    reaches = [row[6] for row in rows]
    return [
        *map(list, zip(*rows, strict=True)),
        *charges.arrays(),
        _ALWAYS if None in reaches else min(reaches),
        max(window.end_at for window in (windows[place] for place in places)),
    ]


def _window_row(window: MeterWindow, charge_no: int, earliest_at: dt.datetime | None) -> tuple[Any, ...]:
    """organization, subscription, code, field, charge, reach, from, start, end, time zone, itemized."""
    metric, start = window.charge.metric, window_start(window)
    reach: dt.datetime | None = start
    if metric.recurring:
        reach = earliest_at if carries_since_start(window) else _ALWAYS
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


def carries_since_start(window: MeterWindow) -> bool:
    """Whether the window reaches back to the first start of its subscription, not further (metering.md §3.4)."""
    metric = window.charge.metric
    return metric.recurring and metric.aggregation_type == "weighted_sum_agg"
