"""`POST /api/v1/invoices/preview`: what an invoice would be; nothing is stored (invoicing.md §18)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.addresses import Address
from tallystick.api.call import Call
from tallystick.api.inputs import (
    Codes,
    Currency,
    Input,
    Label,
    Moment,
    Number,
    Shape,
    Text,
    Timezone,
    Whole,
    instant_or_none,
    one_of,
    read,
)
from tallystick.api.routes import Routes
from tallystick.api.v1.customer_input import IntegrationCustomerInput
from tallystick.flows.billing.preview.asked import Asked, CouponAsked
from tallystick.flows.billing.preview.look import look
from tallystick.flows.wire.previews import preview
from tallystick.ground.db import Tx
from tallystick.ground.errors import BadRequest, Invalid

routes = Routes("invoice")


class PreviewedCustomer(Address):
    """A known customer by its external id, with other values where given; or one that does not exist yet."""

    external_id: Label = None
    name: Text = None
    tax_identification_number: Text = None
    currency: Currency = None
    timezone: Timezone = None
    shipping_address: Annotated[Address | None, Shape.OBJECT] = None
    integration_customers: Annotated[list[IntegrationCustomerInput] | None, Shape.ARRAY] = None

    def columns(self) -> dict[str, Any]:
        """The given columns."""
        given = self.given()
        shipping = given.pop("shipping_address", None)
        given.pop("integration_customers", None)
        address = shipping.given() if shipping is not None else {}
        return {**given, **{f"shipping_{name}": value for name, value in address.items()}}


class PreviewedSubscriptions(Input):
    """Running subscriptions, and what shall happen to them."""

    external_ids: Codes = None
    plan_code: Label = None
    terminated_at: Annotated[Any, Shape.SCALAR] = None


class PreviewedCoupon(Input):
    """A coupon by its code, or a definition."""

    code: Label = None
    name: Label = None
    coupon_type: Annotated[str | None, one_of("fixed_amount", "percentage"), Shape.SCALAR] = None
    amount_cents: Whole = None
    amount_currency: Currency = None
    percentage_rate: Number = None
    frequency: Annotated[str | None, one_of("once", "recurring", "forever"), Shape.SCALAR] = None
    frequency_duration: Whole = None

    def asked(self) -> CouponAsked:
        """The coupon to try; 422 for amounts and rates below nothing."""
        for name in ("amount_cents", "percentage_rate", "frequency_duration"):
            if (getattr(self, name) or 0) < 0:
                raise Invalid.field(name, "value_is_out_of_range")
        return CouponAsked(**{name: value for name, value in self.given().items() if value is not None})


class PreviewInput(Input):
    """Body of a preview; it has no root key."""

    customer: Annotated[PreviewedCustomer | None, Shape.OBJECT] = None
    plan_code: Label = None
    billing_time: Annotated[str | None, one_of("calendar", "anniversary"), Shape.SCALAR] = None
    subscription_at: Moment = None
    subscriptions: Annotated[PreviewedSubscriptions | None, Shape.OBJECT] = None
    coupons: Annotated[list[PreviewedCoupon] | None, Shape.ARRAY] = None
    billing_entity_code: Label = None

    def asked(self) -> Asked:
        """What is to be looked at; 422 `terminated_at` for what is no instant."""
        of = self.subscriptions or PreviewedSubscriptions()
        ends_at = None
        if of.terminated_at not in (None, ""):
            ends_at = instant_or_none(of.terminated_at)
            if ends_at is None:
                raise Invalid.field("terminated_at", "invalid_timestamp")
        return Asked(
            customer=self.customer.columns() if self.customer else {},
            plan_code=self.plan_code,
            billing_time=self.billing_time or "calendar",
            subscription_at=self.subscription_at,
            external_ids=of.external_ids or (),
            terminated_at=ends_at,
            new_plan_code=of.plan_code,
            coupons=[coupon.asked() for coupon in self.coupons or ()],
            billing_entity_code=self.billing_entity_code,
        )


@routes.post("/invoices/preview", model=PreviewInput)
async def look_ahead(call: Call, tx: Tx) -> Any:
    """Show an invoice that is not made: of a new subscription, an end, a change of plan, or the next period."""
    for name, shape, sentence in (
        ("coupons", list, "coupons_must_be_an_array"),
        ("subscriptions", dict, "subscriptions_must_be_an_object"),
    ):
        if not isinstance(call.params.get(name), shape | None):
            raise BadRequest(sentence)
    asked = read(PreviewInput, call.params, drop_nulls=True).asked()
    seen = await look(tx, call.organization_id, asked, call.at)
    return {"invoice": await preview(tx, seen, call.at, call.installation.settings.public_api_url)}
