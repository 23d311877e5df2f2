"""Notes of draft invoices: made again with their invoice's new lines, and final when it is (credits.md §3.12)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from tallystick.core.credit_note import NoteAmounts, NotedInvoice, NoteItem, Parts, adjusted, amounts_of
from tallystick.core.credit_note.amounts import PLACES, cut
from tallystick.core.money import ZERO, cents_of, exact, ratio, round_half_away
from tallystick.flows.billing.credit_notes.book import announce
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote, CreditNoteItem, Fee
from tallystick.rooms.credit_notes import ledger, noted, store
from tallystick.rooms.credit_notes.ledger import Note
from tallystick.rooms.credit_notes.noted import Subject

#: what makes fees of two computations of a draft the same line
Line = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a note with the line that its fee was, and the fee's amount then."""

    line: Line
    precise_cents: Decimal
    fee_cents: int


@dataclass(frozen=True, slots=True)
class Held:
    """The notes of drafts that are about to be rewritten, with their items."""

    notes: Sequence[CreditNote]
    items: Mapping[uuid.UUID, list[_Item]]


async def hold(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> Held:
    """Take note of the notes before their invoices lose their lines; one query when there are none."""
    notes = await store.of_invoices(tx, invoice_ids, "draft")
    if not notes:
        return Held((), {})
    statement = (
        select(CreditNoteItem, Fee)
        .join(Fee, Fee.id == CreditNoteItem.fee_id)
        .where(CreditNoteItem.credit_note_id.in_([note.id for note in notes]))
        .order_by(CreditNoteItem.created_at, CreditNoteItem.id)
    )
    items: dict[uuid.UUID, list[_Item]] = {}
    for item, fee in await tx.execute(statement):
        found = _Item(_line(fee), item.precise_amount_cents, fee.amount_cents)
        items.setdefault(item.credit_note_id, []).append(found)
    return Held(notes, items)


def _line(fee: Fee) -> Line:
    named = (fee.fee_type, fee.purpose, fee.charge_id, fee.charge_filter_id, fee.fixed_charge_id)
    return (fee.subscription_id, *named, tuple(sorted(fee.grouped_by.items())))


async def make_again(tx: Tx, held: Held, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Give the notes the amounts that follow from the new lines; those of final invoices become final (at_of: when)."""
    if not held.notes:
        return
    ids = list({note.invoice_id for note in held.notes})
    subjects = await noted.subjects(tx, ids, without_notes=True)
    lines = await _lines(tx, ids)
    made = []
    for row in held.notes:
        subject = subjects[row.invoice_id]
        amounts = amounts_of(subject.invoice, _items(subject.invoice, held.items.get(row.id, ()), lines))
        parts = _parts(row, amounts)
        subjects[row.invoice_id] = replace(subject, invoice=subject.invoice.after(amounts, parts))
        made.append(_note(row, subject, amounts, parts, at_of[row.invoice_id]))
    await ledger.rewrite(tx, made)
    await announce(tx, [note for note in made if note.status == "finalized"])


async def _lines(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[Line, uuid.UUID]:
    """line -> the fee that it is now."""
    rows = await tx.scalars(select(Fee).where(Fee.invoice_id.in_(invoice_ids), Fee.deleted_at.is_(None)))
    return {_line(row): row.id for row in rows}


def _items(invoice: NotedInvoice, old: Iterable[_Item], lines: Mapping[Line, uuid.UUID]) -> list[NoteItem]:
    """Items in the proportion in which they were; what has no line any more is left out."""
    items = []
    for item in old:
        fee = invoice.fee(lines[item.line]) if item.line in lines else None
        if fee is not None:
            with exact():
                precise = ratio(item.precise_cents * fee.amount_cents, item.fee_cents)
            items.append(NoteItem(fee, min(round_half_away(precise, PLACES), Decimal(fee.creditable_cents))))
    return items


def _parts(row: CreditNote, amounts: NoteAmounts) -> Parts:
    """All of it as what the note was; the taxes that count are those of its rows (§3.12)."""
    with exact():
        items = cut(sum((item.precise_cents for item in amounts.items), ZERO))
        cents = cents_of(items - amounts.precise_coupons_cents + sum(tax.amount_cents for tax in amounts.taxes))
    if row.offset_amount_cents and not row.credit_amount_cents:
        return adjusted(Parts(offset_cents=cents), amounts)
    return adjusted(Parts(credit_cents=cents), amounts)


def _note(row: CreditNote, subject: Subject, amounts: NoteAmounts, parts: Parts, at: dt.datetime) -> Note:
    final = subject.invoice.status not in ("draft", "pending")
    return Note(
        organization_id=row.organization_id,
        customer_id=row.customer_id,
        invoice_id=row.invoice_id,
        status="finalized" if final else "draft",
        sequential_id=row.sequential_id,
        number=ledger.number_of(subject.number, row.sequential_id),
        issuing_on=row.issuing_date,
        reason=row.reason,
        description=row.description,
        currency=row.currency,
        amounts=amounts,
        parts=parts,
        at=row.created_at,
        written_at=at,
        id=row.id,
    )
