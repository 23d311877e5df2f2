"""Making credit notes: a set of invoices taken in hand, notes entered one after another, everything stored at once.

What a note is made of is decided by the callers; each finds its invoice as the note before left it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tallystick.core.credit_note import NoteAmounts, NotedInvoice, Parts, adjusted
from tallystick.core.periods import local_date
from tallystick.flows.collection import settle
from tallystick.flows.documents.generate import request_documents
from tallystick.flows.documents.kinds import CREDIT_NOTES
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.rooms.credit_notes import ledger, noted
from tallystick.rooms.credit_notes.ledger import Note
from tallystick.rooms.credit_notes.noted import Subject
from tallystick.rooms.mails import store as mails


@dataclass(frozen=True, slots=True)
class Entry:
    """What a note says of itself beside its amounts."""

    reason: str = "other"
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    voided: bool = False


@dataclass(slots=True)
class Book:
    """The invoices of a set, whose customers are locked, and the notes that were entered for them."""

    subjects: dict[uuid.UUID, Subject]
    notes: list[Note] = field(default_factory=list)

    def invoice(self, invoice_id: uuid.UUID) -> NotedInvoice:
        """An invoice as the notes entered so far leave it."""
        return self.subjects[invoice_id].invoice

    def enter(
        self, invoice_id: uuid.UUID, amounts: NoteAmounts, parts: Parts, at: dt.datetime, entry: Entry
    ) -> Note | None:
        """Make a note with these amounts; None, and no note, when it is worth nothing (credits.md §3.8)."""
        subject = self.subjects[invoice_id]
        parts = adjusted(parts, amounts)
        if parts.total_cents <= 0:
            return None
        sequential_id = subject.invoice.notes_count + 1
        note = Note(
            organization_id=subject.organization_id,
            customer_id=subject.customer_id,
            invoice_id=invoice_id,
            status=status_of(subject),
            sequential_id=sequential_id,
            number=ledger.number_of(subject.number, sequential_id),
            issuing_on=local_date(at, subject.timezone),
            reason=entry.reason,
            description=entry.description,
            metadata=entry.metadata,
            currency=subject.currency,
            amounts=amounts,
            parts=parts,
            at=at,
            written_at=at,
            voided=entry.voided,
        )
        self.notes.append(note)
        self.subjects[invoice_id] = replace(subject, invoice=subject.invoice.after(amounts, parts))
        return note

    async def store(self, tx: Tx) -> None:
        """Write the notes, and do what follows from the final ones."""
        if self.notes:
            await ledger.write(tx, self.notes)
            await announce(tx, [note for note in self.notes if note.status == "finalized"])


def status_of(subject: Subject) -> str:
    """Notes are what their invoice is: drafts of drafts, final otherwise."""
    return "draft" if subject.invoice.status == "draft" else "finalized"


async def open_book(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> Book:
    """Take invoices in hand; unknown ids are left out."""
    return Book(await noted.subjects(tx, invoice_ids) if invoice_ids else {})


async def announce(tx: Tx, notes: Sequence[Note]) -> None:
    """Notes became final: messages, mails, documents, and what they take off what is due of their invoices (§3.10)."""
    await outbox.emit(
        tx, [Message(note.organization_id, "credit_note.created", note.id, note.written_at) for note in notes]
    )
    await mails.note(tx, CREDIT_NOTES.name, [(note.id, note.written_at) for note in notes])
    await request_documents(tx, [(note.organization_id, note.id) for note in notes], CREDIT_NOTES)
    offsets: dict[dt.datetime, dict[uuid.UUID, int]] = defaultdict(lambda: defaultdict(int))
    for note in notes:
        if note.parts.offset_cents:
            offsets[note.written_at][note.invoice_id] += note.parts.offset_cents
    for at, cents_of in offsets.items():
        await settle.offset(tx, cents_of, at)
