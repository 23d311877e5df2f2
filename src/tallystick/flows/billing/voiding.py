"""Void an issued invoice: cancel it, and give back what it had taken (invoicing.md §16.1).

Each room gives back its own; the invoice's status and lines are the invoices room's.
"""

from __future__ import annotations

import datetime as dt

from tallystick.core.credit_note import Parts
from tallystick.flows.billing.credit_notes.book import open_book
from tallystick.flows.billing.credit_notes.voided import check_asked, enter_notes
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.usage.marks import mark_invoiced
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Invoice
from tallystick.rooms.coupons import usage
from tallystick.rooms.invoices import transitions, verbs
from tallystick.rooms.wallets import ledger as wallets


async def void(tx: Tx, invoice: Invoice, at: dt.datetime, *, noted: Parts | None = None) -> Invoice:
    """Void an invoice. `noted`: a credit note of these parts takes its place, and a voided one uses up the rest.

    422 `credit_refund_amount` for more than can be credited or refunded, 405 `not_voidable`.
    """
    await lock_customers(tx, [invoice.customer_id])
    locked = await verbs.find(tx, invoice.organization_id, str(invoice.id), lock=True)
    book = await open_book(tx, [locked.id] if noted else [])
    if noted:
        check_asked(book.invoice(locked.id), noted)
    await transitions.void(tx, locked, at)
    if noted:
        enter_notes(book, locked.id, noted, at)
        await book.store(tx)
    await usage.give_back(tx, [locked.id], at)
    if not noted:
        await wallets.give_back(tx, [locked.id], at)
    await mark_invoiced(tx, locked, at)
    await outbox.emit(tx, [Message(locked.organization_id, "invoice.voided", locked.id, at)])
    return locked
