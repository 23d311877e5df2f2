"""Single events as usage selects them, with what became of each: the same selection and buckets that are billed.

For explanations, a page at a time; usage itself is `measure.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.core.aggregate import group_keys
from tallystick.core.metering import MeterWindow
from tallystick.core.verdict import JudgedEvent
from tallystick.ground.db import Tx
from tallystick.rooms.metering.selection import SELECTED, fetch, read_query

_JUDGED = SELECTED + read_query("judged")
_READS = {"count_agg": "nothing", "custom_agg": "nothing", "unique_count_agg": "text"}


@dataclass(frozen=True, slots=True)
class Part:
    """A bucket and group of a window."""

    filter_id: uuid.UUID | None
    grouped_by: Mapping[str, str | None]


async def of_event(tx: Tx, windows: Sequence[MeterWindow], event_id: uuid.UUID) -> dict[int, JudgedEvent]:
    """key of the window -> the event in it; windows that do not reach it are absent. All are of one metric."""
    _, found = await _judged(tx, windows, event_id, None, len(windows), 0)
    return {one.key: one for one in found}


async def of_part(tx: Tx, window: MeterWindow, part: Part, *, limit: int, offset: int) -> tuple[int, list[JudgedEvent]]:
    """How many events count in a bucket and group, and some of them, oldest first."""
    return await _judged(tx, [window], None, part, limit, offset)


async def _judged(
    tx: Tx, windows: Sequence[MeterWindow], event_id: uuid.UUID | None, part: Part | None, limit: int, offset: int
) -> tuple[int, list[JudgedEvent]]:
    reads = _READS.get(windows[0].charge.metric.aggregation_type, "number")
    filter_no, group = _place(windows[0], part) if part else (None, None)
    if part is not None and filter_no is None:
        return 0, []
    more = (event_id, filter_no, group, limit, offset)
    rows = await fetch(tx, _JUDGED, windows, range(len(windows)), reads, *more)
    return rows[0]["total"], [_event(windows[row["no"]], row) for row in rows if row["no"] is not None]


def _place(window: MeterWindow, part: Part) -> tuple[int | None, list[str | None]]:
    """The number of the bucket, None for one that the charge no longer has, and the values of the group."""
    filters = {one.id: (place, one) for place, one in enumerate(window.charge.filters, 1)}
    filter_no, bucket = (0, None) if part.filter_id is None else filters.get(part.filter_id, (None, None))
    return filter_no, [part.grouped_by.get(key) for key in group_keys(window.charge, bucket)]


def _event(window: MeterWindow, row: Mapping[str, Any]) -> JudgedEvent:
    charge = window.charge
    bucket = charge.filters[row["filter_no"] - 1] if row["filter_no"] else None
    return JudgedEvent(
        key=window.key,
        event_id=row["id"],
        timestamp=row["timestamp"],
        filter_id=bucket.id if bucket else None,
        grouped_by=dict(zip(group_keys(charge, bucket), row["grp"], strict=True)),
        value=row["value"],
        amount=row["amount"],
        operation=row["operation"],
        days=row["days"],
        refusal=row["refusal"],
        repeats=row["repeats"] is True,
        is_last=row["is_last"],
        is_highest=row["is_highest"] is True,
    )
