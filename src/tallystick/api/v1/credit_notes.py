"""`/api/v1/credit_notes` and a customer's credit notes (credits.md §3.2): create, estimate, find, list, void."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Object, Shape, Text, Whole, one_of, read_number, refuse
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.credit_note_filters import QUERY, read_filters
from tallystick.flows.billing.credit_notes.create import Asked, create, estimate_note
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.wire.credit_notes import SHOWN, credit_notes
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote
from tallystick.rooms.credit_notes import listing as lists
from tallystick.rooms.credit_notes import verbs, views
from tallystick.rooms.credit_notes.listing import Filters
from tallystick.rooms.customers import verbs as customers

routes = Routes("credit_note")


def _array(value: Any) -> Any:
    if not isinstance(value, list):
        raise refuse("must_be_an_array")
    return [item if isinstance(item, dict) else {} for item in value]


Items = Annotated[list[dict[str, Any]], BeforeValidator(_array), Field(validate_default=True), Shape.ANY]
Amount = Annotated[Whole, Field(ge=0)]


class EstimateInput(Input):
    """Body of an estimate."""

    invoice_id: Text = None
    items: Items = None  # type: ignore[assignment]

    def asked(self) -> list[Asked]:
        """The items as `create` takes them."""
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
    return await _shown(tx, note)


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
    return await _shown(tx, await verbs.find(tx, call.organization_id, call.path("id")))


@routes.put("/credit_notes/{id}", root="credit_note", model=CreditNoteUpdateInput)
async def update(call: Call, tx: Tx) -> Any:
    """Tell what became of a refund, and add to the metadata of a credit note."""
    note = await _locked(call, tx)
    await verbs.update(tx, note, call.at, call.read("credit_note", CreditNoteUpdateInput).given())
    return await _shown(tx, note)


@routes.put("/credit_notes/{id}/void")
async def void(call: Call, tx: Tx) -> Any:
    """Void what is left of the credit of a credit note."""
    note = await _locked(call, tx)
    await verbs.void(tx, note, call.at)
    return await _shown(tx, note)


async def _locked(call: Call, tx: Tx) -> CreditNote:
    """The note, locked after its customer: everything that moves money locks in this order."""
    note = await verbs.find(tx, call.organization_id, call.path("id"))
    await lock_customers(tx, [note.customer_id])
    return await verbs.find(tx, call.organization_id, call.path("id"), lock=True)


async def _shown(tx: Tx, note: CreditNote, include: frozenset[str] = SHOWN) -> Any:
    """One note as answers carry it."""
    return {"credit_note": (await credit_notes(tx, [note], include=include))[0]}


async def _page(call: Call, tx: Tx, filters: Filters) -> Any:
    rows, meta = await fetch_page(tx, lists.listing(call.organization_id, filters), call.page)
    return {"credit_notes": await credit_notes(tx, rows), "meta": meta}
