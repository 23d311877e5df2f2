"""SQL of the taxes room; the only writer of `taxes` and `tax_links`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tallystick.ground.db import Tx
from tallystick.ground.tables import Tax, TaxLink


class Owner(StrEnum):
    """What a tax can be attached to."""

    BILLING_ENTITY = "billing_entity"
    CUSTOMER = "customer"
    PLAN = "plan"
    CHARGE = "charge"
    FIXED_CHARGE = "fixed_charge"
    ADD_ON = "add_on"
    COMMITMENT = "commitment"


async def by_code(tx: Tx, organization_id: uuid.UUID, code: str) -> Tax | None:
    """A live tax."""
    statement = select(Tax).where(Tax.organization_id == organization_id, Tax.code == code, Tax.deleted_at.is_(None))
    return (await tx.scalars(statement)).one_or_none()


async def by_codes(
    tx: Tx, organization_id: uuid.UUID, codes: Sequence[str], *, fold_case: bool = False
) -> dict[str, Tax]:
    """Live taxes by code; with `fold_case` codes match whatever their case (billing entities)."""
    column = func.lower(Tax.code) if fold_case else Tax.code
    wanted = [code.lower() for code in codes] if fold_case else list(codes)
    statement = select(Tax).where(Tax.organization_id == organization_id, column.in_(wanted), Tax.deleted_at.is_(None))
    return {tax.code.lower() if fold_case else tax.code: tax for tax in await tx.scalars(statement)}


def listing(organization_id: uuid.UUID) -> Select[Tax]:
    """All live taxes by name, newest first among equals (api.md §6)."""
    return (
        select(Tax)
        .where(Tax.organization_id == organization_id, Tax.deleted_at.is_(None))
        .order_by(Tax.name, Tax.created_at.desc(), Tax.id)
    )


async def of_owners(tx: Tx, kind: Owner, owner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Tax]]:
    """owner -> its taxes in the order of attachment; owners without taxes are absent."""
    statement = (
        select(TaxLink.owner_id, Tax)
        .join(Tax, Tax.id == TaxLink.tax_id)
        .where(TaxLink.owner_kind == kind.value, TaxLink.owner_id.in_(owner_ids), Tax.deleted_at.is_(None))
        .order_by(TaxLink.created_at, Tax.id)
    )
    found: dict[uuid.UUID, list[Tax]] = {}
    for owner_id, tax in await tx.execute(statement):
        found.setdefault(owner_id, []).append(tax)
    return found


async def replace_links(
    tx: Tx,
    organization_id: uuid.UUID,
    kind: Owner,
    wanted: Mapping[uuid.UUID, Sequence[uuid.UUID]],
    at: dt.datetime,
) -> None:
    """Each owner has exactly these taxes from now on."""
    await tx.execute(delete(TaxLink).where(TaxLink.owner_kind == kind.value, TaxLink.owner_id.in_(list(wanted))))
    await add_links(tx, organization_id, kind, [(owner, tax) for owner, taxes in wanted.items() for tax in taxes], at)


async def add_links(
    tx: Tx,
    organization_id: uuid.UUID,
    kind: Owner,
    pairs: Sequence[tuple[uuid.UUID, uuid.UUID]],
    at: dt.datetime,
) -> None:
    """Attach (owner, tax) pairs; those attached already stay."""
    rows = [
        {
            "owner_kind": kind.value,
            "owner_id": owner,
            "tax_id": tax,
            "organization_id": organization_id,
            "created_at": at,
        }
        for owner, tax in pairs
    ]
    if rows:
        await tx.execute(insert(TaxLink).values(rows).on_conflict_do_nothing())


async def remove_links(tx: Tx, tax_id: uuid.UUID, kind: Owner | None = None, owner_id: uuid.UUID | None = None) -> None:
    """Detach a tax from everything, or from one owner."""
    statement = delete(TaxLink).where(TaxLink.tax_id == tax_id)
    if kind is not None:
        statement = statement.where(TaxLink.owner_kind == kind.value, TaxLink.owner_id == owner_id)
    await tx.execute(statement)
