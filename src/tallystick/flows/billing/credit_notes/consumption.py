"""Credit notes in the billing pipeline: loaded for a set of customers, used up invoice by invoice, stored as used.

How an invoice uses them is decided in core/credit_note; drafts and one-off invoices never do (credits.md §0.1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.core.credit_note import AvailableNote
from tallystick.core.invoice import Composition, CreditKind
from tallystick.ground.db import Tx
from tallystick.rooms.credit_notes import balances


class Balances:
    """The available notes of a set of customers; each invoice finds them as the one before left them."""

    def __init__(self, found: Mapping[UUID, Sequence[AvailableNote]]) -> None:
        self._left = {customer: {note.id: note for note in notes} for customer, notes in found.items()}
        self._used: dict[UUID, tuple[int, dt.datetime]] = {}

    def notes(self, customer_id: UUID, currency: str, invoice_id: UUID | None = None) -> list[AvailableNote]:
        """What an invoice of the customer may use: notes of its currency, none of its own (credits.md §3.9)."""
        left = self._left.get(customer_id, {})
        return [note for note in left.values() if note.currency == currency and note.invoice_id != invoice_id]

    def use(self, customer_id: UUID, composition: Composition, at: dt.datetime) -> None:
        """The invoice that was composed with `notes` takes what it took."""
        for credit in composition.credits:
            if credit.kind is CreditKind.CREDIT_NOTE:
                left = self._left[customer_id]
                note = left[credit.source_id]
                left[note.id] = replace(note, balance_cents=note.balance_cents - credit.amount_cents)
                before, _ = self._used.get(note.id, (0, at))
                self._used[note.id] = (before + credit.amount_cents, at)

    async def store(self, tx: Tx) -> None:
        """Write what the invoices left of the balances."""
        await balances.consume(tx, self._used)


async def load_balances(tx: Tx, customer_ids: Iterable[UUID]) -> Balances:
    """The available notes of these locked customers, in one query."""
    return Balances(await balances.available(tx, customer_ids))
