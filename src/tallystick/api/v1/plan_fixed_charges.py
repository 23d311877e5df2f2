"""`/api/v1/plans/{plan_code}/fixed_charges` (subscriptions.md §1.2, rating.md §16)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import FixedChargeInput, cascading, sent
from tallystick.flows.lifecycle import plan_items as lifecycle
from tallystick.flows.wire import plans as wire
from tallystick.ground.db import Tx
from tallystick.ground.tables import FixedCharge, Plan
from tallystick.rooms.catalog import fixed_charges, fixed_store, plans

routes = Routes("plan")

FIXED_CHARGES = "/plans/{plan_code}/fixed_charges"
FIXED_CHARGE = FIXED_CHARGES + "/{code}"


@routes.get(FIXED_CHARGES, query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List the fixed charges of a plan, newest first."""
    plan = await _plan(call, tx)
    rows, meta = await fetch_page(tx, fixed_store.listing(plan.id), call.page)
    return {"fixed_charges": await wire.fixed_charges(tx, rows), "meta": meta}


@routes.post(FIXED_CHARGES, root="fixed_charge", model=FixedChargeInput)
async def create(call: Call, tx: Tx) -> Any:
    """Add a fixed charge to a plan."""
    plan = await _plan(call, tx, lock=True)
    fields = sent(call, "fixed_charge", FixedChargeInput, drop_nulls=True)
    row = await lifecycle.add_fixed_charge(tx, plan, call.at, fields)
    return {"fixed_charge": (await wire.fixed_charges(tx, [row]))[0]}


@routes.get(FIXED_CHARGE)
async def show(call: Call, tx: Tx) -> Any:
    """Find a fixed charge of a plan by its code."""
    _, row = await _fixed_charge(call, tx)
    return {"fixed_charge": (await wire.fixed_charges(tx, [row]))[0]}


@routes.put(FIXED_CHARGE, root="fixed_charge", model=FixedChargeInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a fixed charge of a plan; other units count from the next period on, or at once."""
    plan, row = await _fixed_charge(call, tx, lock=True)
    fields = sent(call, "fixed_charge", FixedChargeInput)
    await lifecycle.change_fixed_charge(tx, plan, row, call.at, fields)
    return {"fixed_charge": (await wire.fixed_charges(tx, [row]))[0]}


@routes.delete(FIXED_CHARGE, query=("cascade_updates",))
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a fixed charge of a plan."""
    plan, row = await _fixed_charge(call, tx, lock=True)
    body = (await wire.fixed_charges(tx, [row]))[0]
    await lifecycle.remove_fixed_charge(tx, plan, row, call.at, cascading(call, "fixed_charge"))
    return {"fixed_charge": body}


async def _plan(call: Call, tx: Tx, *, lock: bool = False) -> Plan:
    return await plans.find(tx, call.organization_id, call.path("plan_code"), lock=lock)


async def _fixed_charge(call: Call, tx: Tx, *, lock: bool = False) -> tuple[Plan, FixedCharge]:
    plan = await _plan(call, tx, lock=lock)
    return plan, await fixed_charges.find(tx, plan, call.path("code"))
