"""What can be done with alerts of subscriptions: create, change, delete (metering.md §10).

Errors come one at a time, in the order of the specification. Looks at them are taken in looks.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select, update

from tallystick.core.money import ZERO
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Alert, AlertThreshold, BillableMetric
from tallystick.rooms.alerts import store
from tallystick.rooms.alerts.types import AlertType

Fields = Mapping[str, Any]

MOST_THRESHOLDS = 20
#: places before and after the point that a value may have
_PLACES = 20


async def find(
    tx: Tx, organization_id: uuid.UUID, external_subscription_id: str, code: str, *, lock: bool = False
) -> Alert:
    """A live alert of a chain by its code; 404 `alert_not_found`."""
    row = await store.by_code(tx, organization_id, external_subscription_id, code, lock=lock)
    if row is None:
        raise NotFound("alert")
    return row


async def create(
    tx: Tx, organization_id: uuid.UUID, external_subscription_id: str, at: dt.datetime, fields: Fields
) -> Alert:
    """A new alert on a chain; `fields` as metering.md §10 names them. 404 `billable_metric_not_found`; 422."""
    kind = _type(fields.get("alert_type"))
    values = _thresholds(fields.get("thresholds") or [])
    row = Alert(
        id=new_id(),
        organization_id=organization_id,
        external_subscription_id=external_subscription_id,
        alert_type=kind.value,
        code=fields.get("code") or "",
        name=fields.get("name"),
        billable_metric_id=await _metric_id(tx, organization_id, fields.get("billable_metric_code")),
        previous_value=ZERO,
        created_at=at,
        updated_at=at,
    )
    await _check(tx, row, taken_code=bool(row.code) and await _is_taken(tx, row))
    _check_steps(values)
    tx.add(row)
    await tx.flush()
    await store.replace_thresholds(tx, row, _rows(row, values))
    return row


async def edit(tx: Tx, row: Alert, at: dt.datetime, fields: Fields) -> Alert:
    """Change the given fields of a locked alert; its type stays, an empty list of thresholds changes none."""
    values = _thresholds(fields["thresholds"]) if fields.get("thresholds") else []
    with tx.no_autoflush:
        if "billable_metric_code" in fields:
            row.billable_metric_id = await _metric_id(tx, row.organization_id, fields["billable_metric_code"])
        renamed = "code" in fields and fields["code"] != row.code
        if "code" in fields:
            row.code = fields["code"] or ""
        if "name" in fields:
            row.name = fields["name"]
        await _check(tx, row, taken_code=renamed and bool(row.code) and await _is_taken(tx, row))
    _check_steps(values)
    row.updated_at = at
    await tx.flush()
    if values:
        await store.replace_thresholds(tx, row, _rows(row, values))
    return row


async def delete(tx: Tx, row: Alert, at: dt.datetime) -> None:
    """Hide an alert; what it told stays."""
    row.deleted_at = at
    await tx.flush()


async def delete_all(tx: Tx, organization_id: uuid.UUID, external_subscription_id: str, at: dt.datetime) -> None:
    """Hide all alerts of a chain."""
    await tx.execute(
        update(Alert)
        .where(
            Alert.organization_id == organization_id,
            Alert.external_subscription_id == external_subscription_id,
            Alert.deleted_at.is_(None),
        )
        .values(deleted_at=at)
    )


def _type(given: Any) -> AlertType:
    if given is None or not str(given).strip():
        raise Invalid.field("alert_type", "value_is_mandatory", "value_is_invalid")
    if given not in set(AlertType):
        raise Invalid.field("alert_type", "invalid_type")
    return AlertType(given)


Values = Sequence[tuple[Decimal, bool, str | None]]


def _thresholds(given: Sequence[Fields]) -> Values:
    """(value, recurring, code) of each; the first rule that is broken is told."""
    if not given:
        raise Invalid.field("thresholds", "value_is_mandatory")
    if len(given) > MOST_THRESHOLDS:
        raise Invalid.field("thresholds", "too_many_thresholds")
    raw = [(item.get("value"), bool(item.get("recurring")), item.get("code")) for item in given]
    numbers = [_number(value) for value, _, _ in raw]
    keys = [
        (repr(value) if number is None else number, recurring)
        for (value, recurring, _), number in zip(raw, numbers, strict=True)
    ]
    if len(set(keys)) < len(keys):
        raise Invalid.field("thresholds", "duplicate_threshold_values")
    if any(value is None or not str(value).strip() for value, _, _ in raw):
        raise Invalid.field("thresholds:value", "value_is_mandatory")
    found = [
        (number, recurring, code)
        for number, (_, recurring, code) in zip(numbers, raw, strict=True)
        if number is not None
    ]
    if len(found) < len(raw):
        raise Invalid.field("thresholds:value", "value_is_invalid")
    if any(recurring and value <= 0 for value, recurring, _ in found):
        raise Invalid.field("thresholds:value", "recurring_value_is_negative")
    return found


def _number(value: Any) -> Decimal | None:
    """None for what is no number, or one beyond every amount."""
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or (number and abs(number.adjusted()) >= _PLACES):
        return None
    return number


def _check_steps(values: Values) -> None:
    if sum(recurring for _, recurring, _ in values) > 1:
        raise Invalid.field("base", "alert_already_exists")


async def _metric_id(tx: Tx, organization_id: uuid.UUID, code: str | None) -> uuid.UUID | None:
    if not code:
        return None
    statement = select(BillableMetric.id).where(
        BillableMetric.organization_id == organization_id,
        BillableMetric.code == code,
        BillableMetric.deleted_at.is_(None),
    )
    found = await tx.scalar(statement)
    if found is None:
        raise NotFound("billable_metric")
    return found


async def _is_taken(tx: Tx, row: Alert) -> bool:
    found = await store.by_code(tx, row.organization_id, row.external_subscription_id, row.code)
    return found is not None and found.id != row.id


async def _check(tx: Tx, row: Alert, *, taken_code: bool) -> None:
    """The fields of an alert, then whether there is another one of its kind."""
    problems = Problems()
    if not row.code:
        problems.add("code", "value_is_mandatory")
    if taken_code:
        problems.add("code", "value_already_exist")
    of_metric = AlertType(row.alert_type).of_metric
    if of_metric and row.billable_metric_id is None:
        problems.add("billable_metric", "value_is_mandatory")
    if not of_metric and row.billable_metric_id is not None:
        problems.add("billable_metric", "value_must_be_blank")
    problems.raise_if_any()
    if await store.same(tx, row) is not None:
        raise Invalid.field("base", "alert_already_exists")


def _rows(row: Alert, values: Values) -> list[AlertThreshold]:
    return [
        AlertThreshold(
            id=new_id(),
            organization_id=row.organization_id,
            alert_id=row.id,
            value=value,
            recurring=recurring,
            code=code,
        )
        for value, recurring, code in values
    ]
