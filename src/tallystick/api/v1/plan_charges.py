"""`/api/v1/plans/{plan_code}/charges` and their filters (subscriptions.md §1.2, metering.md §4)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import ChargeInput, FilterInput, cascading, sent
from tallystick.flows.lifecycle import plan_items as lifecycle
from tallystick.flows.wire import plans as wire
from tallystick.ground.db import Tx
from tallystick.ground.tables import Charge, Plan
from tallystick.rooms.catalog import charges, filters, plans, store, views

routes = Routes("plan")

CHARGES = "/plans/{plan_code}/charges"
CHARGE = CHARGES + "/{code}"
FILTERS = CHARGE + "/filters"
FILTER = FILTERS + "/{filter_id}"


@routes.get(CHARGES, query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List the charges of a plan, newest first."""
    plan = await _plan(call, tx)
    rows, meta = await fetch_page(tx, store.charges_listing(plan.id), call.page)
    return {"charges": await wire.charges(tx, rows), "meta": meta}


@routes.post(CHARGES, root="charge", model=ChargeInput)
async def create(call: Call, tx: Tx) -> Any:
    """Add a charge to a plan."""
    plan = await _plan(call, tx, lock=True)
    fields = sent(call, "charge", ChargeInput, drop_nulls=True)
    charge = await lifecycle.add_charge(tx, plan, call.at, fields)
    return {"charge": (await wire.charges(tx, [charge]))[0]}


@routes.get(CHARGE)
async def show(call: Call, tx: Tx) -> Any:
    """Find a charge of a plan by its code."""
    _, charge = await _charge(call, tx)
    return {"charge": (await wire.charges(tx, [charge]))[0]}


@routes.put(CHARGE, root="charge", model=ChargeInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a charge of a plan."""
    plan, charge = await _charge(call, tx, lock=True)
    await lifecycle.change_charge(tx, plan, charge, call.at, sent(call, "charge", ChargeInput))
    return {"charge": (await wire.charges(tx, [charge]))[0]}


@routes.delete(CHARGE, query=("cascade_updates",))
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a charge of a plan."""
    plan, charge = await _charge(call, tx, lock=True)
    body = (await wire.charges(tx, [charge]))[0]
    await lifecycle.remove_charge(tx, plan, charge, call.at, cascading(call, "charge"))
    return {"charge": body}


@routes.get(FILTERS, query=LIST_QUERY)
async def list_filters(call: Call, tx: Tx) -> Any:
    """List the filters of a charge, least recently updated first."""
    _, charge = await _charge(call, tx)
    rows, meta = await fetch_page(tx, store.filters_listing(charge.id), call.page)
    return {"filters": [views.charge_filter(row, charge.code) for row in rows], "meta": meta}


@routes.post(FILTERS, root="filter", model=FilterInput)
async def create_filter(call: Call, tx: Tx) -> Any:
    """Add a filter to a charge."""
    plan, charge = await _charge(call, tx, lock=True)
    fields = sent(call, "filter", FilterInput, drop_nulls=True)
    row = await lifecycle.add_filter(tx, plan, charge, call.at, fields)
    return {"filter": views.charge_filter(row, charge.code)}


@routes.get(FILTER)
async def show_filter(call: Call, tx: Tx) -> Any:
    """Find a filter of a charge by its id."""
    _, charge = await _charge(call, tx)
    row = await filters.find(tx, charge, call.path("filter_id"))
    return {"filter": views.charge_filter(row, charge.code)}


@routes.put(FILTER, root="filter", model=FilterInput)
async def update_filter(call: Call, tx: Tx) -> Any:
    """Change a filter of a charge."""
    plan, charge = await _charge(call, tx, lock=True)
    row = await filters.find(tx, charge, call.path("filter_id"))
    fields = sent(call, "filter", FilterInput)
    await lifecycle.change_filter(tx, plan, charge, row, call.at, fields)
    return {"filter": views.charge_filter(row, charge.code)}


@routes.delete(FILTER, query=("cascade_updates",))
async def destroy_filter(call: Call, tx: Tx) -> Any:
    """Delete a filter of a charge."""
    plan, charge = await _charge(call, tx, lock=True)
    row = await filters.find(tx, charge, call.path("filter_id"))
    await lifecycle.remove_filter(tx, plan, row, call.at, cascading(call, "filter"))
    return {"filter": views.charge_filter(row, charge.code)}


async def _plan(call: Call, tx: Tx, *, lock: bool = False) -> Plan:
    return await plans.find(tx, call.organization_id, call.path("plan_code"), lock=lock)


async def _charge(call: Call, tx: Tx, *, lock: bool = False) -> tuple[Plan, Charge]:
    plan = await _plan(call, tx, lock=lock)
    return plan, await charges.find(tx, plan, call.path("code"))
