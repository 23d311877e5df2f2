"""A credit note is asked for: checked against its invoice, made, or only estimated (credits.md §3.3, §3.6)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tallystick.core.credit_note import (
    Estimate,
    NotedInvoice,
    NoteItem,
    Parts,
    amounts_of,
    estimate,
    refusals,
)
from tallystick.core.credit_note.amounts import PLACES
from tallystick.core.money import round_half_away
from tallystick.core.payment import TOP_UP
from tallystick.flows.billing.credit_notes.book import Book, Entry, open_book
from tallystick.flows.billing.credit_notes.top_ups import purchase_of
from tallystick.flows.collection.locked import locked_invoice
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, NotFound, Problems
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import CreditNote
from tallystick.rooms.credit_notes import store, verbs
from tallystick.rooms.credit_notes.noted import Subject
from tallystick.rooms.invoices import verbs as invoices

#: invoices in these states have notes; one that failed or waits has no amounts yet
NOTABLE = ("draft", "finalized", "voided")


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of a request; None for an amount that is no number."""

    fee_id: str
    amount_cents: Decimal | None


async def create(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    invoice_id: str,
    asked: Sequence[Asked] | None,
    fields: Mapping[str, Any],
) -> CreditNote:
    """Make a note; `fields`: reason, description, metadata, credit_, refund_ and offset_amount_cents.

    404 `invoice_not_found`, `fee_not_found`; 405 `invalid_type_or_status`; 422 in the order of §3.3.
    """
    invoice = await locked_invoice(tx, organization_id, invoice_id)
    book = await open_book(tx, [invoice.id])
    parts = Parts(*(fields.get(f"{name}_amount_cents") or 0 for name in ("credit", "refund", "offset")))
    subject = book.subjects[invoice.id]
    _check_kind(subject.invoice, parts)
    purchase = await purchase_of(tx, invoice.id) if subject.invoice.invoice_type == TOP_UP else None
    items = list(_items(subject, asked))
    if purchase is not None:
        purchase.check(items)
    amounts = amounts_of(subject.invoice, items)
    problems = Problems()
    for name, code in refusals(subject.invoice, parts, amounts):
        problems.add(name, code)
    problems.raise_if_any()
    verbs.check_metadata(fields.get("metadata") or {})
    entry = Entry(fields.get("reason") or "other", fields.get("description"), fields.get("metadata"))
    note = book.enter(invoice.id, amounts, parts, at, entry)
    if note is None:
        raise Invalid.field("base", "total_amount_must_be_positive")
    await book.store(tx)
    if purchase is not None and parts.refund_cents > 0:
        await purchase.void(tx, parts.refund_cents, note.id, at)
    return (await store.by_ids(tx, [note.id]))[note.id]


async def estimate_note(
    tx: Tx, organization_id: uuid.UUID, invoice_id: str, asked: Sequence[Asked] | None
) -> tuple[Subject, Estimate]:
    """What a note over these items would be; refused as `create` refuses it, but items of a fee do not accumulate."""
    invoice = await invoices.find(tx, organization_id, invoice_id)
    book: Book = await open_book(tx, [invoice.id])
    subject = book.subjects[invoice.id]
    if subject.invoice.status not in NOTABLE or subject.invoice.invoice_type == TOP_UP:
        raise NotAllowed("invalid_type_or_status")
    return subject, estimate(subject.invoice, list(_items(subject, asked, accumulating=False)))


def _check_kind(invoice: NotedInvoice, parts: Parts) -> None:
    """405 unless notes of this kind are made for such an invoice: a top-up is refunded when paid, offset when not."""
    allowed = invoice.status in NOTABLE
    if invoice.invoice_type == TOP_UP:
        paid = invoice.payment_status == "succeeded"
        wrong = parts.credit_cents or (parts.offset_cents if paid else parts.refund_cents)
        allowed = allowed and not wrong
    if not allowed:
        raise NotAllowed("invalid_type_or_status")


def _items(subject: Subject, asked: Sequence[Asked] | None, *, accumulating: bool = True) -> Iterator[NoteItem]:
    """The items one by one; the first that cannot be is the answer (§3.3 c)."""
    if asked is None:
        raise Invalid.field("items", "must_be_an_array")
    fees = {fee.id: fee for fee in subject.invoice.fees}
    for one in asked:
        fee_id = parse_id(one.fee_id)
        if fee_id is None or fee_id not in fees:
            raise NotFound("fee")
        if one.amount_cents is None or one.amount_cents < 0:
            raise Invalid.field("amount_cents", "invalid_value")
        fee = fees[fee_id]
        item = NoteItem(fee, round_half_away(one.amount_cents, PLACES))
        if item.amount_cents > fee.creditable_cents:
            raise Invalid.field("amount_cents", "higher_than_remaining_fee_amount")
        if accumulating:
            fees[fee_id] = replace(fee, credited_cents=fee.credited_cents + item.amount_cents)
        yield replace(item, fee=subject.invoice.fee(fee_id) or fee)
