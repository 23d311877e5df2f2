"""What will happen next to a customer: its agenda entries with what they happen to (docs/user/api.md). Changes nothing.

Work of the house itself is left out: looks at usage, drafts that are made again, events about to be billed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select, union_all

from tallystick.ground.agenda import Kind
from tallystick.ground.db import Tx
from tallystick.ground.tables import AgendaEntry, Customer, Invoice, Subscription, Wallet
from tallystick.ground.wire import dt_

#: what callers may ask for
KINDS = (
    *(Kind.START_SUBSCRIPTION, Kind.END_SUBSCRIPTION, Kind.BILL, Kind.END_TRIAL),
    *(Kind.TERMINATION_ALERT, Kind.FINALIZE_INVOICE, Kind.OVERDUE_INVOICE, Kind.EXPIRE_WALLET),
)


def listing(customer: Customer, kinds: Iterable[str] = (), until: dt.datetime | None = None) -> Select[AgendaEntry]:
    """The entries of a customer's subscriptions, invoices and wallets in the order in which they will be done."""
    subjects = union_all(
        *(select(owned.id).where(owned.customer_id == customer.id) for owned in (Subscription, Invoice, Wallet))
    )
    statement = select(AgendaEntry).where(
        AgendaEntry.organization_id == customer.organization_id,
        AgendaEntry.kind.in_(list(kinds) or [kind.value for kind in KINDS]),
        AgendaEntry.failed_at.is_(None),
        AgendaEntry.subject_id.in_(subjects),
    )
    if until is not None:
        statement = statement.where(AgendaEntry.due_at <= until)
    return statement.order_by(AgendaEntry.due_at, AgendaEntry.rank, AgendaEntry.subject_id)


async def entries(tx: Tx, rows: Sequence[AgendaEntry]) -> list[dict[str, Any]]:
    """Entries in the order given, three queries for all their subjects."""
    subjects = await _subjects(tx, [row.subject_id for row in rows])
    return [{"kind": row.kind, "due_at": dt_(row.due_at), "subject": subjects[row.subject_id]} for row in rows]


async def _subjects(tx: Tx, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, dict[str, Any]]:
    subscriptions = select(Subscription.id, Subscription.external_id).where(Subscription.id.in_(ids))
    invoices = select(Invoice.id, Invoice.number).where(Invoice.id.in_(ids))
    wallets = select(Wallet.id, Wallet.code).where(Wallet.id.in_(ids))
    return {
        **{
            row.id: {"type": "subscription", "lago_id": row.id, "external_id": row.external_id}
            for row in await tx.execute(subscriptions)
        },
        **{row.id: {"type": "invoice", "lago_id": row.id, "number": row.number} for row in await tx.execute(invoices)},
        **{row.id: {"type": "wallet", "lago_id": row.id, "code": row.code} for row in await tx.execute(wallets)},
    }
