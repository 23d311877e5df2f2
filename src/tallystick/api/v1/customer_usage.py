"""`/api/v1/customers/{external_id}/current_usage` (metering.md §7.1)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.routes import Routes
from tallystick.flows.usage.current import Chosen, current_usage
from tallystick.flows.wire.usage import customer_usage
from tallystick.ground.db import Tx
from tallystick.ground.ids import parse_id

routes = Routes("customer_usage")

QUERY = (
    "external_subscription_id",
    "apply_taxes",
    "charge_id",
    "charge_code",
    "billable_metric_code",
)


@routes.get("/customers/{external_id}/current_usage", query=QUERY)
async def current(call: Call, tx: Tx) -> Any:
    """What a subscription has used in its running period, and what it would cost if nothing more happened."""
    usage = await current_usage(
        tx,
        call.organization_id,
        call.path("external_id"),
        call.text("external_subscription_id"),
        call.at,
        _chosen(call),
    )
    return {"customer_usage": customer_usage(usage, apply_taxes=call.flag("apply_taxes") is not False)}


def _chosen(call: Call) -> Chosen | None:
    """The charge filter: the first parameter given wins, older names included."""
    charge_id = call.text("charge_id") or call.text("filter_by_charge_id")
    if charge_id is not None:
        wanted = parse_id(charge_id)
        return lambda charge: charge.id == wanted
    charge_code = call.text("charge_code") or call.text("filter_by_charge_code")
    if charge_code is not None:
        return lambda charge: charge.code == charge_code
    metric_code = call.text("billable_metric_code") or call.text("filter_by_metric_code")
    if metric_code is not None:
        return lambda charge: charge.metric.code == metric_code
    return None
