"""SQL of fixed charges; only the catalog room writes them (rating.md §16)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import Select, select, update

from tallystick.ground.db import Tx
from tallystick.ground.tables import AddOn, FixedCharge

Ids = Sequence[uuid.UUID]


def listing(plan_id: uuid.UUID) -> Select[FixedCharge]:
    """Live fixed charges of a plan, newest first (api.md §6)."""
    return (
        select(FixedCharge)
        .where(FixedCharge.plan_id == plan_id, FixedCharge.deleted_at.is_(None))
        .order_by(FixedCharge.created_at.desc(), FixedCharge.id)
    )


async def of_plans(tx: Tx, plan_ids: Ids) -> dict[uuid.UUID, list[FixedCharge]]:
    """plan -> its live fixed charges, oldest first; plans without any are absent."""
    statement = select(FixedCharge).where(FixedCharge.plan_id.in_(plan_ids), FixedCharge.deleted_at.is_(None))
    found: dict[uuid.UUID, list[FixedCharge]] = {}
    for row in await tx.scalars(statement.order_by(FixedCharge.created_at, FixedCharge.id)):
        found.setdefault(row.plan_id, []).append(row)
    return found


async def by_code(tx: Tx, plan_id: uuid.UUID, code: str) -> FixedCharge | None:
    """A live fixed charge of a plan."""
    return (await tx.scalars(listing(plan_id).where(FixedCharge.code == code).order_by(None))).one_or_none()


async def add_ons_by_ids(tx: Tx, organization_id: uuid.UUID, ids: Ids) -> dict[uuid.UUID, AddOn]:
    """Live add-ons of the organization by id."""
    statement = select(AddOn).where(
        AddOn.organization_id == organization_id, AddOn.id.in_(ids), AddOn.deleted_at.is_(None)
    )
    return {row.id: row for row in await tx.scalars(statement)}


async def add_on_codes(tx: Tx, ids: Ids) -> dict[uuid.UUID, str]:
    """add-on -> code, deleted ones too: nested objects keep showing them (api.md §10)."""
    rows = await tx.execute(select(AddOn.id, AddOn.code).where(AddOn.id.in_(ids)))
    return {row.id: row.code for row in rows}


async def remove(tx: Tx, fixed_charge_ids: Ids, at: dt.datetime) -> None:
    """Hide fixed charges; documents that show them keep doing so."""
    await tx.flush()
    await tx.execute(
        update(FixedCharge)
        .where(FixedCharge.id.in_(fixed_charge_ids), FixedCharge.deleted_at.is_(None))
        .values(deleted_at=at, updated_at=at)
    )
