"""`/api/v1/coupons` (credits.md §1.1)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import (
    Code,
    Codes,
    Currency,
    Flag,
    Input,
    Label,
    Moment,
    Number,
    Shape,
    SmallWhole,
    Text,
    Whole,
    one_of,
)
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.rooms.coupons import store, verbs, views
from tallystick.rooms.coupons.terms import EXPIRATIONS, FREQUENCIES, TYPES

routes = Routes("coupon")


class AppliesTo(Input):
    """What a coupon is limited to: plans or metrics."""

    plan_codes: Codes = None
    billable_metric_codes: Codes = None


class CouponInput(Input):
    """Body of create and update."""

    name: Label = None
    code: Code = None
    description: Text = None
    coupon_type: Annotated[str | None, one_of(*TYPES), Shape.SCALAR] = None
    amount_cents: Whole = None
    amount_currency: Currency = None
    percentage_rate: Number = None
    frequency: Annotated[str | None, one_of(*FREQUENCIES), Shape.SCALAR] = None
    frequency_duration: SmallWhole = None
    expiration: Annotated[str | None, one_of(*EXPIRATIONS), Shape.SCALAR] = None
    expiration_at: Moment = None
    reusable: Flag = None
    applies_to: Annotated[AppliesTo | None, Shape.OBJECT] = None

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, as the room takes them."""
        given = self.given()
        if self.applies_to is not None:
            given["applies_to"] = self.applies_to.given()
        return given


@routes.post("/coupons", root="coupon", model=CouponInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a coupon."""
    fields = call.read("coupon", CouponInput, drop_nulls=True).fields()
    coupon = await verbs.create(tx, call.organization_id, call.at, fields)
    return {"coupon": (await views.coupons(tx, [coupon]))[0]}


@routes.get("/coupons", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List coupons: active ones first, those that end soonest before the others."""
    rows, meta = await fetch_page(tx, store.listing(call.organization_id), call.page)
    return {"coupons": await views.coupons(tx, rows), "meta": meta}


@routes.get("/coupons/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a coupon by its code."""
    coupon = await verbs.find(tx, call.organization_id, call.path("code"))
    return {"coupon": (await views.coupons(tx, [coupon]))[0]}


@routes.put("/coupons/{code}", root="coupon", model=CouponInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a coupon; one that was ever applied keeps its amounts and limits."""
    coupon = await verbs.find(tx, call.organization_id, call.path("code"), lock=True)
    await verbs.update(tx, coupon, call.at, call.read("coupon", CouponInput).fields())
    return {"coupon": (await views.coupons(tx, [coupon]))[0]}


@routes.delete("/coupons/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a coupon and end it for all customers that have it."""
    coupon = await verbs.find(tx, call.organization_id, call.path("code"), lock=True)
    body = (await views.coupons(tx, [coupon]))[0]
    await verbs.delete(tx, coupon, call.at)
    return {"coupon": body}
