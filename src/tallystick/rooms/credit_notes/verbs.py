"""What can be done with credit notes: refund status, metadata, void, deletion of drafts (credits.md §3.2, §3.11).

New notes are made by flows/billing/credit_notes and written by ledger.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.core.metadata import metadata_errors
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import CreditNote
from tallystick.rooms.credit_notes import store

REASONS = (
    "duplicated_charge",
    "product_unsatisfactory",
    "order_change",
    "order_cancellation",
    "fraudulent_charge",
    "other",
)
REFUND_STATUSES = ("pending", "succeeded", "failed")
#: what callers ever see
VISIBLE = ("finalized",)


async def find(
    tx: Tx, organization_id: uuid.UUID, note_id: str, *, lock: bool = False, statuses: Sequence[str] = VISIBLE
) -> CreditNote:
    """A final note; 404 `credit_note_not_found`."""
    known = parse_id(note_id)
    note = await store.note(tx, organization_id, known, statuses, lock=lock) if known else None
    if note is None:
        raise NotFound("credit_note")
    return note


async def update(tx: Tx, note: CreditNote, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """PUT of a locked note; `fields`: refund_status (a closed set), metadata (merged).

    422 `refund_status` on a note without refund. No payment provider is asked.
    """
    status, entries = fields.get("refund_status"), fields.get("metadata")
    if status is not None:
        if not note.refund_amount_cents:
            raise Invalid.field("refund_status", "value_is_invalid")
        note.refund_status = status
        note.refunded_at = at if status == "succeeded" else None
    if entries:
        entries = {**(note.metadata_ or {}), **entries}
        check_metadata(entries)
        note.metadata_ = entries
    note.updated_at = at
    await tx.flush()


async def void(tx: Tx, note: CreditNote, at: dt.datetime) -> None:
    """Nothing of the credit of a locked note can be used any more; 405 `no_voidable_amount`. Fees stay credited."""
    if note.credit_status == "voided" or note.balance_amount_cents <= 0:
        raise NotAllowed("no_voidable_amount")
    note.credit_status = "voided"
    note.voided_at = at
    note.balance_amount_cents = 0
    note.updated_at = at
    await tx.flush()


async def delete_of_draft(tx: Tx, invoice_id: uuid.UUID, at: dt.datetime) -> None:
    """The draft invoice is deleted, its notes with it; 405 `credit_note_not_deletable` when one is final already."""
    if await store.of_invoices(tx, [invoice_id], "finalized"):
        raise NotAllowed("credit_note_not_deletable")
    for note in await store.of_invoices(tx, [invoice_id], "draft"):
        note.status = "deleted"
        note.updated_at = at
    await tx.flush()


# -- metadata (api.md §9) --------------------------------------------------------------------------


def check_metadata(entries: Mapping[str, Any]) -> None:
    """422 `value` with sentences."""
    if errors := metadata_errors(entries):
        raise Invalid.field("value", *errors)


async def replace_metadata(tx: Tx, note: CreditNote, entries: Mapping[str, Any] | None, at: dt.datetime) -> None:
    """The note has exactly these entries, or no metadata at all."""
    check_metadata(entries or {})
    note.metadata_ = None if entries is None else dict(entries)
    note.updated_at = at
    await tx.flush()


async def merge_metadata(tx: Tx, note: CreditNote, entries: Mapping[str, Any], at: dt.datetime) -> None:
    """Add or change entries; a null is stored as null."""
    await replace_metadata(tx, note, {**(note.metadata_ or {}), **entries}, at)


async def remove_metadata_key(tx: Tx, note: CreditNote, key: str, at: dt.datetime) -> None:
    """Remove one entry, if it is there; 404 `metadata_not_found` when the note has no metadata at all."""
    if note.metadata_ is None:
        raise NotFound("metadata")
    await replace_metadata(tx, note, {name: value for name, value in note.metadata_.items() if name != key}, at)
