"""`/api/v1/webhook_endpoints` (webhooks.md §1.9, §1.10), with the log, replay and secret of each (§1.6, §1.7)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Shape, Text
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.webhooks import log, store, verbs, views
from tallystick.rooms.webhooks.log import Filters

routes = Routes("webhook_endpoint")

LOG_QUERY = (
    *LIST_QUERY,
    "statuses[]",
    "webhook_types[]",
    "http_statuses[]",
    "updated_from",
    "updated_to",
    "search_term",
)


class WebhookEndpointInput(Input):
    """Body of create and update; the room judges `signature_algo` and `event_types`, whatever their shape."""

    webhook_url: Text = None
    signature_algo: Text = None
    name: Text = None
    event_types: Annotated[Any, BeforeValidator(lambda value: value), Shape.ANY] = None


@routes.post("/webhook_endpoints", root="webhook_endpoint", model=WebhookEndpointInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create an endpoint. Only this answer shows its Standard Webhooks secret."""
    fields = call.read("webhook_endpoint", WebhookEndpointInput).given()
    endpoint = await verbs.create(tx, call.organization_id, call.at, fields)
    return {"webhook_endpoint": views.endpoint_with_secret(endpoint)}


@routes.get("/webhook_endpoints", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List endpoints by URL."""
    rows, meta = await fetch_page(tx, store.listing(call.organization_id), call.page)
    return {"webhook_endpoints": views.endpoints(rows), "meta": meta}


@routes.get("/webhook_endpoints/{lago_id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find an endpoint by its id."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    return {"webhook_endpoint": views.endpoints([endpoint])[0]}


@routes.put("/webhook_endpoints/{lago_id}", root="webhook_endpoint", model=WebhookEndpointInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change an endpoint, its pending retries included; enables it again when it was disabled."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    fields = call.read("webhook_endpoint", WebhookEndpointInput).given()
    await verbs.update(tx, endpoint, call.at, fields)
    return {"webhook_endpoint": views.endpoints([endpoint])[0]}


@routes.delete("/webhook_endpoints/{lago_id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete an endpoint with its delivery log."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    await verbs.delete(tx, endpoint)
    return {"webhook_endpoint": views.endpoints([endpoint])[0]}


@routes.post("/webhook_endpoints/{lago_id}/rotate_secret")
async def rotate_secret(call: Call, tx: Tx) -> Any:
    """Make a new Standard Webhooks secret and show it; the one before it signs too for 24 hours."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    await verbs.rotate_secret(tx, endpoint, call.at)
    return {"webhook_endpoint": views.endpoint_with_secret(endpoint)}


@routes.get("/webhook_endpoints/{lago_id}/deliveries", query=LOG_QUERY)
async def deliveries(call: Call, tx: Tx) -> Any:
    """The delivery log of an endpoint, the last changed first."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    filters = Filters(
        statuses=call.texts("statuses"),
        webhook_types=call.texts("webhook_types"),
        http_statuses=call.texts("http_statuses"),
        updated_from=call.instant("updated_from"),
        updated_to=call.instant("updated_to"),
        search_term=call.text("search_term"),
    )
    rows, meta = await fetch_page(tx, log.listing(endpoint.id, filters), call.page)
    return {"webhook_deliveries": await views.deliveries(tx, rows), "meta": meta}


@routes.post("/webhook_endpoints/{lago_id}/replay", query=("failed_since", "from", "to"))
async def replay(call: Call, tx: Tx) -> Any:
    """Send again: all that failed since `failed_since`, or every message of `from` to `to` (default: now)."""
    endpoint = await verbs.find(tx, call.organization_id, call.path("lago_id"))
    clock_at = call.at if call.identity.sandbox else None
    since, start_at = call.instant("failed_since"), call.instant("from")
    if since is not None:
        count = await log.replay_failed(tx, endpoint, since, clock_at)
    elif start_at is not None:
        count = await log.replay_range(tx, endpoint, start_at, call.instant("to") or call.at, clock_at)
    else:
        raise Invalid.field("failed_since", "value_is_mandatory")
    return {"replay": {"lago_webhook_endpoint_id": endpoint.id, "deliveries_count": count}}


@routes.post("/webhook_deliveries/{lago_id}/retry")
async def retry(call: Call, tx: Tx) -> Any:
    """Send one delivery again now: same payload, same unique key, current URL and algorithm."""
    clock_at = call.at if call.identity.sandbox else None
    delivery = await log.retry(tx, call.organization_id, call.path("lago_id"), clock_at)
    return {"webhook_delivery": (await views.deliveries(tx, [delivery]))[0]}
