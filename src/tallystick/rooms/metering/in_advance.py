"""The steps that events made in charges paid in advance, and the levels they left (metering.md §6.2, §7.3).

Nothing is remembered between events: each is placed among the stored ones by its timestamp, so a late one finds its own
place. One query for each aggregation, however many windows and events there are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tallystick.core.aggregate import group_keys, needs_values
from tallystick.core.in_advance import Level, Step
from tallystick.core.metering import MeterWindow
from tallystick.core.money import ONE
from tallystick.core.rating import NOTHING, Beginning, ChargeModel
from tallystick.ground.db import Tx
from tallystick.rooms.metering.measure import Group
from tallystick.rooms.metering.selection import SELECTED, fetch, read_query

#: key of the window, filter, items of the group
LevelKey = tuple[int, uuid.UUID | None, tuple[tuple[str, str | None], ...]]

_READS = {"count": "nothing", "sum": "number", "unique_count": "text"}


def _query(*names: str) -> str:
    return SELECTED + "".join(map(read_query, names))


_STEPS = {kind: _query(f"steps_{kind}", "steps", "steps_of_events") for kind in _READS}
_LEVELS = {kind: _query(f"steps_{kind}", "steps", "steps_last") for kind in _READS}
_VALUES = _query("values")


async def steps(
    tx: Tx, windows: Sequence[MeterWindow], event_ids: Sequence[uuid.UUID]
) -> dict[tuple[int, uuid.UUID], Step]:
    """(key of the window, event) -> its step; events that the aggregation passes over are absent.

    A window reaches from the start of the period to its last event of interest.
    """
    values = await _values(tx, windows)
    found: dict[tuple[int, uuid.UUID], Step] = {}
    for kind, places in _by_kind(windows).items():
        records = await fetch(tx, _STEPS[kind], windows, places, _READS[kind], list(event_ids))
        if kind != "sum":
            values.update(_ones(windows, records))
        for record in records:
            columns = dict(record)
            place, filter_no, group = columns.pop("no"), columns.pop("filter_no"), tuple(columns.pop("grp"))
            seen = values.get((place, filter_no, group), NOTHING)
            filter_id, grouped_by = _named(windows[place], filter_no, group)
            event_id = columns.pop("id")
            found[windows[place].key, event_id] = Step(filter_id, grouped_by, values=seen, **columns)
    return found


async def levels(tx: Tx, windows: Sequence[MeterWindow]) -> dict[LevelKey, Level]:
    """Where the events of each period left its buckets and groups; those without events are absent."""
    found: dict[LevelKey, Level] = {}
    for kind, places in _by_kind(windows).items():
        for row in await fetch(tx, _LEVELS[kind], windows, places, _READS[kind]):
            filter_id, grouped_by = _named(windows[row["no"]], row["filter_no"], tuple(row["grp"]))
            raises = tuple(zip(row["raised_at"], row["raises"], strict=True))
            key = (windows[row["no"]].key, filter_id, tuple(grouped_by.items()))
            found[key] = Level(row["current"], row["peak"], raises)
    return found


def _by_kind(windows: Sequence[MeterWindow]) -> Mapping[str, list[int]]:
    """Aggregation -> places of its windows. Custom ones are not evaluated (metering.md §3.9)."""
    wanted: dict[str, list[int]] = {}
    for place, window in enumerate(windows):
        kind = window.charge.metric.aggregation_type.removesuffix("_agg")
        if kind in _READS:
            wanted.setdefault(kind, []).append(place)
    return wanted


async def _values(tx: Tx, windows: Sequence[MeterWindow]) -> dict[tuple[int, int, Group], Beginning]:
    """Values of sums in order, of windows whose price looks at single ones."""
    places = [place for place, window in enumerate(windows) if needs_values(window.charge)]
    if not places:
        return {}
    records = await fetch(tx, _VALUES, windows, places, "number")
    return {(row["no"], row["filter_no"], tuple(row["grp"])): Beginning(row["values"]) for row in records}


def _ones(windows: Sequence[MeterWindow], records: Sequence[Any]) -> dict[tuple[int, int, Group], Beginning]:
    """The values of counted events: each is worth one (rating.md §8.2)."""
    most: dict[tuple[int, int, Group], int] = {}
    for row in records:
        if windows[row["no"]].charge.model is ChargeModel.PERCENTAGE:
            place = row["no"], row["filter_no"], tuple(row["grp"])
            most[place] = max(most.get(place, 0), row["events"])
    return {place: Beginning((ONE,) * count) for place, count in most.items()}


def _named(window: MeterWindow, filter_no: int, group: Group) -> tuple[uuid.UUID | None, dict[str, str | None]]:
    """The filter and the group of a row."""
    bucket = window.charge.filters[filter_no - 1] if filter_no else None
    keys: Iterator[str] = iter(group_keys(window.charge, bucket))
    return (bucket.id if bucket else None), dict(zip(keys, group, strict=True))
