"""SQL of the payments room; the only writer of `payments`. What is paid of an invoice is summed up in its header."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, insert, select

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import new_ids, parse_id
from tallystick.ground.tables import Customer, Invoice, Payment

SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in outside, recorded at `at`; `amount_cents` in minor units of `currency`."""

    organization_id: uuid.UUID
    customer_id: uuid.UUID
    invoice_id: uuid.UUID
    amount_cents: int
    currency: str
    reference: str
    paid_at: dt.datetime
    at: dt.datetime


async def record(tx: Tx, received: Sequence[Received]) -> list[uuid.UUID]:
    """Store payments by hand, which have succeeded; their ids in the same order. The headers are the caller's."""
    ids = new_ids(len(received))
    rows = [
        {
            "id": payment_id,
            "organization_id": item.organization_id,
            "customer_id": item.customer_id,
            "invoice_id": item.invoice_id,
            "payment_type": "manual",
            "status": SUCCEEDED,
            "payment_status": SUCCEEDED,
            "amount_cents": item.amount_cents,
            "currency": item.currency,
            "reference": item.reference,
            "created_at": item.paid_at,
            "updated_at": item.at,
        }
        for payment_id, item in zip(ids, received, strict=True)
    ]
    if rows:
        await tx.execute(insert(Payment), rows)
    return ids


async def find(tx: Tx, organization_id: uuid.UUID, payment_id: str) -> Payment:
    """A payment; 404 `payment_not_found`."""
    known = parse_id(payment_id)
    statement = select(Payment).where(Payment.organization_id == organization_id, Payment.id == known)
    found = (await tx.scalars(statement)).one_or_none() if known else None
    if found is None:
        raise NotFound("payment")
    return found


def listing(
    organization_id: uuid.UUID,
    *,
    invoice_statuses: Sequence[str],
    customer_id: uuid.UUID | None = None,
    external_customer_id: str | None = None,
    invoice_id: uuid.UUID | None = None,
) -> Select[Payment]:
    """Payments of invoices in one of the statuses, the newest first (payments.md §4)."""
    statement = (
        select(Payment)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(Payment.organization_id == organization_id, Invoice.status.in_(invoice_statuses))
        .order_by(Payment.created_at.desc(), Payment.id.desc())
    )
    if customer_id is not None:
        statement = statement.where(Payment.customer_id == customer_id)
    if external_customer_id is not None:
        statement = statement.join(Customer, Customer.id == Payment.customer_id)
        statement = statement.where(Customer.external_id == external_customer_id)
    if invoice_id is not None:
        statement = statement.where(Payment.invoice_id == invoice_id)
    return statement
