"""The dates of drafts, read and moved as sets (invoicing.md §4.4). What they must be is decided by core/issuing.py."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, UUID, ColumnElement, any_, func, literal, select, update

from tallystick.core.issuing import InvoiceDates
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice, InvoiceSubscription, Subscription


@dataclass(frozen=True, slots=True)
class DraftDates:
    """A draft with its dates; `billed_on` is the local date of its timestamp."""

    id: uuid.UUID
    organization_id: uuid.UUID
    customer_id: uuid.UUID
    billed_on: dt.date
    recurring: bool
    net_payment_term: int
    dates: InvoiceDates


async def of_customers(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[DraftDates]:
    """All drafts of these customers, locked."""
    # one array parameter: a set may be larger than the number of parameters a statement can have
    mine = Invoice.customer_id == any_(literal(list(customer_ids), ARRAY(UUID(as_uuid=True))))
    drafts = select(Invoice).where(mine, Invoice.status == "draft", Invoice.invoice_type == "subscription")
    rows = list(await tx.scalars(drafts.order_by(Invoice.created_at, Invoice.id).with_for_update(key_share=True)))
    periods = (
        select(
            InvoiceSubscription.invoice_id,
            func.min(InvoiceSubscription.billing_on),
            func.bool_or(InvoiceSubscription.recurring),
        )
        .where(InvoiceSubscription.invoice_id.in_(drafts.with_only_columns(Invoice.id)))
        .group_by(InvoiceSubscription.invoice_id)
    )
    known = {invoice_id: (on, recurring) for invoice_id, on, recurring in await tx.execute(periods)}
    return [
        DraftDates(
            row.id,
            row.organization_id,
            row.customer_id,
            *known[row.id],
            row.net_payment_term,
            InvoiceDates(row.issuing_date, row.expected_finalization_date, row.payment_due_date),
        )
        for row in rows
    ]


async def move(tx: Tx, drafts: Sequence[DraftDates], at: dt.datetime) -> None:
    """Write the dates and payment terms of these drafts."""
    rows = [
        {
            "id": draft.id,
            "issuing_date": draft.dates.issuing_on,
            "expected_finalization_date": draft.dates.finalization_on,
            "payment_due_date": draft.dates.due_on,
            "net_payment_term": draft.net_payment_term,
            "updated_at": at,
        }
        for draft in drafts
    ]
    if rows:
        await tx.execute(update(Invoice), rows)


async def ids_of_customers(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(organization, invoice) of the drafts of these customers."""
    return await _ids(tx, Invoice.customer_id.in_(customer_ids))


async def ids_of_plans(tx: Tx, plan_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(organization, invoice) of the drafts with a subscription on one of these plans."""
    on_plans = (
        select(InvoiceSubscription.invoice_id)
        .join(Subscription, Subscription.id == InvoiceSubscription.subscription_id)
        .where(Subscription.plan_id.in_(plan_ids))
    )
    return await _ids(tx, Invoice.id.in_(on_plans))


async def _ids(tx: Tx, wanted: ColumnElement[bool]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    statement = select(Invoice.organization_id, Invoice.id).where(Invoice.status == "draft", wanted)
    return [(organization_id, invoice_id) for organization_id, invoice_id in await tx.execute(statement)]
