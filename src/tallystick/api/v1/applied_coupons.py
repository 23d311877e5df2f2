"""`/api/v1/applied_coupons`, and the applied coupons of one customer (credits.md §1.2)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Currency, Input, Label, Number, Shape, SmallWhole, Whole, one_of
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.flows.lifecycle import coupons as lifecycle
from tallystick.flows.wire.applied_coupons import applied_coupons
from tallystick.ground.db import Tx
from tallystick.rooms.coupons import applied
from tallystick.rooms.coupons.terms import FREQUENCIES
from tallystick.rooms.customers import verbs as customers

routes = Routes("applied_coupon")

OF_CUSTOMER = ("status", "coupon_code[]")


class AppliedCouponInput(Input):
    """Body of create: the coupon, the customer, and terms that differ from the coupon's."""

    external_customer_id: Label = None
    coupon_code: Label = None
    amount_cents: Whole = None
    amount_currency: Currency = None
    percentage_rate: Number = None
    frequency: Annotated[str | None, one_of(*FREQUENCIES), Shape.SCALAR] = None
    frequency_duration: SmallWhole = None


@routes.post("/applied_coupons", root="applied_coupon", model=AppliedCouponInput)
async def create(call: Call, tx: Tx) -> Any:
    """Apply a coupon to a customer."""
    body = call.read("applied_coupon", AppliedCouponInput, drop_nulls=True)
    row = await lifecycle.apply(
        tx, call.organization_id, call.at, body.external_customer_id or "", body.coupon_code or "", body.given()
    )
    return {"applied_coupon": (await applied_coupons(tx, [row]))[0]}


@routes.get("/applied_coupons", query=(*LIST_QUERY, "external_customer_id", *OF_CUSTOMER))
async def listing(call: Call, tx: Tx) -> Any:
    """List applied coupons, newest first."""
    statement = applied.listing(
        call.organization_id,
        external_customer_id=call.text("external_customer_id"),
        status=call.text("status"),
        coupon_codes=call.texts("coupon_code"),
    )
    rows, meta = await fetch_page(tx, statement, call.page)
    return {"applied_coupons": await applied_coupons(tx, rows, with_credits=True), "meta": meta}


@routes.get("/customers/{external_id}/applied_coupons", query=(*LIST_QUERY, *OF_CUSTOMER))
async def of_customer(call: Call, tx: Tx) -> Any:
    """List the applied coupons of a customer, newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_id"))
    statement = applied.listing(
        call.organization_id,
        customer_id=customer.id,
        status=call.text("status"),
        coupon_codes=call.texts("coupon_code"),
    )
    rows, meta = await fetch_page(tx, statement, call.page)
    return {"applied_coupons": await applied_coupons(tx, rows, with_credits=True), "meta": meta}


@routes.delete("/customers/{external_id}/applied_coupons/{applied_coupon_id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """End an applied coupon of a customer."""
    row = await lifecycle.remove(
        tx, call.organization_id, call.at, call.path("external_id"), call.path("applied_coupon_id")
    )
    return {"applied_coupon": (await applied_coupons(tx, [row]))[0]}
