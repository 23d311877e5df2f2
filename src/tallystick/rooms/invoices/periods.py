"""Wire JSON of billing periods (webhooks.md §4.4): the windows that each subscription has on an invoice.

Ends are exclusive in the tables and inclusive here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from tallystick.ground.db import Tx
from tallystick.ground.tables import InvoiceSubscription, Plan, Subscription
from tallystick.ground.wire import dt_, last_second

Bounds = tuple[dt.datetime, dt.datetime] | None


@dataclass(frozen=True, slots=True)
class Period:
    """A subscription's windows on an invoice, with what names the subscription."""

    row: InvoiceSubscription
    external_id: str
    plan_id: uuid.UUID


async def of_invoices(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Period]]:
    """invoice -> its periods by name of the subscription, else of its plan; invoices without periods are absent."""
    name = func.coalesce(Subscription.name, Plan.invoice_display_name, Plan.name)
    statement = (
        select(InvoiceSubscription, Subscription.external_id, Subscription.plan_id)
        .join(Subscription, Subscription.id == InvoiceSubscription.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(InvoiceSubscription.invoice_id.in_(invoice_ids))
        .order_by(name, InvoiceSubscription.created_at, InvoiceSubscription.id)
    )
    found: dict[uuid.UUID, list[Period]] = {}
    for row, external_id, plan_id in await tx.execute(statement):
        found.setdefault(row.invoice_id, []).append(Period(row, external_id, plan_id))
    return found


def billing_period(period: Period, *, webhook: bool) -> dict[str, Any]:
    """One billing period. REST never leaves bounds of plan and usage empty (sdk-compat.md R4)."""
    row = period.row
    plan = _bounds(row.plan_from_at, row.plan_to_at)
    charges = _bounds(row.charges_from_at, row.charges_to_at)
    fixed = _bounds(row.fixed_charges_from_at, row.fixed_charges_to_at) or _bounds(
        row.fixed_in_advance_from_at, row.fixed_in_advance_to_at
    )
    if not webhook:
        plan = plan or charges or (row.billing_at, row.billing_at)
        charges = charges or plan
    return {
        "lago_subscription_id": row.subscription_id,
        "external_subscription_id": period.external_id,
        "lago_plan_id": period.plan_id,
        **_shown("subscription", plan),
        **_shown("charges", charges),
        **_shown("fixed_charges", fixed),
        "invoicing_reason": row.invoicing_reason,
    }


def _bounds(from_at: dt.datetime | None, to_at: dt.datetime | None) -> Bounds:
    """Both ends inclusive."""
    return (from_at, last_second(to_at)) if from_at is not None and to_at is not None else None


def _shown(name: str, bounds: Bounds) -> dict[str, str | None]:
    from_at, to_at = bounds or (None, None)
    return {
        f"{name}_from_datetime": dt_(from_at) if from_at else None,
        f"{name}_to_datetime": dt_(to_at) if to_at else None,
    }
