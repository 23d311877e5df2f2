"""`/api/v1/subscriptions/{external_id}/fixed_charges`: what a subscription has, and its overrides.

subscriptions.md §1.4; the row is chosen by api.md §7.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import FixedChargeInput, contents
from tallystick.flows.lifecycle.subscriptions import update as edition
from tallystick.flows.wire import plans as wire
from tallystick.ground.db import Tx
from tallystick.ground.tables import FixedCharge, Plan, Subscription
from tallystick.rooms.catalog import fixed_charges, fixed_store
from tallystick.rooms.subscriptions import units, verbs

routes = Routes("subscription")

FIXED_CHARGES = "/subscriptions/{external_id}/fixed_charges"
FIXED_CHARGE = FIXED_CHARGES + "/{code}"
STATUS = ("subscription_status", "status")
#: what can be overridden; the rest of a body is ignored
OVERRIDABLE = (
    *("charge_model", "units", "apply_units_immediately", "invoice_display_name", "properties", "tax_codes"),
)


@routes.get(FIXED_CHARGES, query=(*LIST_QUERY, *STATUS))
async def listing(call: Call, tx: Tx) -> Any:
    """List the fixed charges of a subscription, newest first."""
    row = await _subscription(call, tx)
    found, meta = await fetch_page(tx, fixed_store.listing(row.plan_id), call.page)
    own = await _own_units(tx, row)
    return {"fixed_charges": await wire.fixed_charges(tx, found, own_units=own), "meta": meta}


@routes.get(FIXED_CHARGE, query=STATUS)
async def show(call: Call, tx: Tx) -> Any:
    """Find a fixed charge of a subscription by its code."""
    row = await _subscription(call, tx)
    return {"fixed_charge": await _shown(tx, row, await _fixed_charge(call, tx, row))}


@routes.put(FIXED_CHARGE, root="fixed_charge", model=FixedChargeInput)
async def update(call: Call, tx: Tx) -> Any:
    """Override a fixed charge for this subscription: its units, or also its price."""
    row = await _subscription(call, tx)
    found = await _fixed_charge(call, tx, row)
    fields = contents(call.read("fixed_charge", FixedChargeInput))
    asked = {name: fields[name] for name in OVERRIDABLE if fields.get(name) is not None}
    overrides = {"fixed_charges": [{**asked, "id": str(found.id)}]}
    changed = await edition.update(tx, row, call.at, {"plan_overrides": overrides})
    return {"fixed_charge": await _shown(tx, changed, await _fixed_charge(call, tx, changed))}


async def _subscription(call: Call, tx: Tx) -> Subscription:
    status = call.text("subscription_status") or call.text("status") or "active"
    return await verbs.find(tx, call.organization_id, call.path("external_id"), status)


async def _fixed_charge(call: Call, tx: Tx, row: Subscription) -> FixedCharge:
    return await fixed_charges.find(tx, await tx.get_one(Plan, row.plan_id), call.path("code"))


async def _own_units(tx: Tx, row: Subscription) -> dict[uuid.UUID, Decimal]:
    found = await units.overrides_of(tx, [row.id])
    return {fixed_charge_id: own for (_, fixed_charge_id), own in found.items()}


async def _shown(tx: Tx, row: Subscription, found: FixedCharge) -> dict[str, Any]:
    return (await wire.fixed_charges(tx, [found], own_units=await _own_units(tx, row)))[0]
