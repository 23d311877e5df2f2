"""Documents of what was issued: asked for with it, made by a job, stored once, then announced and mailed.

Only the first who notes the key of a PDF announces it. What a document says is decided by who draws it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import TextClause, select, text

from tallystick.flows.documents.kinds import INVOICES, Body, Found, Kind, Row
from tallystick.flows.documents.press import EinvoiceOrder, Made, Order, Press, complain, make_all
from tallystick.flows.mails.jobs import request_mails
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.outbox import Message
from tallystick.ground.tables import BillingEntity, Organization
from tallystick.rooms.mails import store as mails
from tallystick.rooms.organizations import views as organization_views
from tallystick.rooms.organizations.settings import EINVOICING_COUNTRIES

#: documents of one job
CHUNK = 100


async def request_documents(tx: Tx, issued: Sequence[tuple[uuid.UUID, uuid.UUID]], kind: Kind = INVOICES) -> None:
    """Ask for the documents of (organization, subject) pairs, in the transaction that issues them."""
    by_organization: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization_id, subject_id in issued:
        by_organization.setdefault(organization_id, []).append(subject_id)
    if not by_organization:
        return
    rows = await tx.execute(
        select(Organization.id, Organization.sandbox).where(Organization.id.in_(list(by_organization)))
    )
    jobs = [
        Job(kind.task, {"ids": ids[start : start + CHUNK]}, queue_of(organization_id, sandbox))
        for organization_id, sandbox in rows
        for ids in (by_organization[organization_id],)
        for start in range(0, len(ids), CHUNK)
    ]
    await enqueue(tx, jobs)


async def run(press: Press, kind: Kind, ids: Sequence[str]) -> None:
    """The job."""
    await generate_documents(press, [uuid.UUID(text) for text in ids], kind)


async def generate_documents(press: Press, ids: Sequence[uuid.UUID], kind: Kind = INVOICES) -> None:
    """Make the documents that these lack; drafts and what is not issued have none (invoicing.md §21).

    Raises `DocumentsMissing` after all others are done, when one cannot be made.
    """
    async with press.database.begin() as tx:
        orders = await _orders(press, tx, ids, kind)
    made = await make_all(press, orders)
    async with press.database.begin() as tx:
        await _note(tx, made, kind)
        await _mail(press, tx, ids, kind)
    complain(made)


@dataclass(frozen=True, slots=True)
class _Lacking:
    """Something issued that lacks a file."""

    found: Found
    pdf: bool
    xml: bool


async def _orders(press: Press, tx: Tx, ids: Sequence[uuid.UUID], kind: Kind) -> list[Order]:
    """What is still to be made, in a constant number of queries."""
    every = [await _lacking(press, found) for found in await kind.find(tx, ids)]
    lacking = [one for one in every if one.pdf or one.xml]
    if not lacking:
        return []
    url = press.public_api_url
    bodies = await kind.bodies(tx, [one.found.row for one in lacking], url)
    issuers = organization_views.billing_entities([one.found.entity for one in lacking], url)
    return [_order(press, kind, *parts) for parts in zip(lacking, bodies, issuers, strict=True)]


async def _lacking(press: Press, found: Found) -> _Lacking:
    return _Lacking(
        found,
        pdf=press.documents is not None and not await _exists(press, found.row.file_key),
        xml=is_einvoiced(found.entity) and not await _exists(press, found.row.xml_key),
    )


async def _exists(press: Press, key: str | None) -> bool:
    return key is not None and await press.storage.exists(key)


def is_einvoiced(entity: BillingEntity) -> bool:
    """Whether documents of this issuer have e-invoices (integrations.md §11.1)."""
    return entity.einvoicing and entity.country in EINVOICING_COUNTRIES


def _order(press: Press, kind: Kind, lacking: _Lacking, body: Body, issuer: Body) -> Order:
    found = lacking.found
    row, locale = found.row, found.locale

    def draw(archival: bool) -> bytes:
        assert press.documents is not None
        render = kind.draw(press.documents)
        return render(body, issuer, locale, logo=found.entity.logo, marked=found.marked, archival=archival)

    def embed(pdf: bytes, content: bytes) -> bytes:
        return press.einvoices.embed(pdf, content, row.number, issuer, locale)

    einvoice = None
    if is_einvoiced(found.entity) and (body.get("fees") or body.get("items")):  # an e-invoice has lines
        write = partial(kind.write(press.einvoices), body, issuer, locale)
        einvoice = EinvoiceOrder(file_key(kind, row, "xml") if lacking.xml else None, write, embed)
    return Order(row.id, file_key(kind, row) if lacking.pdf else None, draw, einvoice)


def file_key(kind: Kind, row: Row, form: str = "pdf") -> str:
    """Where a file is kept."""
    return f"{kind.table}/{row.organization_id}/{row.id}.{form}"


async def _mail(press: Press, tx: Tx, ids: Sequence[uuid.UUID], kind: Kind) -> None:
    """Mails that waited for these documents may go; without PDFs they go alone (dunning.md §7.2)."""
    found = await kind.find(tx, ids)
    ready = [one.row.id for one in found if press.documents is None or one.row.file_key is not None]
    await request_mails(tx, await mails.queue_waiting(tx, kind.name, ready))


async def _note(tx: Tx, made: Sequence[Made], kind: Kind) -> None:
    """Note where files lie, and announce the PDFs of those that had none before (webhooks.md §2.2)."""
    xml = [one for one in made if one.xml_key is not None]
    keys = {"ids": [one.subject_id for one in xml], "keys": [one.xml_key for one in xml]}
    await tx.execute(_noting(kind.table, "xml_key"), keys)
    pdf = [one for one in made if one.pdf_key is not None]
    keys = {"ids": [one.subject_id for one in pdf], "keys": [one.pdf_key for one in pdf]}
    noted = await tx.execute(_noting(kind.table, "file_key"), keys)
    pairs = [(organization_id, subject_id) for organization_id, subject_id in noted]
    now = await now_of(tx, {organization_id for organization_id, _ in pairs})
    await outbox.emit(
        tx,
        [
            Message(organization_id, kind.generated, subject_id, now[organization_id])
            for organization_id, subject_id in sorted(pairs)
        ],
    )


def _noting(table: str, column: str) -> TextClause:
    return text(f"""
        update {table} d set {column} = f.key
        from unnest(cast(:ids as uuid[]), cast(:keys as text[])) as f(id, key)
        where d.id = f.id and d.{column} is null
        returning d.organization_id, d.id
    """)
