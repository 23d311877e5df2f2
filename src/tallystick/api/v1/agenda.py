"""`/api/v1/customers/{external_id}/agenda`: what will happen next to a customer (docs/user/api.md)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.wire import agenda
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.customers import verbs

routes = Routes("customer")


@routes.get("/customers/{external_id}/agenda", query=(*LIST_QUERY, "kind[]", "until"))
async def listing(call: Call, tx: Tx) -> Any:
    """List what will happen to a customer's subscriptions and invoices, soonest first."""
    customer = await verbs.find(tx, call.organization_id, call.path("external_id"))
    kinds = call.texts("kind")
    if not set(kinds) <= {kind.value for kind in agenda.KINDS}:
        raise Invalid.field("kind", "value_is_invalid")
    statement = agenda.listing(customer, kinds, call.instant("until"))
    rows, meta = await fetch_page(tx, statement, call.page)
    return {"agenda": await agenda.entries(tx, rows), "meta": meta}
