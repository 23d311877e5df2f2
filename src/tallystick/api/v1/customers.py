"""`/api/v1/customers` (customers_entitlements.md §1). Lists nested below a customer are the nested resources' files."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.customer_filters import QUERY, read_filters
from tallystick.api.v1.customer_input import CustomerInput
from tallystick.flows.lifecycle import customers as lifecycle
from tallystick.flows.wire.customers import LISTED, SINGLE, customers
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.customers import listing as lists
from tallystick.rooms.customers import portal, verbs
from tallystick.rooms.organizations import verbs as organizations

routes = Routes("customer")


@routes.post("/customers", root="customer", model=CustomerInput)
async def upsert(call: Call, tx: Tx) -> Any:
    """Create a customer, or change the one with this external id."""
    body = call.read("customer", CustomerInput)
    customer = await lifecycle.upsert(tx, call.organization_id, call.at, body.external_id, body.fields())
    return {"customer": (await customers(tx, [customer], include=SINGLE))[0]}


@routes.get("/customers", query=(*LIST_QUERY, *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List customers, newest first."""
    filters = await read_filters(call, tx)
    rows, meta = await fetch_page(tx, lists.listing(call.organization_id, filters), call.page)
    return {"customers": await customers(tx, rows, include=LISTED), "meta": meta}


@routes.get("/customers/{external_id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a customer by its external id."""
    customer = await verbs.find(tx, call.organization_id, call.path("external_id"))
    return {"customer": (await customers(tx, [customer], include=SINGLE))[0]}


@routes.delete("/customers/{external_id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a customer; its documents stay readable."""
    customer = await verbs.find(tx, call.organization_id, call.path("external_id"))
    body = (await customers(tx, [customer], include=SINGLE))[0]
    await lifecycle.delete(tx, customer, call.at)
    return {"customer": body}


@routes.get("/customers/{external_id}/portal_url")
async def portal_url(call: Call, tx: Tx) -> Any:
    """A link to the customer's portal, valid for 12 hours."""
    customer = await verbs.find(tx, call.organization_id, call.path("external_id"))
    organization = await organizations.organization(tx, call.organization_id)
    token = portal.token(customer.id, organization.hmac_key, call.at)
    return {"customer": {"portal_url": f"{call.installation.settings.public_api_url}/customer-portal/{token}"}}


@routes.post("/customers/{external_id}/checkout_url")
async def checkout_url(call: Call, tx: Tx) -> Any:
    """A provider's page to register a payment method; 422 without a provider that has one."""
    await verbs.find(tx, call.organization_id, call.path("external_id"))
    raise Invalid.field("base", "no_linked_payment_provider")
