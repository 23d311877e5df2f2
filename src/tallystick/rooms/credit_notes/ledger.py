"""Write credit notes as sets: items and taxes first, headers last, so that final notes are frozen (credit_notes.sql).

The only writer of new notes and their lines; it computes nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, update

from tallystick.core.credit_note import NoteAmounts, Parts
from tallystick.ground import json
from tallystick.ground.db import Tx, copy
from tallystick.ground.ids import new_id
from tallystick.ground.tables import CreditNote, CreditNoteItem, CreditNoteTax

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A note ready to be stored. `at` is when it was made and stays, `written_at` is now; `metadata` as sent.

    A note with `voided` gives nothing back: it only uses up what is left of the fees.
    """

    organization_id: uuid.UUID
    customer_id: uuid.UUID
    invoice_id: uuid.UUID
    status: str
    sequential_id: int
    number: str
    issuing_on: dt.date
    reason: str
    currency: str
    amounts: NoteAmounts
    parts: Parts
    at: dt.datetime
    written_at: dt.datetime
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    voided: bool = False
    id: uuid.UUID = field(default_factory=new_id)


def number_of(invoice_number: str, sequential_id: int) -> str:
    """What a note is called (credits.md §3.1)."""
    return f"{invoice_number}-CN{sequential_id:03d}"


async def write(tx: Tx, notes: Sequence[Note]) -> None:
    """Store a set of new notes."""
    await _write_lines(tx, notes)
    metadata = [None if note.metadata is None else json.dump_text(note.metadata) for note in notes]
    rows = [{**_row(note), "metadata": own} for note, own in zip(notes, metadata, strict=True)]
    await copy(tx, "credit_notes", rows)


async def rewrite(tx: Tx, notes: Sequence[Note]) -> None:
    """Replace lines, amounts, number and status of drafts; their reason, text and metadata stay."""
    ids = [note.id for note in notes]
    await tx.execute(delete(CreditNoteItem).where(CreditNoteItem.credit_note_id.in_(ids)))
    await tx.execute(delete(CreditNoteTax).where(CreditNoteTax.credit_note_id.in_(ids)))
    await _write_lines(tx, notes)
    if notes:
        await tx.execute(update(CreditNote), [_row(note) for note in notes])


async def _write_lines(tx: Tx, notes: Sequence[Note]) -> None:
    await copy(tx, "credit_note_items", [row for note in notes for row in _item_rows(note)])
    await copy(tx, "credit_note_taxes", [row for note in notes for row in _tax_rows(note)])


def _row(note: Note) -> Row:
    amounts, parts = note.amounts, note.parts
    return {
        "id": note.id,
        "organization_id": note.organization_id,
        "customer_id": note.customer_id,
        "invoice_id": note.invoice_id,
        "status": note.status,
        "sequential_id": note.sequential_id,
        "number": note.number,
        "issuing_date": note.issuing_on,
        "reason": note.reason,
        "description": note.description,
        "currency": note.currency,
        "total_amount_cents": parts.total_cents,
        "credit_amount_cents": parts.credit_cents,
        "refund_amount_cents": parts.refund_cents,
        "offset_amount_cents": parts.offset_cents,
        "balance_amount_cents": 0 if note.voided else parts.credit_cents,
        "sub_total_excluding_taxes_amount_cents": amounts.sub_total_cents,
        "taxes_amount_cents": amounts.taxes_cents,
        "precise_taxes_amount_cents": amounts.precise_taxes_cents,
        "taxes_rate": amounts.taxes_rate,
        "coupons_adjustment_amount_cents": amounts.coupons_cents,
        "precise_coupons_adjustment_amount_cents": amounts.precise_coupons_cents,
        "precise_total_amount_cents": amounts.precise_total_cents,
        "credit_status": "voided" if note.voided else "available",
        "refund_status": "pending" if parts.refund_cents else None,
        "voided_at": note.written_at if note.voided else None,
        "created_at": note.at,
        "updated_at": note.written_at,
    }


def _item_rows(note: Note) -> Iterator[Row]:
    for item in note.amounts.items:
        yield {
            "id": new_id(),
            "organization_id": note.organization_id,
            "credit_note_id": note.id,
            "fee_id": item.fee.id,
            "amount_cents": item.amount_cents,
            "precise_amount_cents": item.precise_cents,
            "currency": note.currency,
            "created_at": note.at,
        }


def _tax_rows(note: Note) -> Iterator[Row]:
    for row in note.amounts.taxes:
        yield {
            "id": new_id(),
            "organization_id": note.organization_id,
            "credit_note_id": note.id,
            "tax_id": row.tax.id,
            "tax_name": row.tax.name,
            "tax_code": row.tax.code,
            "tax_rate": row.tax.rate,
            "tax_description": row.tax.description,
            "base_amount_cents": row.base_cents,
            "amount_cents": row.amount_cents,
            "currency": note.currency,
            "created_at": note.at,
        }
