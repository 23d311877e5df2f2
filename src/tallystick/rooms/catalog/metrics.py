"""What can be done with billable metrics: create, update, delete (metering.md §2.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.core.expression import InvalidExpression, parse
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.outbox import Message, emit
from tallystick.ground.tables import BillableMetric, Charge
from tallystick.rooms.catalog import metric_filters, store
from tallystick.rooms.catalog.codes import check_code

AGGREGATION_TYPES = frozenset(
    ("count_agg", "sum_agg", "max_agg", "unique_count_agg", "latest_agg", "weighted_sum_agg", "custom_agg")
)
ROUNDING_FUNCTIONS = frozenset(("round", "ceil", "floor"))
#: units have at most 25 digits before the point and 20 after it; nothing beyond could be rounded
MOST_PRECISION = 30

_ALWAYS = ("name", "description")
_UNPRICED_ONLY = (
    *("code", "aggregation_type", "field_name", "recurring", "weighted_interval"),
    *("rounding_function", "rounding_precision", "expression"),
)


async def find(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> BillableMetric:
    """A live metric by its code; 404 `billable_metric_not_found`."""
    metric = await store.metric_by_code(tx, organization_id, code, lock=lock)
    if metric is None:
        raise NotFound("billable_metric")
    return metric


async def of_charge(tx: Tx, charge: Charge) -> BillableMetric:
    """The metric that a charge prices, deleted or not."""
    return await tx.get_one(BillableMetric, charge.billable_metric_id)


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> BillableMetric:
    """A new metric; `fields` as metering.md §2.1 names them, `filters` a list of `{key, values}`."""
    _refuse_custom(fields, None)
    metric = BillableMetric(id=new_id(), organization_id=organization_id, recurring=False, filters={}, created_at=at)
    problems = Problems()
    _assign(metric, fields, (*_ALWAYS, *_UNPRICED_ONLY), problems)
    _check(metric, problems)
    if metric.code and await store.metric_by_code(tx, organization_id, metric.code):
        problems.add("code", "value_already_exist")
    problems.raise_if_any()
    metric.updated_at = at
    tx.add(metric)
    await tx.flush()
    await emit(tx, [Message(organization_id, "billable_metric.created", metric.id, at)])
    return metric


async def update(tx: Tx, metric: BillableMetric, at: dt.datetime, fields: Mapping[str, Any]) -> BillableMetric:
    """Change the given fields; of a metric priced by a live plan only name, description and filters change."""
    _refuse_custom(fields, metric.aggregation_type)
    priced = await store.is_priced(tx, metric.id)
    problems = Problems()
    code = fields.get("code")
    if not priced and code and code != metric.code and await store.metric_by_code(tx, metric.organization_id, code):
        problems.add("code", "value_already_exist")
    with tx.no_autoflush:
        _assign(metric, fields, _ALWAYS if priced else (*_ALWAYS, *_UNPRICED_ONLY), problems)
        _check(metric, problems)
        problems.raise_if_any()
    metric.updated_at = at
    await tx.flush()
    if "filters" in fields:
        await metric_filters.cut_charge_filters(tx, metric, at)
    await emit(tx, [Message(metric.organization_id, "billable_metric.updated", metric.id, at)])
    return metric


async def delete(tx: Tx, metric: BillableMetric, at: dt.datetime) -> BillableMetric:
    """Hide the metric and its charges; its events stay stored and are rated no longer."""
    charges = await store.charges_of_metric(tx, metric.id)
    await store.remove_charges(tx, [charge.id for charge in charges], at)
    metric.deleted_at = at
    await tx.flush()
    await emit(tx, [Message(metric.organization_id, "billable_metric.deleted", metric.id, at)])
    return metric


def _refuse_custom(fields: Mapping[str, Any], present: str | None) -> None:
    """The script of a custom aggregation cannot be set through the API (metering.md §2.1)."""
    if fields.get("aggregation_type") == "custom_agg" and present != "custom_agg":
        raise Forbidden("feature_unavailable")


def _assign(metric: BillableMetric, fields: Mapping[str, Any], names: tuple[str, ...], problems: Problems) -> None:
    for name in names:
        if name in fields:
            setattr(metric, name, fields[name])
    metric.recurring = bool(metric.recurring)
    metric.expression = metric.expression or None
    if metric.aggregation_type == "count_agg":
        metric.field_name = None
    if "filters" in fields:
        metric.filters = metric_filters.declared(fields["filters"] or (), problems)


def _check(metric: BillableMetric, problems: Problems) -> None:
    """Add what metering.md §2.1 refuses."""
    kind = metric.aggregation_type
    rules = (
        (bool(metric.name), "name", "value_is_mandatory"),
        (bool(metric.code), "code", "value_is_mandatory"),
        (kind in AGGREGATION_TYPES, "aggregation_type", "value_is_invalid"),
        (bool(metric.field_name) or kind in ("count_agg", "custom_agg"), "field_name", "value_is_mandatory"),
        (
            not metric.recurring or kind not in ("count_agg", "max_agg", "latest_agg"),
            *("recurring", "not_compatible_with_aggregation_type"),
        ),
        (
            metric.weighted_interval == "seconds" or (metric.weighted_interval is None and kind != "weighted_sum_agg"),
            *("weighted_interval", "value_is_invalid"),
        ),
        (
            metric.rounding_function is None or metric.rounding_function in ROUNDING_FUNCTIONS,
            *("rounding_function", "value_is_invalid"),
        ),
        (abs(metric.rounding_precision or 0) <= MOST_PRECISION, "rounding_precision", "value_is_out_of_range"),
        (metric.expression is None or _is_expression(metric.expression), "expression", "invalid_expression"),
    )
    check_code(metric.code, problems)
    for right, field, code in rules:
        if not right:
            problems.add(field, code)


def _is_expression(text: str) -> bool:
    try:
        parse(text)
    except InvalidExpression:
        return False
    return True
