"""`/api/v1/events/{transaction_id}/explain` and `/api/v1/fees/{id}/explain` (docs/user/explain.md)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.explain.event import explain_event
from tallystick.flows.explain.fee import explain_fee
from tallystick.flows.wire import explain as wire
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.rooms.invoices import verbs
from tallystick.rooms.invoices.fees import fees
from tallystick.rooms.metering import store

routes = Routes("event")


@routes.get("/events/{transaction_id}/explain", query=("external_subscription_id",))
async def event(call: Call, tx: Tx) -> Any:
    """Tell which subscription, period, charge and filter count an event, or which rule keeps it from counting."""
    subscription = call.text("external_subscription_id")
    found = await store.find(tx, call.organization_id, call.path("transaction_id"), subscription)
    if found is None:
        raise NotFound("event")
    return {"explanation": wire.event_explanation(await explain_event(tx, found))}


@routes.get("/fees/{id}/explain", query=LIST_QUERY, resource="fee")
async def fee(call: Call, tx: Tx) -> Any:
    """Tell how a fee came to its amount, and which events are behind it."""
    row = await verbs.find_fee(tx, call.organization_id, call.path("id"))
    page = call.page
    found = await explain_fee(tx, row, limit=page.per_page, offset=page.offset)
    (body,) = await fees(tx, [row])
    return {
        "explanation": wire.fee_explanation(found, body),
        "events": wire.fee_events(found.events),
        "meta": page.meta(found.events_total),
    }
