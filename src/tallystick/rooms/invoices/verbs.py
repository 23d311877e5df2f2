"""What can be done with existing invoices and fees: metadata, payment status and deletion of a standalone fee.

New invoices are the ledger's; what is paid of them is in payment_state.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed, NotFound
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import Fee, Invoice, InvoiceMetadata
from tallystick.rooms.invoices import store
from tallystick.rooms.invoices.payment_state import fee_payment


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
    """Metadata of a PUT, and whether it may change the payment status (invoicing.md §17); the invoice is locked.

    `fields`: payment_status, which is flows/collection's to set, and metadata (id?, key, value). 405
    `update_on_voided_invoice`, `metadata_on_draft_invoice`, `payment_status_update_on_draft_invoice`; 404 for an open
    invoice, which nobody sees, unless it is told to be paid or not.
    """
    status, pairs = fields.get("payment_status"), fields.get("metadata")
    if invoice.status == "open" and status is None:
        raise NotFound("invoice")
    if invoice.status == "voided":
        raise NotAllowed("update_on_voided_invoice")
    if invoice.status == "draft" and pairs is not None:
        raise NotAllowed("metadata_on_draft_invoice")
    if invoice.status == "draft" and status not in (None, invoice.payment_status):
        raise NotAllowed("payment_status_update_on_draft_invoice")
    if pairs is not None:
        await replace_metadata(tx, invoice, at, pairs)


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
        for name, value in fee_payment(fields["payment_status"], at).items():
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
