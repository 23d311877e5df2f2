"""Snapshots of usage, a row for each subscription and local day (metering.md §11): stored once, never changed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from tallystick.core.daily_usage import Item, Part, differences
from tallystick.core.money import dec_text
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import BillingEntity, Customer, DailyUsage, Event, Subscription

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Usage of a period, end exclusive, as it stood at the end of a local day."""

    organization_id: uuid.UUID
    customer_id: uuid.UUID
    subscription_id: uuid.UUID
    usage_on: dt.date
    from_at: dt.datetime
    to_at: dt.datetime
    currency: str
    items: tuple[Item, ...]


async def store(tx: Tx, snapshots: Sequence[Snapshot], at: dt.datetime) -> None:
    """Store those that say something new; a day that has a row keeps it."""
    before = await _newest(tx, snapshots)
    rows = []
    for one in snapshots:
        added = [item for item in differences(one.items, before.get(_period(one), ())) if item.says_something]
        if added:
            rows.append({**_columns(one), "difference": [_row(item) for item in added], "created_at": at})
    if rows:
        await tx.execute(insert(DailyUsage).on_conflict_do_nothing(), rows)


async def received(
    tx: Tx, organization_id: uuid.UUID, from_at: dt.datetime, to_at: dt.datetime
) -> list[tuple[uuid.UUID, str, dt.datetime]]:
    """(subscription, time zone, first reception) of running subscriptions with events received in [from, to)."""
    first = (
        select(Event.external_subscription_id, func.min(Event.created_at).label("at"))
        .where(Event.organization_id == organization_id, Event.created_at >= from_at, Event.created_at < to_at)
        .group_by(Event.external_subscription_id)
        .subquery()
    )
    statement = (
        select(Subscription.id, func.coalesce(Customer.timezone, BillingEntity.timezone), first.c.at)
        .join(first, first.c.external_subscription_id == Subscription.external_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(BillingEntity, BillingEntity.id == Customer.billing_entity_id)
        .where(Subscription.organization_id == organization_id, Subscription.status == "active")
    )
    return [(row[0], row[1], row[2]) for row in await tx.execute(statement)]


async def _newest(tx: Tx, snapshots: Sequence[Snapshot]) -> dict[tuple[uuid.UUID, dt.datetime], list[Item]]:
    """(subscription, start of its period) -> the items of the newest row before each snapshot."""
    days = {one.subscription_id: one.usage_on for one in snapshots}
    statement = (
        select(DailyUsage)
        .ext(distinct_on(DailyUsage.subscription_id, DailyUsage.from_at))
        .where(DailyUsage.subscription_id.in_(list(days)), DailyUsage.from_at.in_({one.from_at for one in snapshots}))
        .order_by(DailyUsage.subscription_id, DailyUsage.from_at, DailyUsage.usage_on.desc())
    )
    rows = [row for row in await tx.scalars(statement) if row.usage_on < days[row.subscription_id]]
    return {(row.subscription_id, row.from_at): [_item(one) for one in row.items] for row in rows}


def _period(one: Snapshot) -> tuple[uuid.UUID, dt.datetime]:
    return one.subscription_id, one.from_at


def _columns(one: Snapshot) -> Row:
    return {
        "id": new_id(),
        "organization_id": one.organization_id,
        "customer_id": one.customer_id,
        "subscription_id": one.subscription_id,
        "usage_on": one.usage_on,
        "from_at": one.from_at,
        "to_at": one.to_at,
        "currency": one.currency,
        "items": [_row(item) for item in one.items],
    }


def _row(item: Item) -> Row:
    return {
        "charge_id": str(item.charge_id),
        "metric_id": str(item.metric_id),
        "filter_id": None if item.filter_id is None else str(item.filter_id),
        "grouped_by": dict(item.grouped_by),
        "units": dec_text(item.units),
        "events_count": item.events_count,
        "amount_cents": item.amount_cents,
        "parts": [
            {"presentation_by": dict(part.presentation_by), "units": dec_text(part.units)} for part in item.parts
        ],
    }


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        charge_id=uuid.UUID(row["charge_id"]),
        metric_id=uuid.UUID(row["metric_id"]),
        filter_id=None if row["filter_id"] is None else uuid.UUID(row["filter_id"]),
        grouped_by=row["grouped_by"],
        units=Decimal(row["units"]),
        events_count=row["events_count"],
        amount_cents=row["amount_cents"],
        parts=tuple(_parts(row["parts"])),
    )


def _parts(rows: Iterable[Mapping[str, Any]]) -> Iterable[Part]:
    return (Part(row["presentation_by"], Decimal(row["units"])) for row in rows)
