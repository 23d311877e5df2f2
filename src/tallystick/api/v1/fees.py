"""`/api/v1/fees` (invoicing.md §12, api.md §15.20): find, list; pay and delete what stands on no invoice."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Shape, one_of
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.rooms.invoices import fee_listing, verbs
from tallystick.rooms.invoices.fee_listing import INSTANTS, PAYMENT_STATUSES, TYPES, Filters
from tallystick.rooms.invoices.fees import fees

routes = Routes("fee")

QUERY = (
    "external_customer_id",
    "external_subscription_id",
    "billable_metric_code",
    "currency",
    "fee_type",
    "payment_status",
    "event_transaction_id",
    *(f"{name}_{end}" for name in INSTANTS for end in ("from", "to")),
)


class FeeInput(Input):
    """Body of an update."""

    payment_status: Annotated[str | None, one_of(*PAYMENT_STATUSES), Shape.SCALAR] = None


@routes.get("/fees", query=(*LIST_QUERY, *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List fees, the oldest first."""
    rows, meta = await fetch_page(tx, fee_listing.listing(call.organization_id, _filters(call)), call.page)
    return {"fees": await fees(tx, rows, with_taxes=True), "meta": meta}


@routes.get("/fees/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a fee."""
    fee = await verbs.find_fee(tx, call.organization_id, call.path("id"))
    return {"fee": (await fees(tx, [fee], with_taxes=True))[0]}


@routes.put("/fees/{id}", root="fee", model=FeeInput)
async def update(call: Call, tx: Tx) -> Any:
    """Tell whether a fee without invoice was paid."""
    fee = await verbs.find_fee(tx, call.organization_id, call.path("id"), lock=True)
    await verbs.update_fee(tx, fee, call.at, call.read("fee", FeeInput).given())
    return {"fee": (await fees(tx, [fee], with_taxes=True))[0]}


@routes.delete("/fees/{id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a fee without invoice."""
    fee = await verbs.find_fee(tx, call.organization_id, call.path("id"), lock=True)
    body = (await fees(tx, [fee]))[0]
    await verbs.delete_fee(tx, fee, call.at)
    return {"fee": body}


def _filters(call: Call) -> Filters:
    problems = Problems()
    for name, allowed in (("fee_type", TYPES), ("payment_status", PAYMENT_STATUSES)):
        if call.text(name) not in (None, *allowed):
            problems.add(name, "value_is_invalid")
    problems.raise_if_any()
    since = {name: call.instant(f"{name}_from") for name in INSTANTS}
    until = {name: call.instant(f"{name}_to") for name in INSTANTS}
    currency = call.text("currency")
    return Filters(
        external_customer_id=call.text("external_customer_id"),
        external_subscription_id=call.text("external_subscription_id"),
        billable_metric_code=call.text("billable_metric_code"),
        currency=currency.upper() if currency else None,
        fee_type=call.text("fee_type"),
        payment_status=call.text("payment_status"),
        event_transaction_id=call.text("event_transaction_id"),
        since={name: moment for name, moment in since.items() if moment is not None},
        until={name: moment for name, moment in until.items() if moment is not None},
    )
