"""`/api/v1/pricing_units` (rating.md §15). Whoever may read or write plans may do so with their pricing units."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Code, Input, Label, Text
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.rooms.catalog import pricing_units, views

routes = Routes("plan")


class PricingUnitInput(Input):
    """Body of create and update; the code stays what it is."""

    name: Label = None
    code: Code = None
    short_name: Label = None
    description: Text = None


@routes.post("/pricing_units", root="pricing_unit", model=PricingUnitInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a pricing unit."""
    fields = call.read("pricing_unit", PricingUnitInput, drop_nulls=True).given()
    row = await pricing_units.create(tx, call.organization_id, call.at, fields)
    return {"pricing_unit": views.pricing_unit(row)}


@routes.get("/pricing_units", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List pricing units, newest first."""
    rows, meta = await fetch_page(tx, pricing_units.listing(call.organization_id), call.page)
    return {"pricing_units": [views.pricing_unit(row) for row in rows], "meta": meta}


@routes.get("/pricing_units/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a pricing unit by its code."""
    row = await pricing_units.find(tx, call.organization_id, call.path("code"))
    return {"pricing_unit": views.pricing_unit(row)}


@routes.put("/pricing_units/{code}", root="pricing_unit", model=PricingUnitInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change the names or the description of a pricing unit."""
    row = await pricing_units.find(tx, call.organization_id, call.path("code"))
    await pricing_units.update(tx, row, call.at, call.read("pricing_unit", PricingUnitInput).given())
    return {"pricing_unit": views.pricing_unit(row)}
