"""`/api/v1/payment_requests` and a customer's payment requests (dunning.md §2): create, find, list."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Emails, Input, Label, Shape, Text
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.collection.requests import ask
from tallystick.flows.wire.payment_requests import payment_requests
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.tables import PaymentRequest
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.payments import requests
from tallystick.rooms.payments.requests import Filters

routes = Routes("payment_request")

QUERY = ("payment_status", "currency", "billing_entity_codes[]")


class PaymentRequestInput(Input):
    """Body of create."""

    external_customer_id: Label = None
    lago_invoice_ids: Annotated[list[Text] | None, Shape.ARRAY] = None
    email: Emails = None


@routes.post("/payment_requests", root="payment_request", model=PaymentRequestInput)
async def create(call: Call, tx: Tx) -> Any:
    """Ask a customer for overdue invoices."""
    body = call.read("payment_request", PaymentRequestInput, drop_nulls=True)
    invoice_ids = [one for one in body.lago_invoice_ids or () if one]
    made = await ask(tx, call.organization_id, call.at, body.external_customer_id or "", invoice_ids, body.email)
    return await _shown(call, tx, made)


@routes.get("/payment_requests", query=(*LIST_QUERY, "external_customer_id", *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List payment requests, the newest first."""
    return await _page(call, tx, None)


@routes.get("/customers/{external_customer_id}/payment_requests", query=(*LIST_QUERY, *QUERY))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List a customer's payment requests, the newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_customer_id"))
    return await _page(call, tx, customer.id)


@routes.get("/payment_requests/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a payment request."""
    return await _shown(call, tx, await requests.find(tx, call.organization_id, call.path("id")))


async def _shown(call: Call, tx: Tx, row: PaymentRequest) -> Any:
    url = call.installation.settings.public_api_url
    return {"payment_request": (await payment_requests(tx, [row], public_api_url=url))[0]}


async def _page(call: Call, tx: Tx, customer_id: uuid.UUID | None) -> Any:
    codes = call.texts("billing_entity_codes")
    entities = await organizations.entities_by_code(tx, call.organization_id, codes, archived=True)
    if not set(codes) <= set(entities):
        raise NotFound("billing_entity")
    currency = call.text("currency")
    filters = Filters(
        customer_id=customer_id,
        external_customer_id=call.text("external_customer_id") if customer_id is None else None,
        payment_status=call.text("payment_status"),
        currency=currency.upper() if currency else None,
        billing_entity_ids=[entity.id for entity in entities.values()],
    )
    rows, meta = await fetch_page(tx, requests.listing(call.organization_id, filters), call.page)
    bodies = await payment_requests(tx, rows, public_api_url=call.installation.settings.public_api_url)
    return {"payment_requests": bodies, "meta": meta}
