"""Put a look at the usage of subscriptions on the agenda, where somebody watches it. Events do so by themselves.

See `rooms/metering/watch.py` for events and `flows/usage/check.py` for what a look leads to.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import select

from tallystick.ground.agenda import RANKS, Kind
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import Invoice, InvoiceSubscription, Plan, Subscription

_MARK = load_query(__file__, "mark")


async def mark(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, alerts: bool = False) -> None:
    """Look at those that are active and have usage thresholds, at their instants; at their alerts too when asked to.

    To be called whenever thresholds, invoiced usage or alerts changed (subscriptions.md §5.2, metering.md §10).
    """
    if not at_of:
        return
    await tx.flush()
    kind = Kind.CHECK_USAGE if alerts else Kind.CHECK_THRESHOLDS
    columns = {"ids": list(at_of), "instants": list(at_of.values()), "kind": kind.value, "rank": RANKS[kind]}
    await tx.execute(_MARK, {**columns, "alerts": alerts})


async def mark_invoiced(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """The invoice does not count any more, or again."""
    if invoice.invoice_type == "subscription":
        ids = select(InvoiceSubscription.subscription_id).where(InvoiceSubscription.invoice_id == invoice.id)
        await mark(tx, dict.fromkeys(await tx.scalars(ids), at))


async def mark_of_plan(tx: Tx, plan_id: uuid.UUID, at: dt.datetime) -> None:
    """The thresholds of a plan changed, or those that it gives to its overrides."""
    family = select(Plan.id).where((Plan.id == plan_id) | (Plan.parent_id == plan_id))
    ids = select(Subscription.id).where(Subscription.plan_id.in_(family), Subscription.status == "active")
    await mark(tx, dict.fromkeys(await tx.scalars(ids), at))
