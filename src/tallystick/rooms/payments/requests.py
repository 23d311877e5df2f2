"""Payment requests: made once, listed, found; the only writer of their tables (dunning.md §2).

Which invoices may be asked for is decided by flows/collection.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, insert, select

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import Customer, Invoice, PaymentRequest, RequestedInvoice


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and empty filters let everything through."""

    customer_id: uuid.UUID | None = None
    external_customer_id: str | None = None
    payment_status: str | None = None
    currency: str | None = None
    billing_entity_ids: Sequence[uuid.UUID] = ()


async def create(
    tx: Tx, customer: Customer, invoices: Sequence[Invoice], amount_cents: int, email: str | None, at: dt.datetime
) -> PaymentRequest:
    """Ask a customer for invoices of one currency."""
    row = PaymentRequest(
        id=new_id(),
        organization_id=customer.organization_id,
        customer_id=customer.id,
        amount_cents=amount_cents,
        currency=invoices[0].currency,
        email=email,
        payment_status="pending",
        created_at=at,
        updated_at=at,
    )
    tx.add(row)
    await tx.flush()
    links = [
        {"payment_request_id": row.id, "invoice_id": invoice.id, "organization_id": row.organization_id}
        for invoice in invoices
    ]
    await tx.execute(insert(RequestedInvoice), links)
    return row


async def find(tx: Tx, organization_id: uuid.UUID, request_id: str) -> PaymentRequest:
    """A payment request; 404 `payment_request_not_found`."""
    known = parse_id(request_id)
    statement = select(PaymentRequest).where(
        PaymentRequest.organization_id == organization_id, PaymentRequest.id == known
    )
    found = (await tx.scalars(statement)).one_or_none() if known else None
    if found is None:
        raise NotFound("payment_request")
    return found


async def by_ids(tx: Tx, request_ids: Sequence[uuid.UUID]) -> list[PaymentRequest]:
    """Payment requests in id order."""
    statement = select(PaymentRequest).where(PaymentRequest.id.in_(request_ids)).order_by(PaymentRequest.id)
    return list(await tx.scalars(statement))


async def invoices_of(tx: Tx, request_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, Invoice]]:
    """(payment request, invoice) of requests, the oldest invoice of each first."""
    statement = (
        select(RequestedInvoice.payment_request_id, Invoice)
        .join(Invoice, Invoice.id == RequestedInvoice.invoice_id)
        .where(RequestedInvoice.payment_request_id.in_(request_ids))
        .order_by(Invoice.issuing_date, Invoice.created_at, Invoice.id)
    )
    return [(request_id, invoice) for request_id, invoice in await tx.execute(statement)]


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[PaymentRequest]:
    """Payment requests, the newest first."""
    statement = select(PaymentRequest).where(PaymentRequest.organization_id == organization_id)
    if filters.customer_id is not None:
        statement = statement.where(PaymentRequest.customer_id == filters.customer_id)
    if filters.external_customer_id is not None:
        own = exists().where(
            Customer.id == PaymentRequest.customer_id, Customer.external_id == filters.external_customer_id
        )
        statement = statement.where(own)
    if filters.payment_status is not None:
        statement = statement.where(PaymentRequest.payment_status == filters.payment_status)
    if filters.currency is not None:
        statement = statement.where(PaymentRequest.currency == filters.currency)
    if filters.billing_entity_ids:
        issued = exists().where(
            RequestedInvoice.payment_request_id == PaymentRequest.id,
            Invoice.id == RequestedInvoice.invoice_id,
            Invoice.billing_entity_id.in_(filters.billing_entity_ids),
        )
        statement = statement.where(issued)
    return statement.order_by(PaymentRequest.created_at.desc(), PaymentRequest.id.desc())
