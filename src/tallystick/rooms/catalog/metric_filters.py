"""Filters that a billable metric declares, and what their removal does to the charge filters using them.

The filters of charges themselves are in `filters.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.core.contract import ALL_VALUES
from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.tables import BillableMetric
from tallystick.rooms.catalog import store
from tallystick.rooms.catalog.values import texts_of

Declared = dict[str, list[str]]


def declared(items: Sequence[Mapping[str, Any]], problems: Problems) -> Declared:
    """`[{key, values}]` as key -> sorted distinct values; a key sent twice has the values of both."""
    found: dict[str, set[str]] = {}
    for item in items:
        key, values = item.get("key"), texts_of(item.get("values"))
        if not key:
            problems.add("key", "value_is_mandatory")
        if not values or not all(value.strip() for value in values):
            problems.add("values", "value_is_mandatory")
        elif key:
            found.setdefault(key, set()).update(values)
    return {key: sorted(found[key]) for key in sorted(found)}


async def cut_charge_filters(tx: Tx, metric: BillableMetric, at: dt.datetime) -> None:
    """Cut what the metric declares no longer out of its charges' filters; those left without a value are hidden.

    metering.md §2.1: two filters may become identical, and then the older one wins (§4.1 rule 3).
    """
    charges = await store.charges_of_metric(tx, metric.id)
    filters = await store.filters_of(tx, [charge.id for charge in charges])
    for row in (row for rows in filters.values() for row in rows):
        values = _still_declared(row.values, metric.filters)
        if values != row.values:
            row.values = values or row.values
            row.deleted_at = None if values else at
            row.updated_at = at
    await tx.flush()


def _still_declared(values: Mapping[str, Sequence[str]], filters: Mapping[str, Sequence[str]]) -> Declared:
    kept = {
        key: [value for value in listed if value == ALL_VALUES or value in filters[key]]
        for key, listed in values.items()
        if key in filters
    }
    return {key: listed for key, listed in kept.items() if listed}
