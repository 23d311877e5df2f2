"""Notes in the place of a voided invoice: what was asked for, and one that uses up the rest (credits.md §3.8)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from tallystick.core.credit_note import (
    NotedInvoice,
    Parts,
    amounts_of,
    creditable_cents,
    refundable_cents,
    spread,
)
from tallystick.flows.billing.credit_notes.book import Book, Entry
from tallystick.ground.errors import Invalid


def check_asked(invoice: NotedInvoice, asked: Parts) -> None:
    """422 `credit_refund_amount` for more than can be credited or refunded, or for less than nothing."""
    creditable = creditable_cents(invoice)
    too_much = asked.total_cents > creditable or asked.refund_cents > refundable_cents(invoice)
    if too_much or min(asked.credit_cents, asked.refund_cents) < 0:
        raise Invalid.field("credit_refund_amount", "total_amount_exceeds_invoice_amount")


def enter_notes(book: Book, invoice_id: UUID, asked: Parts, at: dt.datetime) -> None:
    """Enter the note that was asked for, spread over all fees, and a voided one over what it leaves of them."""
    invoice = book.invoice(invoice_id)
    whole = creditable_cents(invoice)
    if asked.total_cents > 0:
        book.enter(invoice_id, amounts_of(invoice, spread(invoice, asked.total_cents, whole)), asked, at, Entry())
    rest = book.invoice(invoice_id)
    amounts = amounts_of(rest, rest.remaining)
    book.enter(invoice_id, amounts, Parts(credit_cents=amounts.worth_cents), at, Entry(voided=True))
