"""Drafts whose prices or taxes changed: marked here, recomputed a little later (invoicing.md §9.1).

New events mark nothing: they are found when a draft is refreshed or becomes final.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select, update

from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.tables import Charge, Customer, Invoice, InvoiceSubscription, InvoiceTax, Plan, Subscription

#: marked drafts are recomputed at the next multiple of this (subscriptions.md §7)
GRID = dt.timedelta(minutes=5)

Ids = Sequence[uuid.UUID]


async def mark_of_plans(tx: Tx, plan_ids: Ids, at: dt.datetime) -> None:
    """Drafts with a subscription on one of these plans or on an override of one."""
    family = select(Plan.id).where(or_(Plan.id.in_(plan_ids), Plan.parent_id.in_(plan_ids)))
    await _mark(tx, _bills(Subscription.plan_id.in_(family)), at)


async def mark_of_metric(tx: Tx, metric_id: uuid.UUID, at: dt.datetime) -> None:
    """Drafts with a subscription on a plan that prices the metric, or did before the metric was deleted."""
    pricing = select(Charge.plan_id).where(Charge.billable_metric_id == metric_id)
    await _mark(tx, _bills(Subscription.plan_id.in_(pricing)), at)


async def mark_of_customers(tx: Tx, customer_ids: Ids, at: dt.datetime) -> None:
    """Drafts of these customers."""
    await _mark(tx, Invoice.customer_id.in_(customer_ids), at)


async def mark_of_entity(tx: Tx, billing_entity_id: uuid.UUID, at: dt.datetime) -> None:
    """Drafts of the customers that inherit from this billing entity."""
    heirs = select(Customer.id).where(Customer.billing_entity_id == billing_entity_id)
    await _mark(tx, Invoice.customer_id.in_(heirs), at)


async def mark_of_tax(tx: Tx, tax_id: uuid.UUID, at: dt.datetime) -> None:
    """Drafts that carry this tax."""
    await _mark(tx, Invoice.id.in_(select(InvoiceTax.invoice_id).where(InvoiceTax.tax_id == tax_id)), at)


async def stale(tx: Tx, invoice_ids: Ids) -> list[uuid.UUID]:
    """Those of the drafts that are marked and have an active subscription."""
    statement = select(Invoice.id).where(
        Invoice.id.in_(invoice_ids),
        Invoice.status == "draft",
        Invoice.ready_to_be_refreshed,
        _bills(Subscription.status == "active"),
    )
    return list(await tx.scalars(statement))


def _bills(wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Invoices with a billing period of such a subscription."""
    return Invoice.id.in_(
        select(InvoiceSubscription.invoice_id)
        .join(Subscription, Subscription.id == InvoiceSubscription.subscription_id)
        .where(wanted)
    )


async def _mark(tx: Tx, wanted: ColumnElement[bool], at: dt.datetime) -> None:
    await tx.flush()
    # locked in the order in which drafts are always locked
    drafts = select(Invoice.id).where(Invoice.status == "draft", wanted).order_by(Invoice.created_at, Invoice.id)
    marked = await tx.execute(
        update(Invoice)
        .where(Invoice.id.in_(drafts.with_for_update(key_share=True)))
        .values(ready_to_be_refreshed=True)
        .returning(Invoice.id, Invoice.organization_id)
        .execution_options(synchronize_session=False)
    )
    due_at = next_sweep_at(at)
    await agenda.put(tx, [Due(Kind.REFRESH_DRAFT, row.id, row.organization_id, due_at) for row in marked])


def next_sweep_at(at: dt.datetime) -> dt.datetime:
    """The next full five minutes after `at`."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return epoch + ((at - epoch) // GRID + 1) * GRID
