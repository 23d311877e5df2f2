"""`/api/v1/invoices` and a customer's invoices (invoicing.md §17, §24, api.md §15.18): find, list, update, download."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from starlette.responses import Response

from tallystick.api.call import Call
from tallystick.api.inputs import Input, RequiredText, Shape, Text, one_of, refuse
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.invoice_filters import QUERY, read_filters
from tallystick.flows.collection import settle
from tallystick.flows.collection.locked import locked_invoice
from tallystick.flows.documents.annex import annex_key, request_annex
from tallystick.flows.documents.generate import request_documents
from tallystick.flows.wire.invoices import LISTED, SINGLE, invoices
from tallystick.ground.db import Tx
from tallystick.ground.file_links import FileKind, file_url
from tallystick.ground.tables import Invoice, Organization
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.invoices import listing as lists
from tallystick.rooms.invoices import verbs
from tallystick.rooms.invoices.listing import Filters
from tallystick.rooms.invoices.store import TOLD_OF_PAYMENTS

routes = Routes("invoice")

MAX_METADATA = 5


class MetadataInput(Input):
    """One pair of `metadata`."""

    id: Text = None
    key: Annotated[RequiredText, Field(max_length=20)]
    value: Annotated[RequiredText, Field(max_length=140)]


def _few(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MAX_METADATA:
        raise refuse("invalid_count")
    return value


def _distinct_keys(value: list[MetadataInput] | None) -> list[MetadataInput] | None:
    if value is not None and len({item.key for item in value}) < len(value):
        raise refuse("value_is_duplicated")
    return value


class InvoiceInput(Input):
    """Body of an update."""

    payment_status: Annotated[str | None, one_of("pending", "succeeded", "failed"), Shape.SCALAR] = None
    metadata: Annotated[
        list[MetadataInput] | None, BeforeValidator(_few), AfterValidator(_distinct_keys), Shape.ARRAY
    ] = None

    def fields(self) -> dict[str, Any]:
        """The given fields as `settle.update` takes them; nulls change nothing."""
        pairs = None if self.metadata is None else [item.given() for item in self.metadata]
        return {"payment_status": self.payment_status, "metadata": pairs}


@routes.get("/invoices", query=(*LIST_QUERY, *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List invoices by issuing date, the newest first."""
    return await _page(call, tx, await read_filters(call, tx))


@routes.get("/customers/{external_customer_id}/invoices", query=(*LIST_QUERY, *QUERY))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List a customer's invoices by issuing date, the newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_customer_id"))
    return await _page(call, tx, await read_filters(call, tx, customer.id))


@routes.get("/invoices/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find an invoice."""
    invoice = await verbs.find(tx, call.organization_id, call.path("id"))
    return {"invoice": await shown(call, tx, invoice)}


@routes.put("/invoices/{id}", root="invoice", model=InvoiceInput)
async def update(call: Call, tx: Tx) -> Any:
    """Tell that an invoice was paid or not, and replace its metadata."""
    invoice = await locked_invoice(tx, call.organization_id, call.path("id"), TOLD_OF_PAYMENTS)
    await settle.update(tx, invoice, call.at, call.read("invoice", InvoiceInput).fields())
    return {"invoice": await shown(call, tx, invoice)}


@routes.post("/invoices/{id}/download", query=("annex",))
@routes.post("/invoices/{id}/download_pdf", query=("annex",))
async def download(call: Call, tx: Tx) -> Any:
    """The invoice with its `file_url`; an empty answer while the file is being made (api.md §11).

    With `annex` the file is the one that explains each line.
    """
    invoice = await verbs.find(tx, call.organization_id, call.path("id"), ("finalized",))
    if call.flag("annex"):
        return await _annex(call, tx, invoice)
    if invoice.file_key is None or not await call.installation.storage.exists(invoice.file_key):
        await request_documents(tx, [(invoice.organization_id, invoice.id)])
        return Response()
    return {"invoice": await shown(call, tx, invoice, frozenset())}


async def _annex(call: Call, tx: Tx, invoice: Invoice) -> Any:
    if not await call.installation.storage.exists(annex_key(invoice)):
        await request_annex(tx, invoice)
        return Response()
    organization = await tx.get_one(Organization, invoice.organization_id)
    url = call.installation.settings.public_api_url
    address = file_url(invoice.id, organization.hmac_key, url, FileKind.INVOICE_ANNEX)
    return {"invoice": {**await shown(call, tx, invoice, frozenset()), "file_url": address}}


@routes.post("/invoices/{id}/download_xml")
async def download_xml(call: Call, tx: Tx) -> Any:
    """The invoice with the `xml_url` of its e-invoice; an empty answer while there is none (api.md §11)."""
    invoice = await verbs.find(tx, call.organization_id, call.path("id"), ("finalized",))
    if invoice.xml_key is None or not await call.installation.storage.exists(invoice.xml_key):
        await request_documents(tx, [(invoice.organization_id, invoice.id)])
        return Response()
    return {"invoice": await shown(call, tx, invoice, frozenset())}


async def shown(call: Call, tx: Tx, invoice: Invoice, include: frozenset[str] = SINGLE) -> dict[str, Any]:
    """One invoice as answers carry it."""
    url = call.installation.settings.public_api_url
    return (await invoices(tx, [invoice], at=call.at, public_api_url=url, include=include))[0]


async def _page(call: Call, tx: Tx, filters: Filters) -> Any:
    rows, meta = await fetch_page(tx, lists.listing(call.organization_id, filters), call.page)
    url = call.installation.settings.public_api_url
    bodies = await invoices(tx, rows, at=call.at, public_api_url=url, include=LISTED)
    return {"invoices": bodies, "meta": meta}
