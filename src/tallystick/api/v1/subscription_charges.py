"""`/api/v1/subscriptions/{external_id}/charges` and their filters: what a subscription pays for usage, its overrides.

subscriptions.md §1.4; the row is chosen by api.md §7.
"""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import ChargeInput, FilterInput, contents
from tallystick.flows.lifecycle.subscriptions import charge_filters
from tallystick.flows.lifecycle.subscriptions import update as edition
from tallystick.flows.wire import plans as wire
from tallystick.ground.db import Tx
from tallystick.ground.tables import Charge, Plan, Subscription
from tallystick.rooms.catalog import charges, filters, store, views
from tallystick.rooms.subscriptions import verbs

routes = Routes("subscription")

CHARGES = "/subscriptions/{external_id}/charges"
CHARGE = CHARGES + "/{code}"
FILTERS = CHARGE + "/filters"
FILTER = FILTERS + "/{filter_id}"
STATUS = ("subscription_status", "status")
#: what can be overridden; the rest of a body is ignored
OVERRIDABLE = ("properties", "min_amount_cents", "invoice_display_name", "filters", "tax_codes", "applied_pricing_unit")


@routes.get(CHARGES, query=(*LIST_QUERY, *STATUS))
async def listing(call: Call, tx: Tx) -> Any:
    """List the charges of a subscription, newest first."""
    row = await _subscription(call, tx)
    found, meta = await fetch_page(tx, store.charges_listing(row.plan_id), call.page)
    return {"charges": await wire.charges(tx, found), "meta": meta}


@routes.get(CHARGE, query=STATUS)
async def show(call: Call, tx: Tx) -> Any:
    """Find a charge of a subscription by its code."""
    found = await _charge(call, tx, await _subscription(call, tx))
    return {"charge": (await wire.charges(tx, [found]))[0]}


@routes.put(CHARGE, root="charge", model=ChargeInput)
async def update(call: Call, tx: Tx) -> Any:
    """Override a charge for this subscription: it gets a plan of its own unless it has one."""
    row = await _subscription(call, tx)
    found = await _charge(call, tx, row)
    fields = contents(call.read("charge", ChargeInput))
    asked = {name: fields[name] for name in OVERRIDABLE if name in fields}
    overrides = {"charges": [{**asked, "id": str(found.id)}]}
    changed = await edition.update(tx, row, call.at, {"plan_overrides": overrides})
    return {"charge": (await wire.charges(tx, [await _charge(call, tx, changed)]))[0]}


@routes.get(FILTERS, query=(*LIST_QUERY, *STATUS))
async def list_filters(call: Call, tx: Tx) -> Any:
    """List the filters of a subscription's charge, least recently updated first."""
    found = await _charge(call, tx, await _subscription(call, tx))
    rows, meta = await fetch_page(tx, store.filters_listing(found.id), call.page)
    return {"filters": [views.charge_filter(row, found.code) for row in rows], "meta": meta}


@routes.post(FILTERS, root="filter", model=FilterInput)
async def create_filter(call: Call, tx: Tx) -> Any:
    """Add a filter to a charge for this subscription: it gets a plan of its own unless it has one."""
    row = await _subscription(call, tx)
    found = await _charge(call, tx, row)
    fields = contents(call.read("filter", FilterInput, drop_nulls=True))
    made = await charge_filters.add(tx, row, found, call.at, fields)
    return {"filter": views.charge_filter(made, found.code)}


@routes.get(FILTER, query=STATUS)
async def show_filter(call: Call, tx: Tx) -> Any:
    """Find a filter of a subscription's charge by its id."""
    found = await _charge(call, tx, await _subscription(call, tx))
    return {"filter": views.charge_filter(await filters.find(tx, found, call.path("filter_id")), found.code)}


@routes.put(FILTER, root="filter", model=FilterInput)
async def update_filter(call: Call, tx: Tx) -> Any:
    """Change a filter of a charge for this subscription: it gets a plan of its own unless it has one."""
    row = await _subscription(call, tx)
    found = await _charge(call, tx, row)
    fields = contents(call.read("filter", FilterInput))
    changed = await charge_filters.change(tx, row, found, call.path("filter_id"), call.at, fields)
    return {"filter": views.charge_filter(changed, found.code)}


@routes.delete(FILTER, query=STATUS)
async def destroy_filter(call: Call, tx: Tx) -> Any:
    """Delete a filter of a charge for this subscription: it gets a plan of its own unless it has one."""
    row = await _subscription(call, tx)
    found = await _charge(call, tx, row)
    gone = await charge_filters.remove(tx, row, found, call.path("filter_id"), call.at)
    return {"filter": views.charge_filter(gone, found.code)}


async def _subscription(call: Call, tx: Tx) -> Subscription:
    status = call.text("subscription_status") or call.text("status") or "active"
    return await verbs.find(tx, call.organization_id, call.path("external_id"), status)


async def _charge(call: Call, tx: Tx, row: Subscription) -> Charge:
    return await charges.find(tx, await tx.get_one(Plan, row.plan_id), call.path("code"))
