"""What is paid of invoices, and whether in time. Payments themselves are another room's.

Called by flows/collection, which tells other rooms.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from tallystick.core.issuing import overdue_at
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Fee, Invoice
from tallystick.rooms.invoices import store, views


async def set_payment_status(tx: Tx, invoices: Sequence[Invoice], status: str, at: dt.datetime) -> list[Invoice]:
    """Give locked invoices a payment status; those that really change are returned and announced (invoicing.md §17).

    Their fees follow, and so does the date on which they turn overdue.
    """
    changed = [invoice for invoice in invoices if invoice.payment_status != status]
    for invoice in changed:
        invoice.payment_status = status
        invoice.payment_overdue = invoice.payment_overdue and status != "succeeded"
        invoice.updated_at = at
    await tx.flush()
    ids = [invoice.id for invoice in changed]
    await tx.execute(update(Fee).where(Fee.invoice_id.in_(ids)).values(**fee_payment(status, at)))
    if status == "succeeded":
        await agenda.remove(tx, [Kind.OVERDUE_INVOICE], ids)
    else:
        await agenda.put(tx, [due for invoice in changed for due in overdue_dates(invoice)])
    messages = [
        Message(invoice.organization_id, "invoice.payment_status_updated", invoice.id, at)
        for invoice in changed
        if invoice.status in store.VISIBLE
    ]
    await outbox.emit(tx, messages)
    return changed


async def lower_due(tx: Tx, cents_of: Mapping[uuid.UUID, int], at: dt.datetime, *, paid: bool) -> list[Invoice]:
    """Take amounts off what is due of invoices, as payments or as offsets; those with nothing left, locked."""
    statement = select(Invoice).where(Invoice.id.in_(list(cents_of))).order_by(Invoice.id)
    rows = list(await tx.scalars(statement.with_for_update(key_share=True).execution_options(populate_existing=True)))
    for row in rows:
        if paid:
            row.total_paid_amount_cents += cents_of[row.id]
        else:
            row.offset_amount_cents += cents_of[row.id]
        row.updated_at = at
    await tx.flush()
    return [row for row in rows if views.total_due_cents(row) <= 0]


async def mark_overdue(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Mark issued, unpaid, undisputed invoices whose due date has passed; (invoice, organization) of those marked."""
    latest = max(at_of.values()).astimezone(dt.UTC)
    statement = (
        update(Invoice)
        .where(
            Invoice.id.in_(list(at_of)),
            Invoice.status == "finalized",
            Invoice.payment_status != "succeeded",
            Invoice.payment_overdue.is_(False),
            Invoice.payment_dispute_lost_at.is_(None),
            Invoice.payment_due_date < latest.date(),
        )
        .values(payment_overdue=True, updated_at=func.greatest(Invoice.updated_at, latest))
        .returning(Invoice.id, Invoice.organization_id)
        .execution_options(synchronize_session=False)
    )
    marked = {row.id: row.organization_id for row in await tx.execute(statement)}
    return [(invoice_id, marked[invoice_id]) for invoice_id in at_of if invoice_id in marked]


def overdue_dates(invoice: Invoice) -> list[Due]:
    """When an issued, unpaid invoice turns overdue: on the UTC day after its due date (dunning.md §1)."""
    if invoice.status != "finalized" or invoice.payment_overdue or invoice.payment_dispute_lost_at is not None:
        return []
    due_at = overdue_at(invoice.payment_due_date)
    return [Due(Kind.OVERDUE_INVOICE, invoice.id, invoice.organization_id, due_at)]


def fee_payment(status: str, at: dt.datetime) -> dict[str, Any]:
    """Columns of a fee: a payment status with the one date that belongs to it; pending has none."""
    dates = {name: at if name == f"{status}_at" else None for name in ("succeeded_at", "failed_at", "refunded_at")}
    return {"payment_status": status, **dates, "updated_at": at}
