"""Units of usage by presentation keys: one more aggregation of the same events, in finer groups (metering.md §4.4).

Nothing here is priced; which keys documents show is not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.core.aggregate import broken_down, group_keys, presentation_keys
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import Breakdown, MeteredBucket, MeterWindow
from tallystick.ground.db import Tx
from tallystick.rooms.metering.measure import meter
from tallystick.rooms.metering.selection import SELECTED, fetch, read_query

Keys = tuple[str, ...]
Texts = Mapping[str, str | None]

_LAST = SELECTED + read_query("last_values")


async def break_down(
    tx: Tx, windows: Sequence[MeterWindow], presented: Collection[str] | None = None, *, again: bool = False
) -> list[Breakdown]:
    """The parts of every bucket and group of the windows, without empty ones; `presented` keeps some keys only.

    Of the last value of a group only the part that sent it has any. No statement at all without presentation keys.
    """
    wanted = [(window, keys) for window in windows if (keys := _keys(window.charge, presented))]
    finer = [replace(window, charge=broken_down(window.charge, keys)) for window, keys in wanted]
    if not finer:
        return []
    originals = {window.key: window.charge for window, _ in wanted}
    last = [place for place, window in enumerate(finer) if window.charge.metric.aggregation_type == "latest_agg"]
    others = [window for place, window in enumerate(finer) if place not in last]
    found = list(_parts(await meter(tx, others, again=again), originals)) if others else []
    if last:
        rows = await fetch(tx, _LAST, finer, last, "number")
        found += _last_parts(finer, rows, originals)
    return found


def _keys(charge: ChargeTerms, presented: Collection[str] | None) -> Keys:
    return tuple(key for key in presentation_keys(charge) if presented is None or key in presented)


def _parts(buckets: Iterable[MeteredBucket], originals: Mapping[int, ChargeTerms]) -> Iterator[Breakdown]:
    for bucket in buckets:
        usage = bucket.usage
        if usage.full_units or usage.events_count:
            part = _part(originals[bucket.key], bucket.key, bucket.filter_id, bucket.grouped_by, usage.full_units)
            if part.presentation_by:
                yield part


def _part(charge: ChargeTerms, key: int, filter_id: UUID | None, values: Texts, units: Decimal) -> Breakdown:
    """A finer group's units; its values are those of the pricing keys and the rest."""
    own = group_keys(charge, next((one for one in charge.filters if one.id == filter_id), None))
    rest = {name: value for name, value in values.items() if name not in own}
    return Breakdown(key, filter_id, {name: values[name] for name in own}, rest, units)


def _last_parts(
    windows: Sequence[MeterWindow], rows: Iterable[Any], originals: Mapping[int, ChargeTerms]
) -> Iterator[Breakdown]:
    """Of each bucket and pricing group the part whose event is the last one."""
    newest: dict[tuple[object, ...], Breakdown] = {}
    for row in sorted(rows, key=lambda row: (row["timestamp"], row["created_at"], row["id"])):
        window = windows[row["no"]]
        bucket = window.charge.filters[row["filter_no"] - 1] if row["filter_no"] else None
        values = dict(zip(group_keys(window.charge, bucket), row["grp"], strict=True))
        part = _part(originals[window.key], window.key, bucket.id if bucket else None, values, row["amount"])
        newest[(part.key, part.filter_id, *part.grouped_by.items())] = part
    return (part for part in newest.values() if part.presentation_by)
