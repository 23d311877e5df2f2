"""`/api/v1/taxes` (credits.md §2.1)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Code, Flag, Input, Label, Number, Text
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.lifecycle import taxes as lifecycle
from tallystick.ground.db import Tx
from tallystick.rooms.taxes import store, verbs, views

routes = Routes("tax")


class TaxInput(Input):
    """Body of create and update."""

    name: Label = None
    code: Code = None
    rate: Number = None
    description: Text = None
    applied_to_organization: Flag = None


@routes.post("/taxes", root="tax", model=TaxInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a tax."""
    fields = call.read("tax", TaxInput, drop_nulls=True).given()
    tax = await lifecycle.create(tx, call.organization_id, call.at, fields)
    return {"tax": (await views.taxes(tx, [tax], nested=False))[0]}


@routes.get("/taxes", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List taxes by name."""
    rows, meta = await fetch_page(tx, store.listing(call.organization_id), call.page)
    return {"taxes": await views.taxes(tx, rows, nested=False), "meta": meta}


@routes.get("/taxes/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a tax by its code."""
    tax = await verbs.find(tx, call.organization_id, call.path("code"))
    return {"tax": (await views.taxes(tx, [tax], nested=False))[0]}


@routes.put("/taxes/{code}", root="tax", model=TaxInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a tax: for future computations only."""
    tax = await verbs.find(tx, call.organization_id, call.path("code"))
    await lifecycle.update(tx, tax, call.at, call.read("tax", TaxInput).given())
    return {"tax": (await views.taxes(tx, [tax], nested=False))[0]}


@routes.delete("/taxes/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a tax and detach it from everything."""
    tax = await verbs.find(tx, call.organization_id, call.path("code"))
    body = (await views.taxes(tx, [tax], nested=False))[0]
    await lifecycle.delete(tx, tax, call.at)
    return {"tax": body}
