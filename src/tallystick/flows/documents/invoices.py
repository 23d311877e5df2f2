"""Documents of issued invoices: asked for with the invoice, made by a job, stored once, then announced.

Only the first who notes the key of a PDF sends `invoice.generated`. What a document says is decided by who draws it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select, text

from tallystick.flows.documents.press import EinvoiceOrder, Made, Order, Press, complain, make_all
from tallystick.flows.mails.jobs import request_mails
from tallystick.flows.wire.invoices import DRAWN, invoices
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.outbox import Message
from tallystick.ground.tables import BillingEntity, Customer, Invoice, Organization
from tallystick.rooms.invoices.store import ISSUED
from tallystick.rooms.mails import store as mails
from tallystick.rooms.organizations import views as organization_views
from tallystick.rooms.organizations.settings import EINVOICING_COUNTRIES

TASK = "generate_documents"
#: invoices of one job
CHUNK = 100


async def request_documents(tx: Tx, invoices: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Ask for the documents of (organization, invoice) pairs, in the transaction that issues them."""
    by_organization: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization_id, invoice_id in invoices:
        by_organization.setdefault(organization_id, []).append(invoice_id)
    if not by_organization:
        return
    rows = await tx.execute(
        select(Organization.id, Organization.sandbox).where(Organization.id.in_(list(by_organization)))
    )
    jobs = [
        Job(TASK, {"invoice_ids": ids[start : start + CHUNK]}, queue_of(organization_id, sandbox))
        for organization_id, sandbox in rows
        for ids in (by_organization[organization_id],)
        for start in range(0, len(ids), CHUNK)
    ]
    await enqueue(tx, jobs)


async def run(press: Press, invoice_ids: Sequence[str]) -> None:
    """The job."""
    await generate_documents(press, [uuid.UUID(text) for text in invoice_ids])


async def generate_documents(press: Press, invoice_ids: Sequence[uuid.UUID]) -> None:
    """Make the documents that these invoices lack; drafts and what is not issued have none (invoicing.md §21).

    Raises `DocumentsMissing` after all others are done, when one cannot be made.
    """
    async with press.database.begin() as tx:
        orders = await _orders(press, tx, invoice_ids)
    made = await make_all(press, orders)
    async with press.database.begin() as tx:
        await _note(tx, made)
        await _mail(press, tx, invoice_ids)
    complain(made)


@dataclass(frozen=True, slots=True)
class _Lacking:
    """An issued invoice that lacks a file, with its issuer and the locale of its customer."""

    row: Invoice
    entity: BillingEntity
    locale: str
    marked: bool
    pdf: bool
    xml: bool


async def _orders(press: Press, tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[Order]:
    """What is still to be made, in a constant number of queries."""
    found = [one for one in await _issued(press, tx, invoice_ids) if one.pdf or one.xml]
    if not found:
        return []
    now = await now_of(tx, {one.row.organization_id for one in found})
    rows = [one.row for one in found]
    bodies = await invoices(tx, rows, at=max(now.values()), public_api_url=press.public_api_url, include=DRAWN)
    issuers = organization_views.billing_entities([one.entity for one in found], press.public_api_url)
    return [_order(press, *parts) for parts in zip(found, bodies, issuers, strict=True)]


async def _issued(press: Press, tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[_Lacking]:
    statement = (
        select(Invoice, BillingEntity, Customer.document_locale, Organization.remove_branding_watermark)
        .join(BillingEntity, BillingEntity.id == Invoice.billing_entity_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Organization, Organization.id == Invoice.organization_id)
        .where(Invoice.id.in_(invoice_ids), Invoice.status.in_(ISSUED))
        .order_by(Invoice.id)
    )
    return [
        _Lacking(
            row,
            entity,
            locale or entity.document_locale,
            marked=not unmarked,
            pdf=press.documents is not None and not await _exists(press, row.file_key),
            xml=is_einvoiced(entity) and not await _exists(press, row.xml_key),
        )
        for row, entity, locale, unmarked in await tx.execute(statement)
    ]


async def _exists(press: Press, key: str | None) -> bool:
    return key is not None and await press.storage.exists(key)


def is_einvoiced(entity: BillingEntity) -> bool:
    """Whether documents of this issuer have e-invoices (integrations.md §11.1)."""
    return entity.einvoicing and entity.country in EINVOICING_COUNTRIES


def _order(press: Press, lacking: _Lacking, invoice: Mapping[str, Any], issuer: Mapping[str, Any]) -> Order:
    row, locale = lacking.row, lacking.locale

    def draw(archival: bool) -> bytes:
        assert press.documents is not None
        return press.documents.render_invoice(
            invoice, issuer, locale, logo=lacking.entity.logo, marked=lacking.marked, archival=archival
        )

    def embed(pdf: bytes, content: bytes) -> bytes:
        return press.einvoices.embed(pdf, content, row.number, issuer, locale)

    einvoice = None
    if is_einvoiced(lacking.entity) and invoice["fees"]:  # an e-invoice has lines
        write = partial(press.einvoices.invoice_files, invoice, issuer, locale)
        einvoice = EinvoiceOrder(file_key(row, "xml") if lacking.xml else None, write, embed)
    return Order(row.id, file_key(row) if lacking.pdf else None, draw, einvoice)


def file_key(row: Invoice, kind: str = "pdf") -> str:
    """Where a file of an invoice is kept."""
    return f"invoices/{row.organization_id}/{row.id}.{kind}"


async def _mail(press: Press, tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> None:
    """Mails that waited for these documents may go; without PDFs they go alone (dunning.md §7.2)."""
    ready = select(Invoice.id).where(Invoice.id.in_(invoice_ids))
    if press.documents is not None:
        ready = ready.where(Invoice.file_key.is_not(None))
    await request_mails(tx, await mails.queue_waiting(tx, "invoice", list(await tx.scalars(ready))))


async def _note(tx: Tx, made: Sequence[Made]) -> None:
    """Note where files lie, and announce the PDFs of those that had none before (webhooks.md §2.2)."""
    xml = [one for one in made if one.xml_key is not None]
    await tx.execute(_NOTE_XML, {"ids": [one.subject_id for one in xml], "keys": [one.xml_key for one in xml]})
    pdf = [one for one in made if one.pdf_key is not None]
    noted = await tx.execute(_NOTE, {"ids": [one.subject_id for one in pdf], "keys": [one.pdf_key for one in pdf]})
    pairs = [(organization_id, invoice_id) for organization_id, invoice_id in noted]
    now = await now_of(tx, {organization_id for organization_id, _ in pairs})
    await outbox.emit(
        tx,
        [
            Message(organization_id, "invoice.generated", invoice_id, now[organization_id])
            for organization_id, invoice_id in sorted(pairs)
        ],
    )


_NOTE = text("""
    update invoices i set file_key = f.key
    from unnest(cast(:ids as uuid[]), cast(:keys as text[])) as f(id, key)
    where i.id = f.id and i.file_key is null
    returning i.organization_id, i.id
""")

_NOTE_XML = text("""
    update invoices i set xml_key = f.key
    from unnest(cast(:ids as uuid[]), cast(:keys as text[])) as f(id, key)
    where i.id = f.id and i.xml_key is null
""")
