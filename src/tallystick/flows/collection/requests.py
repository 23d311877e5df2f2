"""Asking a customer for overdue invoices together (dunning.md §2.2). Nothing is charged here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.flows.billing.run import lock_customers
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed, NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Invoice, PaymentRequest
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.invoices.store import VISIBLE
from tallystick.rooms.invoices.views import total_due_cents
from tallystick.rooms.payments import requests


async def ask(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    external_customer_id: str,
    invoice_ids: Sequence[str],
    email: str | None,
) -> PaymentRequest:
    """Make a request for what is due of these invoices now; ids that name none of the customer's are left out.

    404 `customer_not_found`, `invoice_not_found`; 405 as `_check` says.
    """
    customer = await customers.find(tx, organization_id, external_customer_id)
    await lock_customers(tx, [customer.id])
    statement = select(Invoice).where(
        Invoice.customer_id == customer.id,
        Invoice.id.in_([known for text in invoice_ids if (known := parse_id(text))]),
        Invoice.status.in_(VISIBLE),
    )
    invoices = list(await tx.scalars(statement.order_by(Invoice.id)))
    _check(invoices)
    addresses = "".join((email or customer.email or "").split())
    cents = sum(total_due_cents(invoice) for invoice in invoices)
    made = await requests.create(tx, customer, invoices, cents, addresses or None, at)
    await outbox.emit(tx, [Message(organization_id, "payment_request.created", made.id, at)])
    return made


def _check(invoices: Sequence[Invoice]) -> None:
    """In the order of §2.2: all overdue, of one currency, of one issuer."""
    if not invoices:
        raise NotFound("invoice")
    if not all(invoice.payment_overdue for invoice in invoices):
        raise NotAllowed("invoices_not_overdue")
    if len({invoice.currency for invoice in invoices}) > 1:
        raise NotAllowed("invoices_have_different_currencies")
    if len({invoice.billing_entity_id for invoice in invoices}) > 1:
        raise NotAllowed("invoices_have_different_billing_entities")
