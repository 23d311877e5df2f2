"""Reading `/api/v1/events` (metering.md §1.11); writing is the hot path and lives in `api/ingestion.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, Invalid, NotFound
from tallystick.rooms.metering import store, views

routes = Routes("event")

FILTERS = ("code", "external_subscription_id", "timestamp_from", "timestamp_to", "timestamp_from_started_at")


@routes.get("/events", query=(*LIST_QUERY, *FILTERS))
async def listing(call: Call, tx: Tx) -> Any:
    """List events, newest timestamp first."""
    subscription = call.text("external_subscription_id")
    from_at, to_at = call.instant("timestamp_from"), call.instant("timestamp_to")
    if call.flag("timestamp_from_started_at"):
        from_at = await _started_at(call, tx, subscription)
    found = store.listing(
        call.organization_id,
        code=call.text("code"),
        external_subscription_id=subscription,
        from_at=from_at,
        to_at=to_at,
    )
    rows, meta = await fetch_page(tx, found, call.page)
    return {"events": views.events(rows), "meta": meta}


async def _started_at(call: Call, tx: Tx, subscription: str | None) -> dt.datetime | None:
    if subscription is None:
        raise Invalid.field("external_subscription_id", "required with timestamp_from_started_at")
    if call.text("timestamp_from") is not None:
        raise Invalid.field("timestamp_from", "cannot be used with timestamp_from_started_at")
    return await store.started_at(tx, call.organization_id, subscription)


@routes.get("/events/{transaction_id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find an event by its transaction id."""
    found = await store.find(tx, call.organization_id, call.path("transaction_id"))
    if found is None:
        raise NotFound("event")
    return {"event": views.events([found])[0]}


@routes.get("/events_enriched")
async def enriched(call: Call, tx: Tx) -> Any:
    """Only the high-volume store has enriched events: always 403 `endpoint_not_available`."""
    raise Forbidden("endpoint_not_available")
