"""`POST /api/v1/invoices`: one-off invoices (invoicing.md §11)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import (
    Codes,
    Currency,
    Flag,
    Input,
    Label,
    Number,
    Object,
    Shape,
    Whole,
    instant_or_none,
)
from tallystick.api.routes import Routes
from tallystick.api.v1.invoice_custom_sections import SelectionInput
from tallystick.api.v1.invoices import shown
from tallystick.api.v1.subscriptions import OrderNumber
from tallystick.flows.billing.one_off import bill_once
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.tables import Invoice

routes = Routes("invoice")


class LineInput(Input):
    """One fee of a one-off invoice."""

    add_on_code: Label = None
    unit_amount_cents: Whole = None
    units: Number = None
    invoice_display_name: Label = None
    description: Label = None
    tax_codes: Codes = None
    from_datetime: Label = None
    to_datetime: Label = None

    def fields(self) -> dict[str, Any]:
        """The line as `bill_once` takes it; 422 `boundaries` for what is no instant."""
        moments = {}
        for name in ("from_datetime", "to_datetime"):
            text = getattr(self, name)
            moments[name] = instant_or_none(text) if text is not None else None
            if text is not None and moments[name] is None:
                raise Invalid.field("boundaries", "values_are_invalid")
        return {**self.given(), **moments}


class OneOffInput(Input):
    """Body of create."""

    external_customer_id: Label = None
    currency: Currency = None
    fees: Annotated[list[LineInput] | None, Shape.ARRAY] = None
    skip_psp: Flag = None
    billing_entity_code: Label = None
    purchase_order_number: OrderNumber = None
    payment_method: Object = None
    invoice_custom_section: Annotated[SelectionInput | None, Shape.OBJECT] = None


@routes.post("/invoices", root="invoice", model=OneOffInput)
async def create(call: Call, tx: Tx) -> Any:
    """Bill add-ons once."""
    given = call.read("invoice", OneOffInput, drop_nulls=True)
    fields = {**given.given(), "fees": [line.fields() for line in given.fees or ()]}
    if given.invoice_custom_section is not None:
        fields["invoice_custom_section"] = given.invoice_custom_section.given()
    invoice_id = await bill_once(tx, call.organization_id, call.at, given.external_customer_id or "", fields)
    invoice = await tx.get_one(Invoice, invoice_id)
    return {"invoice": await shown(call, tx, invoice)}
