"""Usage of whole lives, counted for sets of subscriptions: what was used elsewhere, invoiced, and used since.

metering.md §9.1, subscriptions.md §5.2. Nothing of it is stored but what was used elsewhere, so nothing grows stale.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.progressive import ProgressiveInvoice
from tallystick.core.thresholds import LifetimeUsage
from tallystick.flows.billing.billed_before import newest_of_bills
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.usage.running import Running, running_usage
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import Subscription
from tallystick.rooms.subscriptions import lifetime

_INVOICED = load_query(__file__, "invoiced")


@dataclass(frozen=True, slots=True)
class Life:
    """The usage of a subscription's chain, and the progressive invoice of its running period."""

    usage: LifetimeUsage
    newest: ProgressiveInvoice | None


async def of_subscription(tx: Tx, row: Subscription, at: dt.datetime) -> LifetimeUsage:
    """The figures of one row that ran: as of `at`, or as they were when it ended (metering.md §9.1)."""
    seen_at = at if row.terminated_at is None else min(at, row.terminated_at)
    running = await running_usage(tx, await load_contracts(tx, [row.id]), {row.id: seen_at})
    return (await lives(tx, running))[row.id].usage


async def lives(tx: Tx, running: Sequence[Running]) -> dict[uuid.UUID, Life]:
    """subscription -> its life so far, with this current usage; three queries, one more for progressive invoices."""
    ids = [one.subscription_id for one in running]
    historical = await lifetime.historical(tx, ids)
    invoiced: dict[uuid.UUID, int] = dict((await tx.execute(_INVOICED, {"ids": ids})).all())
    newest = await newest_of_bills(tx, [one.bill for one in running])
    found = {}
    for one in running:
        key, last = one.subscription_id, newest.get(one.subscription_id)
        usage = LifetimeUsage(
            historical_cents=historical.get(key, 0),
            invoiced_cents=invoiced[key],
            current_cents=one.amount_cents,
            billed_cents=last.fees_cents if last else 0,
        )
        found[key] = Life(usage, last)
    return found
