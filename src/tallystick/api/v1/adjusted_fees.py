"""`/api/v1/invoices/{id}/adjusted_fees`: lines of a draft corrected by hand (invoicing.md §10)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Label, Number
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.billing.adjust import adjust, withdraw
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices import adjustments, verbs
from tallystick.rooms.invoices.fees import fees

routes = Routes("invoice")


class AdjustedFeeInput(Input):
    """A line, by its fee or by what it is for, and what it shall be."""

    fee_id: Label = None
    subscription_id: Label = None
    charge_id: Label = None
    charge_filter_id: Label = None
    fixed_charge_id: Label = None
    units: Number = None
    unit_precise_amount: Number = None
    invoice_display_name: Label = None


@routes.get("/invoices/{id}/adjusted_fees", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List the corrections of an invoice, newest first."""
    invoice = await _invoice(call, tx)
    rows, meta = await fetch_page(tx, adjustments.listing(invoice.id), call.page)
    return {"adjusted_fees": await adjustments.views(tx, rows), "meta": meta}


@routes.post("/invoices/{id}/adjusted_fees", root="adjusted_fee", model=AdjustedFeeInput)
async def create(call: Call, tx: Tx) -> Any:
    """Correct a line of a draft, or add one that is missing; the draft is computed again and keeps it."""
    return await _adjusted(call, tx)


@routes.post("/invoices/{id}/adjusted_fees/preview", root="adjusted_fee", model=AdjustedFeeInput)
async def preview(call: Call, tx: Tx) -> Any:
    """The line as a correction would make it; nothing is stored."""
    savepoint = await tx.begin_nested()
    try:
        seen = await _adjusted(call, tx)
    finally:
        await savepoint.rollback()
    return {"fee": {**seen["fee"], "lago_id": None}}


@routes.delete("/invoices/{id}/adjusted_fees/{adjusted_fee_id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Take a correction back; the draft is computed again without it."""
    invoice = await _invoice(call, tx)
    row = await withdraw(tx, invoice, call.at, call.path("adjusted_fee_id"))
    return {"adjusted_fee": (await adjustments.views(tx, [row]))[0]}


async def _adjusted(call: Call, tx: Tx) -> dict[str, Any]:
    invoice = await _invoice(call, tx)
    given = call.read("adjusted_fee", AdjustedFeeInput, drop_nulls=True).given()
    row, fee = await adjust(tx, invoice, call.at, given)
    (corrected,) = await adjustments.views(tx, [row])
    (body,) = await fees(tx, [fee], with_taxes=True)
    return {"fee": body, "adjusted_fee": corrected}


async def _invoice(call: Call, tx: Tx) -> Invoice:
    return await verbs.find(tx, call.organization_id, call.path("id"))
