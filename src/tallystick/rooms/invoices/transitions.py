"""How invoices leave the status they have: voided, deleted, disputed, retried (invoicing.md §2, §9.3, §16, §17).

Only the invoice itself and its lines; what other rooms give back when one is voided is a flow's work.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update

from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Kind
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Fee, Invoice
from tallystick.rooms.invoices import store

#: what happens to drafts only
OF_DRAFTS = (Kind.FINALIZE_INVOICE, Kind.REFRESH_DRAFT)


async def void(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """Cancel a locked, issued invoice; 405 `not_voidable` (invoicing.md §16.1). Number and amounts stay.

    Its lines are not live any more, so a regenerated invoice may bill their periods again; its ticks stay billed.
    """
    if invoice.status != "finalized":
        raise NotAllowed("not_voidable")
    invoice.status = "voided"
    invoice.voided_at = at
    invoice.payment_overdue = False
    invoice.updated_at = at
    await tx.flush()
    await tx.execute(update(Fee).where(Fee.invoice_id == invoice.id).values(live=False, updated_at=at))
    await agenda.remove(tx, [Kind.OVERDUE_INVOICE], [invoice.id])


async def delete_draft(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """Remove a locked draft; 405 `not_deletable`. Its lines stay live: its tick is never billed again (§9.3)."""
    if invoice.status != "draft":
        raise NotAllowed("not_deletable")
    invoice.status = "deleted"
    invoice.updated_at = at
    await tx.flush()
    await agenda.remove(tx, OF_DRAFTS, [invoice.id])
    await _tell(tx, invoice, "invoice.deleted", at)


async def lose_dispute(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """The payer's bank took the money of a locked invoice back; 405 `not_disputable`. The first date stays (§17)."""
    if invoice.status not in store.ISSUED:
        raise NotAllowed("not_disputable")
    invoice.payment_dispute_lost_at = invoice.payment_dispute_lost_at or at
    invoice.payment_overdue = False
    invoice.updated_at = at
    await tx.flush()
    await agenda.remove(tx, [Kind.OVERDUE_INVOICE], [invoice.id])
    await _tell(tx, invoice, "invoice.payment_dispute_lost", at)


async def retry(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """A locked invoice whose taxes failed waits for them again; 405 `invalid_status` (§7.3)."""
    if invoice.status != "failed":
        raise NotAllowed("invalid_status")
    invoice.status = "pending"
    invoice.tax_status = "pending"
    invoice.updated_at = at
    await tx.flush()


async def _tell(tx: Tx, invoice: Invoice, webhook_type: str, at: dt.datetime) -> None:
    await outbox.emit(tx, [Message(invoice.organization_id, webhook_type, invoice.id, at)])
