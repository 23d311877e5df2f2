"""The PDF documents of issued invoices: asked for with the invoice, made by a job, stored once, then announced.

Safe to repeat and to be killed at any instruction: the same invoice gives the same bytes under the same key, and only
the first who notes the key sends `invoice.generated`. What a document says is decided by who draws it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select, text

from tallystick.flows.wire.invoices import DRAWN, invoices
from tallystick.ground import outbox
from tallystick.ground.db import Database, Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.outbox import Message
from tallystick.ground.storage import Storage
from tallystick.ground.tables import BillingEntity, Customer, Invoice, Organization
from tallystick.rooms.invoices.ports import Documents
from tallystick.rooms.invoices.store import ISSUED
from tallystick.rooms.organizations import views as organization_views

log = structlog.get_logger(__name__)

TASK = "generate_documents"
#: invoices of one job
CHUNK = 100


@dataclass(frozen=True, slots=True)
class Press:
    """What it takes to make documents. `documents` is None when the installation makes none."""

    database: Database
    storage: Storage
    documents: Documents | None
    public_api_url: str
    #: drawing leaves the event loop alone; each thread has its own compiler, so there are few
    threads: ThreadPoolExecutor

    async def run(self, invoice_ids: Sequence[str]) -> None:
        """The job."""
        await generate_documents(self, [uuid.UUID(text) for text in invoice_ids])


class DocumentsMissing(RuntimeError):
    """Some documents of a job could not be made; the others are done."""


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


@dataclass(frozen=True, slots=True)
class _Order:
    """One document to be drawn: what goes into it and the key under which it is kept."""

    invoice_id: uuid.UUID
    key: str
    invoice: Mapping[str, Any]
    issuer: Mapping[str, Any]
    locale: str
    logo: bytes | None


async def generate_documents(press: Press, invoice_ids: Sequence[uuid.UUID]) -> None:
    """Make the documents that these invoices lack; drafts and what is not issued have none (invoicing.md §21).

    Raises `DocumentsMissing` after all others are done, when one cannot be made.
    """
    if press.documents is None:
        return
    async with press.database.begin() as tx:
        orders = await _orders(press, tx, invoice_ids)
    results = await asyncio.gather(*(_make(press, order) for order in orders), return_exceptions=True)
    made = [order for order, result in zip(orders, results, strict=True) if result is None]
    if made:
        async with press.database.begin() as tx:
            await _note(tx, made)
    failures = [(order, result) for order, result in zip(orders, results, strict=True) if result is not None]
    for order, failure in failures:
        log.error("a document cannot be made", invoice_id=str(order.invoice_id), exc_info=failure)
    if failures:
        raise DocumentsMissing(f"{len(failures)} of {len(orders)}") from failures[0][1]


async def _orders(press: Press, tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[_Order]:
    """What is still to be drawn, in a constant number of queries."""
    statement = (
        select(Invoice, BillingEntity, Customer.document_locale)
        .join(BillingEntity, BillingEntity.id == Invoice.billing_entity_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(Invoice.id.in_(invoice_ids), Invoice.status.in_(ISSUED))
        .order_by(Invoice.id)
    )
    found = [
        (row, entity, locale)
        for row, entity, locale in await tx.execute(statement)
        if row.file_key is None or not await press.storage.exists(row.file_key)
    ]
    if not found:
        return []
    now = await now_of(tx, {row.organization_id for row, _, _ in found})
    rows = [row for row, _, _ in found]
    bodies = await invoices(tx, rows, at=max(now.values()), public_api_url=press.public_api_url, include=DRAWN)
    issuers = organization_views.billing_entities([entity for _, entity, _ in found], press.public_api_url)
    return [
        _Order(row.id, file_key(row), body, issuer, locale or entity.document_locale, entity.logo)
        for (row, entity, locale), body, issuer in zip(found, bodies, issuers, strict=True)
    ]


def file_key(row: Invoice) -> str:
    """Where the PDF of an invoice is kept."""
    return f"invoices/{row.organization_id}/{row.id}.pdf"


async def _make(press: Press, order: _Order) -> None:
    assert press.documents is not None
    content = await asyncio.get_running_loop().run_in_executor(press.threads, _draw, press.documents, order)
    await press.storage.put(order.key, content)


def _draw(documents: Documents, order: _Order) -> bytes:
    return documents.render_invoice(order.invoice, order.issuer, order.locale, logo=order.logo)


async def _note(tx: Tx, made: Sequence[_Order]) -> None:
    """Note where files lie and announce those that had none before (webhooks.md §2.2)."""
    noted = await tx.execute(
        _NOTE, {"ids": [order.invoice_id for order in made], "keys": [order.key for order in made]}
    )
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
