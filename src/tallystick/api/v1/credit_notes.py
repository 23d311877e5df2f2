"""`/api/v1/credit_notes` and a customer's credit notes (credits.md §3.2): create, estimate, find, list, void."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from starlette.responses import Response

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Object, Shape, Text, Whole, one_of, read_number
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.credit_note_filters import QUERY, read_filters
from tallystick.api.v1.recipients import RECIPIENTS, recipients
from tallystick.flows.billing.credit_notes.create import Asked, create, estimate_note
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.documents.generate import request_documents
from tallystick.flows.documents.kinds import CREDIT_NOTES
from tallystick.flows.mails.resend import resend
from tallystick.flows.wire.credit_notes import SHOWN, credit_notes
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote, Invoice
from tallystick.rooms.credit_notes import listing as lists
from tallystick.rooms.credit_notes import verbs, views
from tallystick.rooms.credit_notes.listing import Filters
from tallystick.rooms.customers import verbs as customers

routes = Routes("credit_note")


def _array(value: Any) -> Any:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else None


#: what is no list is refused after the invoice is known (credits.md §3.3)
Items = Annotated[list[dict[str, Any]] | None, BeforeValidator(_array), Shape.ANY]
Amount = Annotated[Whole, Field(ge=0)]


class EstimateInput(Input):
    """Body of an estimate."""

    invoice_id: Text = None
    items: Items = None

    def asked(self) -> list[Asked] | None:
        """The items as `create` takes them; None when they are no list."""
        if self.items is None:
            return None
        return [Asked(str(item.get("fee_id") or ""), read_number(item.get("amount_cents"))) for item in self.items]


class CreditNoteInput(EstimateInput):
    """Body of create."""

    reason: Annotated[str | None, one_of(*verbs.REASONS), Shape.SCALAR] = None
    description: Text = None
    credit_amount_cents: Amount = None
    refund_amount_cents: Amount = None
    offset_amount_cents: Amount = None
    metadata: Object = None


class CreditNoteUpdateInput(Input):
    """Body of an update."""

    refund_status: Annotated[str | None, one_of(*verbs.REFUND_STATUSES), Shape.SCALAR] = None
    metadata: Object = None


@routes.post("/credit_notes", root="credit_note", model=CreditNoteInput)
async def creation(call: Call, tx: Tx) -> Any:
    """Give back a part of an invoice: as credit, as refund, or off what is due of it."""
    body = call.read("credit_note", CreditNoteInput, drop_nulls=True)
    note = await create(tx, call.organization_id, call.at, body.invoice_id or "", body.asked(), body.given())
    return await _shown(call, tx, note)


@routes.post("/credit_notes/estimate", root="credit_note", model=EstimateInput)
async def estimation(call: Call, tx: Tx) -> Any:
    """What a credit note over some items would be."""
    body = call.read("credit_note", EstimateInput, drop_nulls=True)
    subject, found = await estimate_note(tx, call.organization_id, body.invoice_id or "", body.asked())
    return {"estimated_credit_note": views.estimated(subject, found)}


@routes.get("/credit_notes", query=(*LIST_QUERY, "external_customer_id", *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List credit notes, the newest first."""
    return await _page(call, tx, await read_filters(call, tx))


@routes.get("/customers/{external_customer_id}/credit_notes", query=(*LIST_QUERY, *QUERY))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List a customer's credit notes, the newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_customer_id"))
    return await _page(call, tx, await read_filters(call, tx, customer.id))


@routes.get("/credit_notes/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a credit note."""
    return await _shown(call, tx, await verbs.find(tx, call.organization_id, call.path("id")))


@routes.put("/credit_notes/{id}", root="credit_note", model=CreditNoteUpdateInput)
async def update(call: Call, tx: Tx) -> Any:
    """Tell what became of a refund, and add to the metadata of a credit note."""
    note = await _locked(call, tx)
    await verbs.update(tx, note, call.at, call.read("credit_note", CreditNoteUpdateInput).given())
    return await _shown(call, tx, note)


@routes.put("/credit_notes/{id}/void")
async def void(call: Call, tx: Tx) -> Any:
    """Void what is left of the credit of a credit note."""
    note = await _locked(call, tx)
    await verbs.void(tx, note, call.at)
    return await _shown(call, tx, note)


@routes.post("/credit_notes/{id}/download")
@routes.post("/credit_notes/{id}/download_pdf")
async def download(call: Call, tx: Tx) -> Any:
    """The credit note with its `file_url`; an empty answer while the file is being made (api.md §11)."""
    note = await verbs.find(tx, call.organization_id, call.path("id"))
    return await _with_file(call, tx, note, note.file_key)


@routes.post("/credit_notes/{id}/download_xml")
async def download_xml(call: Call, tx: Tx) -> Any:
    """The credit note with the `xml_url` of its e-invoice; an empty answer while there is none (api.md §11)."""
    note = await verbs.find(tx, call.organization_id, call.path("id"))
    return await _with_file(call, tx, note, note.xml_key)


async def _with_file(call: Call, tx: Tx, note: CreditNote, key: str | None) -> Any:
    if key is None or not await call.installation.storage.exists(key):
        await request_documents(tx, [(note.organization_id, note.id)], CREDIT_NOTES)
        return Response()
    return await _shown(call, tx, note, frozenset())


@routes.post("/credit_notes/{id}/resend_email", query=RECIPIENTS)
async def resend_email(call: Call, tx: Tx) -> Any:
    """Mail a credit note again, to the customer or to other addresses."""
    note = await verbs.find(tx, call.organization_id, call.path("id"))
    invoice = await tx.get_one(Invoice, note.invoice_id)
    await resend(tx, note, invoice.billing_entity_id, recipients(call), call.at)
    return Response()


async def _locked(call: Call, tx: Tx) -> CreditNote:
    """The note, locked after its customer: everything that moves money locks in this order."""
    note = await verbs.find(tx, call.organization_id, call.path("id"))
    await lock_customers(tx, [note.customer_id])
    return await verbs.find(tx, call.organization_id, call.path("id"), lock=True)


async def _shown(call: Call, tx: Tx, note: CreditNote, include: frozenset[str] = SHOWN) -> Any:
    """One note as answers carry it."""
    return {"credit_note": (await credit_notes(tx, [note], public_api_url=_url(call), include=include))[0]}


def _url(call: Call) -> str:
    return call.installation.settings.public_api_url


async def _page(call: Call, tx: Tx, filters: Filters) -> Any:
    rows, meta = await fetch_page(tx, lists.listing(call.organization_id, filters), call.page)
    return {"credit_notes": await credit_notes(tx, rows, public_api_url=_url(call)), "meta": meta}
