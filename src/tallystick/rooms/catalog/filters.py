"""Filters of a charge: parts of its events with a price of their own (metering.md §4.1, §4.2).

Which filter an event falls into is metering's; what filters a metric declares is `metric_filters.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tallystick.core.contract import ALL_VALUES
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import BillableMetric, Charge, ChargeFilter
from tallystick.rooms.catalog import store
from tallystick.rooms.catalog.charge_rules import check_properties, stored_properties
from tallystick.rooms.catalog.values import texts_of

Identity = frozenset[tuple[str, frozenset[str]]]


async def find(tx: Tx, charge: Charge, filter_id: str) -> ChargeFilter:
    """A live filter of a charge by its id; 404 `charge_filter_not_found`."""
    wanted = parse_id(filter_id)
    rows = (await store.filters_of(tx, [charge.id])).get(charge.id, [])
    for row in rows:
        if row.id == wanted:
            return row
    raise NotFound("charge_filter")


async def find_here_or_above(tx: Tx, charge: Charge, filter_id: str) -> ChargeFilter:
    """A live filter of a charge or of the charge it overrides; 404 `charge_filter_not_found`."""
    for owner_id in (charge.id, charge.parent_id):
        for row in (await store.filters_of(tx, [owner_id] if owner_id else [])).get(owner_id or charge.id, []):
            if row.id == parse_id(filter_id):
                return row
    raise NotFound("charge_filter")


async def find_like(tx: Tx, charge: Charge, other: ChargeFilter) -> ChargeFilter:
    """The live filter of a charge with the id or the values of another; 404 `charge_filter_not_found`."""
    rows = (await store.filters_of(tx, [charge.id])).get(charge.id, [])
    alike = [row for row in rows if row.id == other.id or identity(row.values) == identity(other.values)]
    if not alike:
        raise NotFound("charge_filter")
    return alike[0]


async def create(
    tx: Tx, charge: Charge, metric: BillableMetric, at: dt.datetime, fields: Mapping[str, Any]
) -> ChargeFilter:
    """One more filter, behind the others."""
    known = (await store.filters_of(tx, [charge.id])).get(charge.id, [])
    problems = Problems()
    row = _new(charge, max((one.position for one in known), default=-1) + 1, at)
    _assign(row, fields, at)
    _check(row, charge, metric, fields, problems)
    _refuse_twin(row, known, problems)
    problems.raise_if_any()
    _settle(row, charge)
    tx.add(row)
    await tx.flush()
    return row


async def update(
    tx: Tx, row: ChargeFilter, charge: Charge, metric: BillableMetric, at: dt.datetime, fields: Mapping[str, Any]
) -> ChargeFilter:
    """Change the given fields of one filter."""
    known = (await store.filters_of(tx, [charge.id])).get(charge.id, [])
    problems = Problems()
    with tx.no_autoflush:
        _assign(row, fields, at)
        _check(row, charge, metric, fields, problems)
        if "values" in fields:
            _refuse_twin(row, known, problems)
        problems.raise_if_any()
        _settle(row, charge)
    await tx.flush()
    return row


async def delete(tx: Tx, row: ChargeFilter, at: dt.datetime) -> ChargeFilter:
    """Hide a filter; its events fall into other buckets from the next computation on."""
    row.deleted_at = at
    await tx.flush()
    return row


def replace(
    charge: Charge,
    metric: BillableMetric,
    items: Sequence[Mapping[str, Any]],
    known: Iterable[ChargeFilter],
    at: dt.datetime,
    problems: Problems,
) -> list[ChargeFilter]:
    """The filters that a list means (metering.md §4.2); the caller adds them.

    An item whose values equal a known filter's updates it, others are new, the rest is hidden. Of two items with
    equal values the later one counts.
    """
    present = list(known)
    left = {identity(row.values): row for row in reversed(present)}
    wanted: dict[Identity, ChargeFilter] = {}
    for position, item in enumerate(items):
        row = _new(charge, position, at)
        _assign(row, item, at)
        _check(row, charge, metric, item, problems)
        if problems.details:
            continue
        own = identity(row.values)
        kept = left.get(own)
        if kept is not None:
            kept.position = position
            _assign(kept, {"properties": {}, "invoice_display_name": None, **item, "values": kept.values}, at)
            row = kept
        _settle(row, charge)
        wanted[own] = row
    stays = {row.id for row in wanted.values()}
    for row in present:
        if row.id not in stays:
            row.deleted_at = at
    return list(wanted.values())


def recheck(charge: Charge, metric: BillableMetric, known: Iterable[ChargeFilter], problems: Problems) -> None:
    """The charge's model changed and its filters stay: their properties must fit the new model."""
    for row in known:
        check_properties(charge.charge_model, metric, row.properties, problems)
        if not problems.details:
            _settle(row, charge)


def identity(values: Mapping[str, Iterable[str]]) -> Identity:
    """What makes two filters equal: the same values under the same keys, in any order."""
    return frozenset((key, frozenset(listed)) for key, listed in values.items())


def value_problems(values: Any, metric: BillableMetric, problems: Problems) -> dict[str, list[str]]:
    """The values of a filter as kept; adds what metering.md §4.1 refuses."""
    if not isinstance(values, Mapping) or not values:
        problems.add("values", "value_is_mandatory")
        return {}
    kept: dict[str, list[str]] = {}
    for key, listed in values.items():
        declared = metric.filters.get(key)
        texts = texts_of(listed)
        if declared is None:
            problems.add("billable_metric_filter", "relation_must_exist")
            problems.add("values", "value_is_invalid")
        elif listed is None or texts == []:
            problems.add("values", "value_is_mandatory")
        elif texts is None or (texts != [ALL_VALUES] and not set(texts) <= set(declared)):
            problems.add("values", "value_is_invalid")
        kept[key] = texts or []
    return kept


def _new(charge: Charge, position: int, at: dt.datetime) -> ChargeFilter:
    return ChargeFilter(
        id=new_id(),
        organization_id=charge.organization_id,
        charge_id=charge.id,
        values={},
        properties={},
        invoice_display_name=None,
        position=position,
        created_at=at,
        updated_at=at,
    )


def _assign(row: ChargeFilter, fields: Mapping[str, Any], at: dt.datetime) -> None:
    if "properties" in fields:
        asked = fields["properties"] or {}
        # only a charge has presentation groups; those of a filter are dropped (metering.md §4.2)
        row.properties = {key: value for key, value in asked.items() if key != "presentation_group_keys"}
    if "invoice_display_name" in fields:
        row.invoice_display_name = fields["invoice_display_name"]
    if "values" in fields:
        row.values = fields["values"]
    row.updated_at = at


def _check(
    row: ChargeFilter, charge: Charge, metric: BillableMetric, fields: Mapping[str, Any], problems: Problems
) -> None:
    if "values" in fields or not row.values:
        row.values = value_problems(row.values, metric, problems)
    check_properties(charge.charge_model, metric, row.properties, problems)


def _refuse_twin(row: ChargeFilter, known: Iterable[ChargeFilter], problems: Problems) -> None:
    own = identity(row.values)
    if row.values and any(identity(other.values) == own for other in known if other.id != row.id):
        problems.add("values", "value_already_exists")


def _settle(row: ChargeFilter, charge: Charge) -> None:
    row.properties = stored_properties(charge.charge_model, row.properties, of_filter=True)


def clone(row: ChargeFilter, charge_id: uuid.UUID, at: dt.datetime) -> ChargeFilter:
    """The same filter on another charge."""
    return ChargeFilter(
        id=new_id(),
        organization_id=row.organization_id,
        charge_id=charge_id,
        values=row.values,
        properties=row.properties,
        invoice_display_name=row.invoice_display_name,
        position=row.position,
        created_at=at,
        updated_at=at,
    )
