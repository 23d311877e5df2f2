"""Which subscription of a chain an event falls to, by its instant (metering.md §1.9), and in which period.

Only rows and instants; what the event is worth is metering's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tallystick.core.contract import Contract
from tallystick.core.verdict import Code
from tallystick.core.windows import Window
from tallystick.flows.billing.due import running_windows
from tallystick.ground.db import Tx
from tallystick.ground.tables import Event, Invoice, InvoiceSubscription, Subscription

#: invoices that settle the usage of a period
_SETTLING = ("subscription_periodic", "subscription_terminating")
_NEVER_SENT = ("deleted", "generating", "open")


@dataclass(frozen=True, slots=True)
class Period:
    """The usage period of an event, with the invoice that settles it if there is one."""

    window: Window
    duration_days: int
    timezone: str
    invoice: Invoice | None

    def is_settled_for(self, event: Event) -> bool:
        """Whether the invoice was final when the event was received; ids decide within one instant."""
        if self.invoice is None or self.invoice.finalized_at is None:
            return False
        return (event.created_at, event.id) > (self.invoice.finalized_at, self.invoice.id)


async def rows_of(tx: Tx, event: Event) -> list[Subscription]:
    """The rows of the chain that the event names, by start; what never starts is not among them."""
    statement = select(Subscription).where(
        Subscription.organization_id == event.organization_id,
        Subscription.external_id == event.external_subscription_id,
        Subscription.status.in_(("active", "terminated", "pending", "incomplete")),
    )
    return list(await tx.scalars(statement.order_by(Subscription.started_at.nulls_last(), Subscription.id)))


def chosen(rows: Sequence[Subscription], at: dt.datetime, *, carried: bool) -> Subscription | Code:
    """The row that lived at this instant, or why there is none.

    What is `carried` over falls to the first row that starts later. Instants are compared in milliseconds.
    """
    started = [row for row in rows if row.started_at is not None and row.status != "incomplete"]
    alive = [row for row in started if _lives(row, at)]
    if alive:
        return max(alive, key=_preference)
    later = [row for row in started if row.started_at is not None and row.started_at > at]
    if carried and later:
        return later[0]
    if len(later) < len(started):
        return Code.AFTER_END
    if later:
        return Code.BEFORE_START
    return Code.SUBSCRIPTION_NOT_STARTED if rows else Code.UNKNOWN_SUBSCRIPTION


def _lives(row: Subscription, at: dt.datetime) -> bool:
    assert row.started_at is not None
    ends = row.terminated_at is None or _milliseconds(row.terminated_at) >= _milliseconds(at)
    return _milliseconds(row.started_at) <= _milliseconds(at) and ends


def _preference(row: Subscription) -> tuple[bool, dt.datetime, dt.datetime]:
    """Running ones first, then the latest end, then the latest start."""
    assert row.started_at is not None
    return row.terminated_at is None, row.terminated_at or row.started_at, row.started_at


def _milliseconds(at: dt.datetime) -> dt.datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def period_of(tx: Tx, contract: Contract, at: dt.datetime) -> Period:
    """The usage period that contains an instant: as it was invoiced, else as it will be; the first one before it."""
    assert contract.started_at is not None
    statement = (
        select(InvoiceSubscription, Invoice)
        .join(Invoice, Invoice.id == InvoiceSubscription.invoice_id)
        .where(
            InvoiceSubscription.subscription_id == contract.subscription_id,
            InvoiceSubscription.invoicing_reason.in_(_SETTLING),
            InvoiceSubscription.replaced.is_(False),
            InvoiceSubscription.charges_from_at <= at,
            InvoiceSubscription.charges_to_at > at,
            Invoice.status.not_in(_NEVER_SENT),
        )
        .order_by(InvoiceSubscription.created_at.desc(), InvoiceSubscription.id.desc())
        .limit(1)
    )
    found = (await tx.execute(statement)).first()
    if found is not None:
        row, invoice = found
        assert row.charges_from_at is not None
        assert row.charges_to_at is not None
        return Period(Window(row.charges_from_at, row.charges_to_at), row.charges_full_days, row.timezone, invoice)
    windows = running_windows(contract, at)
    assert windows.charges is not None
    return Period(windows.charges, windows.charges_duration_days, contract.customer.timezone, None)
