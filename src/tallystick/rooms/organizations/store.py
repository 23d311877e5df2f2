"""SQL of organizations and billing entities; with keys.py the only writer of the room's tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Select, func, select

from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity, Invoice, Organization


def organizations() -> Select[Organization]:
    """All organizations of the installation, newest first."""
    return select(Organization).order_by(Organization.created_at.desc(), Organization.id)


async def default_entities(tx: Tx, organization_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, BillingEntity]:
    """organization -> its default billing entity; that one has the organization's id."""
    rows = await tx.scalars(select(BillingEntity).where(BillingEntity.id.in_(organization_ids)))
    return {row.organization_id: row for row in rows}


async def entities(tx: Tx, organization_id: uuid.UUID) -> list[BillingEntity]:
    """The entities that are not archived, oldest first (api.md §6)."""
    statement = (
        select(BillingEntity)
        .where(BillingEntity.organization_id == organization_id, BillingEntity.archived_at.is_(None))
        .order_by(BillingEntity.created_at, BillingEntity.id)
    )
    return list(await tx.scalars(statement))


async def entities_by_code(
    tx: Tx, organization_id: uuid.UUID, codes: Sequence[str], *, archived: bool = False
) -> dict[str, BillingEntity]:
    """Entities by code; `archived` also finds archived ones, a live one first (api.md §10)."""
    statement = (
        select(BillingEntity)
        .where(BillingEntity.organization_id == organization_id, BillingEntity.code.in_(codes))
        .order_by(BillingEntity.archived_at.desc().nulls_last())
    )
    if not archived:
        statement = statement.where(BillingEntity.archived_at.is_(None))
    return {row.code: row for row in await tx.scalars(statement)}


async def lock_entity(tx: Tx, entity_id: uuid.UUID) -> BillingEntity:
    """The entity, locked against every other change of its settings and counters."""
    statement = select(BillingEntity).where(BillingEntity.id == entity_id).with_for_update(key_share=True)
    return (await tx.scalars(statement.execution_options(populate_existing=True))).one()


async def numbered_invoices(tx: Tx, entity_id: uuid.UUID) -> int:
    """How many invoices of the entity carry a number, self-billed ones left out (invoicing.md §5)."""
    statement = select(func.count()).where(
        Invoice.billing_entity_id == entity_id,
        Invoice.sequential_id.is_not(None),
        Invoice.status.in_(("finalized", "voided")),
        Invoice.self_billed.is_(False),
    )
    return await tx.scalar(statement) or 0
