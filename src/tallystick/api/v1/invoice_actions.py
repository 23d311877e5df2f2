"""What can be done with an invoice of `/api/v1/invoices` beside showing and changing it (invoicing.md §9, §16, §17)."""

from __future__ import annotations

from typing import Annotated, Any

from starlette.responses import Response

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Label, Number, Shape, read
from tallystick.api.routes import Routes
from tallystick.api.v1.invoices import shown
from tallystick.api.v1.recipients import RECIPIENTS, recipients
from tallystick.api.v1.subscriptions import OrderNumber
from tallystick.core.credit_note import Parts
from tallystick.flows.billing import drafts
from tallystick.flows.billing import regenerate as regenerating
from tallystick.flows.billing.voiding import void as void_invoice
from tallystick.flows.collection import retry as retrying
from tallystick.flows.collection.locked import locked_invoice
from tallystick.flows.mails.resend import resend
from tallystick.flows.usage.marks import mark_invoiced
from tallystick.flows.wire.previews import again
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, NotFound
from tallystick.ground.tables import Invoice
from tallystick.rooms.credit_notes import verbs as credit_notes
from tallystick.rooms.invoices import store, transitions, verbs

routes = Routes("invoice")


@routes.put("/invoices/{id}/refresh")
async def refresh(call: Call, tx: Tx) -> Any:
    """Recompute a draft; an issued invoice is shown as it is."""
    invoice = await _find(call, tx)
    _check_type(invoice)
    await drafts.refresh(tx, {invoice.id: call.at})
    await tx.refresh(invoice)
    return {"invoice": await shown(call, tx, invoice)}


@routes.put("/invoices/{id}/finalize")
async def finalize(call: Call, tx: Tx) -> Any:
    """Issue a draft now."""
    invoice = await _find(call, tx, ("draft",))
    _check_type(invoice)
    if invoice.tax_status == "pending":
        raise Forbidden("cannot_finalize_with_pending_taxes")
    await drafts.refresh(tx, {invoice.id: call.at}, finalize=True)
    await tx.refresh(invoice)
    return {"invoice": await shown(call, tx, invoice)}


@routes.delete("/invoices/{id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a draft; its period is not billed again."""
    invoice = await _locked(call, tx)
    await transitions.delete_draft(tx, invoice, call.at)
    await credit_notes.delete_of_draft(tx, invoice.id, call.at)
    await mark_invoiced(tx, invoice, call.at)
    return {"invoice": await shown(call, tx, invoice)}


@routes.post("/invoices/{id}/void", query=("generate_credit_note", "refund_amount", "credit_amount"))
async def void(call: Call, tx: Tx) -> Any:
    """Void an issued invoice, with a credit note in its place when asked for."""
    invoice = await _find(call, tx)
    noted = None
    if call.flag("generate_credit_note"):
        noted = Parts(credit_cents=call.whole("credit_amount") or 0, refund_cents=call.whole("refund_amount") or 0)
    voided = await void_invoice(tx, invoice, call.at, noted=noted)
    return {"invoice": await shown(call, tx, voided)}


class RegeneratedFeeInput(Input):
    """A line of the voided invoice, or a charge that had none; and what it shall be."""

    id: Label = None
    subscription_id: Label = None
    charge_id: Label = None
    charge_filter_id: Label = None
    units: Number = None
    unit_precise_amount: Number = None
    invoice_display_name: Label = None


class RegenerateInput(Input):
    """Body of a regeneration; it has no root key."""

    fees: Annotated[list[RegeneratedFeeInput] | None, Shape.ARRAY] = None
    purchase_order_number: OrderNumber = None


@routes.post("/invoices/{id}/regenerate", model=RegenerateInput)
async def regenerate(call: Call, tx: Tx) -> Any:
    """Issue an invoice in the place of a voided one, with the lines that are wanted."""
    invoice = await _find(call, tx)
    given = read(RegenerateInput, call.params, drop_nulls=True)
    fields = {**given.given(), "fees": [fee.given() for fee in given.fees or ()]}
    made = await regenerating.regenerate(tx, invoice, call.at, fields)
    return {"invoice": await shown(call, tx, await tx.get_one(Invoice, made))}


@routes.post("/invoices/{id}/regenerate/preview")
async def regenerate_preview(call: Call, tx: Tx) -> Any:
    """The lines of a voided invoice with the taxes of today."""
    invoice = await _find(call, tx)
    return {"fees": await again(tx, invoice, await regenerating.lines_today(tx, invoice))}


@routes.post("/invoices/{id}/lose_dispute")
@routes.put("/invoices/{id}/lose_dispute")
async def lose_dispute(call: Call, tx: Tx) -> Any:
    """Tell that a payment dispute was lost."""
    invoice = await _locked(call, tx)
    await transitions.lose_dispute(tx, invoice, call.at)
    return {"invoice": await shown(call, tx, invoice)}


@routes.post("/invoices/{id}/retry")
async def retry(call: Call, tx: Tx) -> Any:
    """Ask again for the taxes of an invoice that failed."""
    invoice = await _locked(call, tx)
    await transitions.retry(tx, invoice, call.at)
    return {"invoice": await shown(call, tx, invoice)}


@routes.post("/invoices/{id}/retry_payment")
async def retry_payment(call: Call, tx: Tx) -> Any:
    """Try again to collect an invoice."""
    await retrying.retry_payment(tx, await _find(call, tx), call.at)
    return Response()


@routes.post("/invoices/{id}/payment_url")
async def payment_url(call: Call, tx: Tx) -> Any:
    """A page of the payment provider on which the invoice can be paid."""
    await retrying.check_payment_page(tx, await _find(call, tx))


@routes.post("/invoices/{id}/resend_email", query=RECIPIENTS)
async def resend_email(call: Call, tx: Tx) -> Any:
    """Mail an invoice again, to the customer or to other addresses."""
    invoice = await _find(call, tx)
    await resend(tx, invoice, invoice.billing_entity_id, recipients(call), call.at)
    return Response()


@routes.put("/invoices/{id}/sync_salesforce_id")
async def sync_salesforce_id(call: Call, tx: Tx) -> Any:
    """Keep the id of the invoice in another system; no system is connected."""
    await _find(call, tx)
    raise NotFound("integration")


async def _find(call: Call, tx: Tx, statuses: tuple[str, ...] = store.VISIBLE) -> Invoice:
    return await verbs.find(tx, call.organization_id, call.path("id"), statuses)


async def _locked(call: Call, tx: Tx) -> Invoice:
    return await locked_invoice(tx, call.organization_id, call.path("id"))


def _check_type(invoice: Invoice) -> None:
    """Only invoices of subscriptions are computed again (api.md §3.3)."""
    if invoice.invoice_type != "subscription":
        raise Forbidden("feature_unavailable")
