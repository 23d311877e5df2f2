"""What can be done with existing invoices and fees: payment status, metadata, deletion of a standalone fee.

New invoices are the ledger's; payments themselves are another room's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from tallystick.core.issuing import overdue_at
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed, NotFound
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Fee, Invoice, InvoiceMetadata
from tallystick.rooms.invoices import store, views


async def find(
    tx: Tx,
    organization_id: uuid.UUID,
    invoice_id: str,
    statuses: Sequence[str] = store.VISIBLE,
    *,
    lock: bool = False,
) -> Invoice:
    """An invoice in one of the statuses; 404 `invoice_not_found`."""
    known = parse_id(invoice_id)
    invoice = await store.invoice(tx, organization_id, known, statuses, lock=lock) if known else None
    if invoice is None:
        raise NotFound("invoice")
    return invoice


async def update_invoice(tx: Tx, invoice: Invoice, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """PUT of a locked invoice (invoicing.md §17); `fields`: payment_status, metadata (id?, key, value).

    405 `update_on_voided_invoice`, `metadata_on_draft_invoice`, `payment_status_update_on_draft_invoice`.
    """
    status, pairs = fields.get("payment_status"), fields.get("metadata")
    if invoice.status == "voided":
        raise NotAllowed("update_on_voided_invoice")
    if invoice.status == "draft" and pairs is not None:
        raise NotAllowed("metadata_on_draft_invoice")
    if invoice.status == "draft" and status not in (None, invoice.payment_status):
        raise NotAllowed("payment_status_update_on_draft_invoice")
    if pairs is not None:
        await replace_metadata(tx, invoice, at, pairs)
    if status is not None:
        await set_payment_status(tx, [invoice], status, at)


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
    await tx.execute(update(Fee).where(Fee.invoice_id.in_(ids)).values(**_fee_payment(status, at)))
    if status == "succeeded":
        await agenda.remove(tx, [Kind.OVERDUE_INVOICE], ids)
    else:
        await agenda.put(tx, [due for invoice in changed for due in overdue_dates(invoice)])
    messages = [
        Message(invoice.organization_id, "invoice.payment_status_updated", invoice.id, at) for invoice in changed
    ]
    await outbox.emit(tx, messages)
    return changed


async def offset(tx: Tx, cents_of: Mapping[uuid.UUID, int], at: dt.datetime) -> None:
    """Credit notes take these amounts off what is due of their invoices; with nothing left one is paid (credits §3.10).

    Customers are locked.
    """
    statement = select(Invoice).where(Invoice.id.in_(list(cents_of))).order_by(Invoice.id)
    rows = list(await tx.scalars(statement.with_for_update(key_share=True).execution_options(populate_existing=True)))
    for row in rows:
        row.offset_amount_cents += cents_of[row.id]
        row.updated_at = at
    await tx.flush()
    await set_payment_status(tx, [row for row in rows if views.total_due_cents(row) <= 0], "succeeded", at)


def overdue_dates(invoice: Invoice) -> list[Due]:
    """When an issued, unpaid invoice turns overdue: on the UTC day after its due date (dunning.md §1)."""
    if invoice.status != "finalized" or invoice.payment_overdue or invoice.payment_dispute_lost_at is not None:
        return []
    due_at = overdue_at(invoice.payment_due_date)
    return [Due(Kind.OVERDUE_INVOICE, invoice.id, invoice.organization_id, due_at)]


async def replace_metadata(tx: Tx, invoice: Invoice, at: dt.datetime, items: Sequence[Mapping[str, Any]]) -> None:
    """The invoice has exactly these pairs from now on; an item with a known `id` keeps its row."""
    known = {row.id: row for row in (await store.metadata_of(tx, [invoice.id])).get(invoice.id, [])}
    for item in items:
        row = known.pop(parse_id(item.get("id") or "") or invoice.id, None)
        if row is None:
            row = InvoiceMetadata(
                id=new_id(), organization_id=invoice.organization_id, invoice_id=invoice.id, created_at=at
            )
            tx.add(row)
        row.key = item["key"]
        row.value = item["value"]
        row.updated_at = at
    for row in known.values():
        await tx.delete(row)
    await tx.flush()


# -- fees without invoice (invoicing.md §12) -------------------------------------------------------


async def find_fee(tx: Tx, organization_id: uuid.UUID, fee_id: str, *, lock: bool = False) -> Fee:
    """A fee; 404 `fee_not_found`."""
    known = parse_id(fee_id)
    fee = await store.fee(tx, organization_id, known, lock=lock) if known else None
    if fee is None:
        raise NotFound("fee")
    return fee


async def update_fee(tx: Tx, fee: Fee, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """PUT of a standalone fee; `fields`: payment_status. 405 `invoiced_fee` for one that stands on an invoice."""
    _check_standalone(fee)
    if fields.get("payment_status") is not None:
        for name, value in _fee_payment(fields["payment_status"], at).items():
            setattr(fee, name, value)
        await tx.flush()


async def delete_fee(tx: Tx, fee: Fee, at: dt.datetime) -> None:
    """Hide a standalone fee; its event is never priced again. 405 `invoiced_fee` for one that stands on an invoice."""
    _check_standalone(fee)
    fee.deleted_at = at
    await tx.flush()


def _check_standalone(fee: Fee) -> None:
    if fee.invoice_id is not None:
        raise NotAllowed("invoiced_fee")


def _fee_payment(status: str, at: dt.datetime) -> dict[str, Any]:
    """A payment status with the one date that belongs to it; pending has none."""
    dates = {name: at if name == f"{status}_at" else None for name in ("succeeded_at", "failed_at", "refunded_at")}
    return {"payment_status": status, **dates, "updated_at": at}
