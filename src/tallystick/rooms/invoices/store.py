"""Finding invoices and fees. Lists with filters are in listing.py; new invoices are written by ledger.py."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select

from tallystick.ground.db import Tx
from tallystick.ground.tables import Fee, Invoice, InvoiceMetadata, InvoiceSubscription

#: statuses that callers ever see (api.md §10)
VISIBLE = ("draft", "finalized", "voided", "failed", "pending")
#: statuses of those that can be told to be paid: open ones are payable, although callers do not see them
TOLD_OF_PAYMENTS = (*VISIBLE, "open")
#: statuses of issued invoices, which have a number and a document
ISSUED = ("finalized", "voided")


async def invoice(
    tx: Tx,
    organization_id: uuid.UUID,
    invoice_id: uuid.UUID,
    statuses: Sequence[str] = VISIBLE,
    *,
    lock: bool = False,
) -> Invoice | None:
    """An invoice in one of the statuses; `lock` keeps it for a change."""
    statement = select(Invoice).where(
        Invoice.id == invoice_id, Invoice.organization_id == organization_id, Invoice.status.in_(statuses)
    )
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await tx.scalars(statement)).one_or_none()


async def by_ids(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Invoice]:
    """Invoices by id, whatever their status."""
    rows = await tx.scalars(select(Invoice).where(Invoice.id.in_(invoice_ids)))
    return {row.id: row for row in rows}


async def read_again(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> None:
    """Invoices that callers hold get what a set was given in the database."""
    await tx.scalars(select(Invoice).where(Invoice.id.in_(invoice_ids)).execution_options(populate_existing=True))


async def awaiting_taxes(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the subscriptions with an invoice that waits for its taxes."""
    statement = (
        select(InvoiceSubscription.subscription_id)
        .join(Invoice, Invoice.id == InvoiceSubscription.invoice_id)
        .where(InvoiceSubscription.subscription_id.in_(subscription_ids), Invoice.tax_status == "pending")
    )
    return set(await tx.scalars(statement))


async def metadata_of(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[InvoiceMetadata]]:
    """invoice -> its metadata, oldest first; invoices without any are absent."""
    statement = (
        select(InvoiceMetadata)
        .where(InvoiceMetadata.invoice_id.in_(invoice_ids))
        .order_by(InvoiceMetadata.created_at, InvoiceMetadata.id)
    )
    found: dict[uuid.UUID, list[InvoiceMetadata]] = {}
    for row in await tx.scalars(statement):
        found.setdefault(row.invoice_id, []).append(row)
    return found


async def fee(tx: Tx, organization_id: uuid.UUID, fee_id: uuid.UUID, *, lock: bool = False) -> Fee | None:
    """A fee that is not deleted, without invoice or on a visible one; `lock` keeps it for a change."""
    statement = select(Fee).where(Fee.id == fee_id, Fee.organization_id == organization_id, shown_fee())
    if lock:
        statement = statement.with_for_update(key_share=True, of=Fee).execution_options(populate_existing=True)
    return (await tx.scalars(statement)).one_or_none()


async def fees_by_ids(tx: Tx, fee_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Fee]:
    """Fees by id, whatever their state."""
    return {row.id: row for row in await tx.scalars(select(Fee).where(Fee.id.in_(fee_ids)))}


async def fees_of(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[Fee]:
    """The fees of invoices in the order in which they are shown."""
    statement = select(Fee).where(Fee.invoice_id.in_(invoice_ids), Fee.deleted_at.is_(None))
    return list(await tx.scalars(statement.order_by(Fee.created_at, Fee.id)))


def shown_fee() -> ColumnElement[bool]:
    """Not deleted, and not on an invoice that callers must not see."""
    visible = select(Invoice.id).where(Invoice.id == Fee.invoice_id, Invoice.status.in_(VISIBLE)).exists()
    return Fee.deleted_at.is_(None) & or_(Fee.invoice_id.is_(None), visible)
