"""Notes for the time that a plan paid in advance is not used, because its subscription ended (credits.md §3.8).

How much that is, and how it is divided, is decided in core/credit_note.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.core.credit_note import Mode, UnusedTime, amounts_of, divided, unused_item
from tallystick.flows.billing.credit_notes.book import Book, Entry, open_book
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed
from tallystick.rooms.credit_notes import plan_fees
from tallystick.rooms.credit_notes.plan_fees import PlanFee
from tallystick.rooms.subscriptions.terms import Terms, terms_of

ENTRY = Entry(reason="order_cancellation")


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription that ended at `at`, by an upgrade or otherwise; its customer is locked."""

    subscription_id: UUID
    at: dt.datetime
    mode: Mode = Mode.CREDIT
    upgraded: bool = False


async def credit_unused_time(tx: Tx, ends: Sequence[Ended]) -> None:
    """Make the notes of ended subscriptions; one query when there is nothing to credit.

    405 `cannot_terminate_with_pending_taxes` when an invoice that is to be credited waits for its taxes.
    """
    await tx.flush()
    await (await unused_time(tx, ends)).store(tx)


async def unused_time(tx: Tx, ends: Sequence[Ended]) -> Book:
    """The notes that these ends make, entered but not stored; 405 as above."""
    wanted = {end.subscription_id: end for end in ends if end.mode is not Mode.SKIP}
    fees = await plan_fees.running(tx, {key: end.at for key, end in wanted.items()}) if wanted else {}
    book = await open_book(tx, list({fee.invoice_id for fee in fees.values()}))
    if any(subject.tax_status == "pending" for subject in book.subjects.values()):
        raise NotAllowed("cannot_terminate_with_pending_taxes")
    terms = await terms_of(tx, list(fees)) if fees else {}
    for key, fee in fees.items():
        _enter(book, fee, wanted[key], terms[key])
    return book


def _enter(book: Book, found: PlanFee, end: Ended, terms: Terms) -> None:
    invoice = book.invoice(found.invoice_id)
    fee = invoice.fee(found.id)
    assert fee is not None, "the fee was found on this invoice"
    trial_end_at = terms.trial_end_at
    time = UnusedTime(
        plan_cents=found.plan_cents,
        full_days=found.full_days,
        start_on=terms.local(found.period.start_at),
        end_on=terms.local(found.period.last_at),
        terminated_on=terms.local(end.at),
        trial_end_on=terms.local(trial_end_at) if trial_end_at is not None else None,
        upgraded=end.upgraded,
    )
    item = unused_item(fee, time)
    if item is not None:
        amounts = amounts_of(invoice, [item])
        book.enter(invoice.id, amounts, divided(invoice, fee, time, amounts, end.mode), end.at, ENTRY)
