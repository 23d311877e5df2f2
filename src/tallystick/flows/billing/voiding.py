"""Void an issued invoice: cancel it, and give back what it had taken (invoicing.md §16.1).

Each room gives back its own; the invoice's status and lines are the invoices room's.
"""

from __future__ import annotations

import datetime as dt

from tallystick.flows.billing.run import lock_customers
from tallystick.flows.usage.marks import mark_invoiced
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Invoice
from tallystick.rooms.coupons import usage
from tallystick.rooms.invoices import transitions, verbs


async def void(
    tx: Tx, invoice: Invoice, at: dt.datetime, *, credit_amount_cents: int = 0, refund_amount_cents: int = 0
) -> Invoice:
    """Void an invoice; the amounts are those of the credit note that shall take its place.

    422 `credit_refund_amount` for more than can be credited or refunded, 405 `not_voidable`.
    """
    await lock_customers(tx, [invoice.customer_id])
    locked = await verbs.find(tx, invoice.organization_id, str(invoice.id), lock=True)
    if credit_amount_cents + refund_amount_cents > creditable_cents(locked):
        raise Invalid.field("credit_refund_amount", "total_amount_exceeds_invoice_amount")
    await transitions.void(tx, locked, at)
    await usage.give_back(tx, [locked.id], at)
    await mark_invoiced(tx, locked, at)
    await outbox.emit(tx, [Message(locked.organization_id, "invoice.voided", locked.id, at)])
    return locked


def creditable_cents(invoice: Invoice) -> int:
    """How much of an invoice credit notes may still give back: nothing as long as there are no credit notes."""
    return 0
