"""`/api/v1/subscriptions/{external_id}/lifetime_usage` (metering.md §9, api.md §15.12)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Whole
from tallystick.api.routes import Routes
from tallystick.flows.usage import lifetime as usage
from tallystick.flows.usage.marks import mark
from tallystick.flows.wire.thresholds import lifetime_usage
from tallystick.ground.db import Tx
from tallystick.ground.tables import LifetimeUsage, Subscription
from tallystick.rooms.catalog import thresholds
from tallystick.rooms.subscriptions import lifetime, verbs

routes = Routes("lifetime_usage")

PATH = "/subscriptions/{external_id}/lifetime_usage"


class LifetimeUsageInput(Input):
    """What was used elsewhere, in minor units."""

    external_historical_usage_amount_cents: Whole = None


@routes.get(PATH, query=("subscription_status",))
async def show(call: Call, tx: Tx) -> Any:
    """Find the usage of a subscription over its whole life."""
    row = await _subscription(call, tx)
    return await _shown(call, tx, row, await lifetime.find(tx, row.id))


@routes.put(PATH, root="lifetime_usage", model=LifetimeUsageInput)
async def update(call: Call, tx: Tx) -> Any:
    """Set what was used before the subscription came here."""
    row = await _subscription(call, tx)
    record = await lifetime.find(tx, row.id, lock=True)
    given = call.read("lifetime_usage", LifetimeUsageInput)
    await lifetime.set_historical(tx, record, given.external_historical_usage_amount_cents, call.at)
    await mark(tx, {row.id: call.at})
    return await _shown(call, tx, row, record)


async def _subscription(call: Call, tx: Tx) -> Subscription:
    status = call.text("subscription_status") or call.text("status") or "active"
    return await verbs.find(tx, call.organization_id, call.path("external_id"), status)


async def _shown(call: Call, tx: Tx, row: Subscription, record: LifetimeUsage) -> dict[str, Any]:
    counting = (await thresholds.applicable(tx, [row])).get(row.id, [])
    found = await usage.of_subscription(tx, row, call.at)
    return {"lifetime_usage": await lifetime_usage(tx, record, row, found, counting, call.at)}
