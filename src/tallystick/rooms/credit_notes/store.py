"""Finding credit notes with their items and taxes. New ones are written by ledger.py, lists are in listing.py."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote, CreditNoteItem, CreditNoteTax


async def note(
    tx: Tx, organization_id: uuid.UUID, note_id: uuid.UUID, statuses: Sequence[str], *, lock: bool = False
) -> CreditNote | None:
    """A note in one of the statuses; `lock` keeps it for a change."""
    statement = select(CreditNote).where(
        CreditNote.id == note_id, CreditNote.organization_id == organization_id, CreditNote.status.in_(statuses)
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await tx.scalars(statement.execution_options(populate_existing=True))).one_or_none()


async def by_ids(tx: Tx, note_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CreditNote]:
    """Notes by id, whatever their status."""
    return {row.id: row for row in await tx.scalars(select(CreditNote).where(CreditNote.id.in_(note_ids)))}


async def of_invoices(tx: Tx, invoice_ids: Sequence[uuid.UUID], status: str) -> list[CreditNote]:
    """The notes of invoices that have this status, in the order of their numbers."""
    statement = select(CreditNote).where(CreditNote.invoice_id.in_(invoice_ids), CreditNote.status == status)
    return list(await tx.scalars(statement.order_by(CreditNote.invoice_id, CreditNote.sequential_id)))


async def items_of(tx: Tx, note_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[CreditNoteItem]]:
    """note -> its items, oldest first."""
    statement = select(CreditNoteItem).where(CreditNoteItem.credit_note_id.in_(note_ids))
    found: dict[uuid.UUID, list[CreditNoteItem]] = defaultdict(list)
    for row in await tx.scalars(statement.order_by(CreditNoteItem.created_at, CreditNoteItem.id)):
        found[row.credit_note_id].append(row)
    return found


async def taxes_of(tx: Tx, note_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[CreditNoteTax]]:
    """note -> its taxes, oldest first."""
    statement = select(CreditNoteTax).where(CreditNoteTax.credit_note_id.in_(note_ids))
    found: dict[uuid.UUID, list[CreditNoteTax]] = defaultdict(list)
    for row in await tx.scalars(statement.order_by(CreditNoteTax.created_at, CreditNoteTax.id)):
        found[row.credit_note_id].append(row)
    return found
