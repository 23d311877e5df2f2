"""Look at the usage of a set of subscriptions: what passed a threshold is invoiced, what crossed an alert is told.

subscriptions.md §5.3, metering.md §9, §10. A constant number of queries, whatever the number of subscriptions.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select, tuple_

from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.usage.alerting import evaluate
from tallystick.flows.usage.lifetime import lives
from tallystick.flows.usage.progress import bill_passed
from tallystick.flows.usage.running import running_usage
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.tables import Subscription
from tallystick.rooms.alerts import store as alerts
from tallystick.rooms.catalog import thresholds
from tallystick.rooms.metering import watch


async def check_usage_due(tx: Tx, dues: Sequence[Due]) -> None:
    """After events, and after alerts changed; entries are of subscriptions, or of notes about their events."""
    notes = await watch.take(tx, [due.subject_id for due in dues])
    named = await _named(tx, set(notes.values()))
    at_of: dict[uuid.UUID, dt.datetime] = {}
    for due in dues:
        note = notes.get(due.subject_id)
        subscription_id = due.subject_id if note is None else named.get(note)
        if subscription_id is not None:
            at_of[subscription_id] = max(at_of.get(subscription_id, due.due_at), due.due_at)
    await _check(tx, at_of, alerted=True)


async def check_thresholds_due(tx: Tx, dues: Sequence[Due]) -> None:
    """After invoiced usage or thresholds changed; alerts wait for the next event."""
    await _check(tx, {due.subject_id: due.due_at for due in dues}, alerted=False)


async def _check(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, alerted: bool) -> None:
    rows = await _active(tx, at_of)
    progressive = await thresholds.applicable(tx, rows)
    # what may be invoiced is not to change any more; the rows are read afresh behind the lock
    await lock_customers(tx, [row.customer_id for row in rows if row.id in progressive])
    rows = await _active(tx, at_of)
    watched = await alerts.watching(tx, rows) if alerted else {}
    looked_at = [row.id for row in rows if row.id in progressive or row.id in watched]
    if not looked_at:
        return
    running = await running_usage(tx, await load_contracts(tx, looked_at), at_of)
    known = await lives(tx, running)
    await bill_passed(tx, running, known, progressive)
    await evaluate(tx, running, known, watched)


async def _active(tx: Tx, ids: Mapping[uuid.UUID, dt.datetime]) -> list[Subscription]:
    statement = select(Subscription).where(Subscription.id.in_(list(ids)), Subscription.status == "active")
    return list(await tx.scalars(statement.order_by(Subscription.id).execution_options(populate_existing=True)))


async def _named(tx: Tx, names: set[tuple[uuid.UUID, str]]) -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    """(organization, external id) -> the active row."""
    if not names:
        return {}
    columns = (Subscription.organization_id, Subscription.external_id)
    statement = select(*columns, Subscription.id).where(tuple_(*columns).in_(names), Subscription.status == "active")
    return {(row.organization_id, row.external_id): row.id for row in await tx.execute(statement)}
