"""Payments recorded by hand: the money came in outside, by bank transfer or in cash (payments.md §3.11)."""

from __future__ import annotations

import datetime as dt
import uuid

from tallystick.core.payment import refusals
from tallystick.flows.collection import settle
from tallystick.flows.collection.locked import locked_invoice
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, Invalid, Problems
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices.store import TOLD_OF_PAYMENTS
from tallystick.rooms.invoices.views import total_due_cents
from tallystick.rooms.payments import store
from tallystick.rooms.payments.store import Received

#: issued, or waiting for its payment before it is
PAYABLE = ("finalized", "open")
#: invoices of fees that were paid outside: in whatever status, nothing is due of them
REGROUPED = "advance_charges"


async def payable_invoice(
    tx: Tx, organization_id: uuid.UUID, invoice_id: str | None, amount_cents: int | None
) -> Invoice:
    """The invoice to be paid, locked after its customer; checks 1 to 6 in their order, the first one answers.

    422 `invoice_id`, `amount_cents`; 404 `invoice_not_found`; 403 `feature_unavailable` for one that is not issued.
    """
    if invoice_id is None:
        raise Invalid.field("invoice_id", "value_is_mandatory")
    if amount_cents is None or amount_cents <= 0:
        raise Invalid.field("amount_cents", "invalid_value")
    invoice = await locked_invoice(tx, organization_id, invoice_id, TOLD_OF_PAYMENTS)
    if invoice.status not in PAYABLE and invoice.invoice_type != REGROUPED:
        raise Forbidden("feature_unavailable")
    return invoice


async def record(
    tx: Tx, invoice: Invoice, at: dt.datetime, *, amount_cents: int, reference: str, paid_at: dt.datetime | None
) -> uuid.UUID:
    """Record a payment of a locked invoice, and what follows from it; 422 with all of checks 8 to 10."""
    problems = Problems()
    for name, code in refusals(
        invoice_type=invoice.invoice_type,
        total_cents=invoice.total_amount_cents,
        due_cents=total_due_cents(invoice),
        amount_cents=amount_cents,
        reference=reference,
    ):
        problems.add(name, code)
    problems.raise_if_any()
    received = Received(
        organization_id=invoice.organization_id,
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        amount_cents=amount_cents,
        currency=invoice.currency,
        reference=reference,
        paid_at=paid_at or at,
        at=at,
    )
    (payment_id,) = await store.record(tx, [received])
    await settle.paid(tx, {invoice.id: amount_cents}, at)
    return payment_id
