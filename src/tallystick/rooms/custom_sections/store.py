"""SQL of the custom_sections room; the only writer of `invoice_custom_sections` and its links."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, delete, insert, select

from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import CustomSection, CustomSectionLink


class Owner(StrEnum):
    """Who can select sections."""

    BILLING_ENTITY = "billing_entity"
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    WALLET = "wallet"
    WALLET_TRANSACTION = "wallet_transaction"
    RECURRING_RULE = "recurring_transaction_rule"


@dataclass(frozen=True, slots=True)
class Selected:
    """A section that an owner selected."""

    link_id: uuid.UUID
    section: CustomSection
    selected_at: dt.datetime


def listing(organization_id: uuid.UUID) -> Select[CustomSection]:
    """All live sections by name, newest first among equals."""
    return (
        select(CustomSection)
        .where(CustomSection.organization_id == organization_id, CustomSection.deleted_at.is_(None))
        .order_by(CustomSection.name, CustomSection.created_at.desc(), CustomSection.id)
    )


async def by_codes(tx: Tx, organization_id: uuid.UUID, codes: Sequence[str]) -> dict[str, CustomSection]:
    """Live sections by code."""
    statement = listing(organization_id).where(CustomSection.code.in_(codes))
    return {section.code: section for section in await tx.scalars(statement)}


async def by_ids(tx: Tx, organization_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CustomSection]:
    """Live sections by id."""
    statement = listing(organization_id).where(CustomSection.id.in_(ids))
    return {section.id: section for section in await tx.scalars(statement)}


async def of_owners(tx: Tx, kind: Owner, owner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Selected]]:
    """owner -> the sections it selected, in the order of selection; owners without any are absent."""
    statement = (
        select(CustomSectionLink, CustomSection)
        .join(CustomSection, CustomSection.id == CustomSectionLink.section_id)
        .where(
            CustomSectionLink.owner_kind == kind.value,
            CustomSectionLink.owner_id.in_(owner_ids),
            CustomSection.deleted_at.is_(None),
        )
        .order_by(CustomSectionLink.created_at, CustomSectionLink.id)
    )
    found: dict[uuid.UUID, list[Selected]] = {}
    for link, section in await tx.execute(statement):
        found.setdefault(link.owner_id, []).append(Selected(link.id, section, link.created_at))
    return found


async def replace_links(
    tx: Tx, organization_id: uuid.UUID, kind: Owner, wanted: Mapping[uuid.UUID, Sequence[uuid.UUID]], at: dt.datetime
) -> None:
    """Each owner has selected exactly these manual sections from now on; generated ones stay."""
    manual = select(CustomSection.id).where(CustomSection.section_type == "manual")
    await tx.execute(
        delete(CustomSectionLink).where(
            CustomSectionLink.owner_kind == kind.value,
            CustomSectionLink.owner_id.in_(list(wanted)),
            CustomSectionLink.section_id.in_(manual),
        )
    )
    rows = [
        {
            "id": new_id(),
            "owner_kind": kind.value,
            "owner_id": owner_id,
            "section_id": section_id,
            "organization_id": organization_id,
            "created_at": at,
        }
        for owner_id, section_ids in wanted.items()
        for section_id in section_ids
    ]
    if rows:
        await tx.execute(insert(CustomSectionLink), rows)


async def remove_links(tx: Tx, section_id: uuid.UUID) -> None:
    """Nobody has selected this section any more."""
    await tx.execute(delete(CustomSectionLink).where(CustomSectionLink.section_id == section_id))
