"""SQL of the catalog room; the only writer of metrics, plans, charges, filters, commitments and thresholds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import Select, exists, select, update

from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillableMetric,
    Charge,
    ChargeFilter,
    MinimumCommitment,
    Plan,
    Subscription,
    UsageThreshold,
)

Ids = Sequence[uuid.UUID]

# -- billable metrics -------------------------------------------------------------------------------


async def metric_by_code(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> BillableMetric | None:
    """A live metric; `lock` keeps it for a change."""
    statement = metrics_listing(organization_id).where(BillableMetric.code == code).order_by(None)
    return (await tx.scalars(statement.with_for_update() if lock else statement)).one_or_none()


async def metrics_by_ids(tx: Tx, organization_id: uuid.UUID, ids: Ids) -> dict[uuid.UUID, BillableMetric]:
    """Live metrics of the organization by id."""
    statement = metrics_listing(organization_id).where(BillableMetric.id.in_(ids)).order_by(None)
    return {metric.id: metric for metric in await tx.scalars(statement)}


def metrics_listing(organization_id: uuid.UUID) -> Select[BillableMetric]:
    """All live metrics, newest first (api.md §6)."""
    return (
        select(BillableMetric)
        .where(BillableMetric.organization_id == organization_id, BillableMetric.deleted_at.is_(None))
        .order_by(BillableMetric.created_at.desc(), BillableMetric.id)
    )


async def is_priced(tx: Tx, metric_id: uuid.UUID) -> bool:
    """Whether a charge of a live plan prices the metric."""
    charges = (
        exists()
        .where(Charge.billable_metric_id == metric_id, Charge.deleted_at.is_(None))
        .where(Plan.id == Charge.plan_id, Plan.deleted_at.is_(None))
    )
    return bool(await tx.scalar(select(charges)))


# -- plans ------------------------------------------------------------------------------------------


async def plan_by_code(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> Plan | None:
    """A live plan that is no override; `lock` keeps it for a change."""
    statement = plans_listing(organization_id).where(Plan.code == code).order_by(None)
    return (await tx.scalars(statement.with_for_update() if lock else statement)).one_or_none()


def plans_listing(organization_id: uuid.UUID) -> Select[Plan]:
    """All live plans without overrides, newest first (api.md §6)."""
    return (
        select(Plan)
        .where(Plan.organization_id == organization_id, Plan.deleted_at.is_(None), Plan.parent_id.is_(None))
        .order_by(Plan.created_at.desc(), Plan.id)
    )


async def with_children(tx: Tx, plan_ids: Ids) -> list[Plan]:
    """The live plans with these ids and their overrides, locked in the order of their ids."""
    wanted = Plan.id.in_(plan_ids) | Plan.parent_id.in_(plan_ids)
    statement = select(Plan).where(wanted, Plan.deleted_at.is_(None)).order_by(Plan.id).with_for_update()
    return list(await tx.scalars(statement))


async def is_attached(tx: Tx, plan_id: uuid.UUID) -> bool:
    """Whether a subscription of any status references this very plan row (subscriptions.md §1.2)."""
    return bool(await tx.scalar(select(exists().where(Subscription.plan_id == plan_id))))


# -- charges and their filters ----------------------------------------------------------------------


async def charges_of(tx: Tx, plan_ids: Ids) -> dict[uuid.UUID, list[Charge]]:
    """plan -> its live charges, oldest first; plans without charges are absent."""
    statement = select(Charge).where(Charge.plan_id.in_(plan_ids), Charge.deleted_at.is_(None))
    found: dict[uuid.UUID, list[Charge]] = {}
    for charge in await tx.scalars(statement.order_by(Charge.created_at, Charge.id)):
        found.setdefault(charge.plan_id, []).append(charge)
    return found


async def charges_of_metric(tx: Tx, metric_id: uuid.UUID) -> list[Charge]:
    """The live charges that price a metric."""
    statement = select(Charge).where(Charge.billable_metric_id == metric_id, Charge.deleted_at.is_(None))
    return list(await tx.scalars(statement.order_by(Charge.id)))


async def charge_by_code(tx: Tx, plan_id: uuid.UUID, code: str) -> Charge | None:
    """A live charge of a plan."""
    statement = select(Charge).where(Charge.plan_id == plan_id, Charge.code == code, Charge.deleted_at.is_(None))
    return (await tx.scalars(statement)).one_or_none()


def charges_listing(plan_id: uuid.UUID) -> Select[Charge]:
    """Live charges of a plan, newest first (api.md §6)."""
    return (
        select(Charge)
        .where(Charge.plan_id == plan_id, Charge.deleted_at.is_(None))
        .order_by(Charge.created_at.desc(), Charge.id)
    )


async def remove_charges(tx: Tx, charge_ids: Ids, at: dt.datetime) -> None:
    """Hide charges and their filters; documents that show them keep doing so."""
    await tx.flush()
    for column in (ChargeFilter.charge_id, Charge.id):
        table = column.class_
        await tx.execute(
            update(table).where(column.in_(charge_ids), table.deleted_at.is_(None)).values(deleted_at=at, updated_at=at)
        )


async def filters_of(tx: Tx, charge_ids: Ids) -> dict[uuid.UUID, list[ChargeFilter]]:
    """charge -> its live filters in the order they were sent; charges without filters are absent."""
    statement = select(ChargeFilter).where(ChargeFilter.charge_id.in_(charge_ids), ChargeFilter.deleted_at.is_(None))
    found: dict[uuid.UUID, list[ChargeFilter]] = {}
    for row in await tx.scalars(statement.order_by(ChargeFilter.position, ChargeFilter.created_at, ChargeFilter.id)):
        found.setdefault(row.charge_id, []).append(row)
    return found


def filters_listing(charge_id: uuid.UUID) -> Select[ChargeFilter]:
    """Live filters of a charge, least recently updated first (api.md §6)."""
    return (
        select(ChargeFilter)
        .where(ChargeFilter.charge_id == charge_id, ChargeFilter.deleted_at.is_(None))
        .order_by(ChargeFilter.updated_at, ChargeFilter.position, ChargeFilter.id)
    )


# -- commitments and thresholds ---------------------------------------------------------------------


async def commitments_of(tx: Tx, plan_ids: Ids) -> dict[uuid.UUID, MinimumCommitment]:
    """plan -> its minimum commitment."""
    statement = select(MinimumCommitment).where(MinimumCommitment.plan_id.in_(plan_ids))
    return {row.plan_id: row for row in await tx.scalars(statement)}


async def thresholds_of(tx: Tx, plan_ids: Ids) -> dict[uuid.UUID, list[UsageThreshold]]:
    """plan -> its own live usage thresholds, oldest first; plans without any are absent."""
    statement = select(UsageThreshold).where(UsageThreshold.plan_id.in_(plan_ids), UsageThreshold.deleted_at.is_(None))
    found: dict[uuid.UUID, list[UsageThreshold]] = {}
    for row in await tx.scalars(statement.order_by(UsageThreshold.created_at, UsageThreshold.id)):
        assert row.plan_id is not None
        found.setdefault(row.plan_id, []).append(row)
    return found
