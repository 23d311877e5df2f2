"""`/api/v1/payments` and a customer's payments (payments.md §3.11, §4): record by hand, find, list."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator

from tallystick.api.call import Call
from tallystick.api.inputs import BIGINT, Input, Label, Shape, Text, read_number
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.collection import manual
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Payment
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.invoices.store import VISIBLE
from tallystick.rooms.payments import store, views

routes = Routes("payment")


def _amount(value: Any) -> int | None:
    """Cents; None for what is no whole number, which is refused in its turn."""
    number = read_number(value)
    return int(number) if number is not None and number % 1 == 0 and abs(number) <= BIGINT else None


class PaymentInput(Input):
    """Body of create. Its checks have an order that the flow keeps."""

    invoice_id: Label = None
    amount_cents: Annotated[int | None, BeforeValidator(_amount), Shape.ANY] = None
    reference: Text = None
    paid_at: Text = None


@routes.post("/payments", root="payment", model=PaymentInput)
async def create(call: Call, tx: Tx) -> Any:
    """Record a payment of an invoice that came in outside."""
    body = call.read("payment", PaymentInput, drop_nulls=True)
    invoice = await manual.payable_invoice(tx, call.organization_id, body.invoice_id, body.amount_cents)
    made = await manual.record(
        tx,
        invoice,
        call.at,
        amount_cents=body.amount_cents or 0,
        reference=body.reference or "",
        paid_at=replace(call, params=call.root("payment")).instant("paid_at"),
    )
    return await _shown(tx, await tx.get_one(Payment, made))


@routes.get("/payments", query=(*LIST_QUERY, "external_customer_id", "invoice_id"))
async def listing(call: Call, tx: Tx) -> Any:
    """List payments, the newest first."""
    return await _page(call, tx, None)


@routes.get("/customers/{external_customer_id}/payments", query=(*LIST_QUERY, "invoice_id"))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List a customer's payments, the newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_customer_id"))
    return await _page(call, tx, customer.id)


@routes.get("/payments/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a payment."""
    return await _shown(tx, await store.find(tx, call.organization_id, call.path("id")))


async def _shown(tx: Tx, payment: Payment) -> Any:
    return {"payment": (await views.payments(tx, [payment]))[0]}


async def _page(call: Call, tx: Tx, customer_id: uuid.UUID | None) -> Any:
    invoice = call.text("invoice_id")
    invoice_id = parse_id(invoice) if invoice is not None else None
    if invoice is not None and invoice_id is None:
        raise Invalid.field("invoice_id", "is in invalid format")
    statement = store.listing(
        call.organization_id,
        invoice_statuses=VISIBLE,
        customer_id=customer_id,
        external_customer_id=call.text("external_customer_id") if customer_id is None else None,
        invoice_id=invoice_id,
    )
    rows, meta = await fetch_page(tx, statement, call.page)
    return {"payments": await views.payments(tx, rows), "meta": meta}
