"""`/api/v1/add_ons` (invoicing.md §11, api.md §15.7)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Code, Codes, Input, Label, Text, Whole
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.lifecycle import add_ons as lifecycle
from tallystick.flows.wire import add_ons as wire
from tallystick.ground.db import Tx
from tallystick.rooms.catalog import add_ons

routes = Routes("add_on")


class AddOnInput(Input):
    """Body of create and update."""

    name: Label = None
    code: Code = None
    invoice_display_name: Text = None
    description: Text = None
    amount_cents: Whole = None
    amount_currency: Label = None
    tax_codes: Codes = None


@routes.post("/add_ons", root="add_on", model=AddOnInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create an add-on."""
    fields = call.read("add_on", AddOnInput, drop_nulls=True).given()
    add_on = await lifecycle.create(tx, call.organization_id, call.at, fields)
    return {"add_on": (await wire.add_ons(tx, [add_on]))[0]}


@routes.get("/add_ons", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List add-ons, newest first."""
    rows, meta = await fetch_page(tx, add_ons.listing(call.organization_id), call.page)
    return {"add_ons": await wire.add_ons(tx, rows), "meta": meta}


@routes.get("/add_ons/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find an add-on by its code."""
    add_on = await add_ons.find(tx, call.organization_id, call.path("code"))
    return {"add_on": (await wire.add_ons(tx, [add_on]))[0]}


@routes.put("/add_ons/{code}", root="add_on", model=AddOnInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change an add-on: for future invoices only."""
    add_on = await add_ons.find(tx, call.organization_id, call.path("code"))
    await lifecycle.update(tx, add_on, call.at, call.read("add_on", AddOnInput).given())
    return {"add_on": (await wire.add_ons(tx, [add_on]))[0]}


@routes.delete("/add_ons/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete an add-on; what was billed with it keeps it."""
    add_on = await add_ons.find(tx, call.organization_id, call.path("code"))
    await add_ons.delete(tx, add_on, call.at)
    return {"add_on": (await wire.add_ons(tx, [add_on]))[0]}
