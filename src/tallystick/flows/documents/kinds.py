"""What has documents: invoices and credit notes, with all in which they differ. Making files is generate.py's."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from tallystick.flows.wire.credit_notes import SHOWN, credit_notes
from tallystick.flows.wire.invoices import DRAWN, invoices
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.tables import BillingEntity, CreditNote, Customer, Invoice, Organization
from tallystick.rooms.invoices.ports import Documents, Einvoices
from tallystick.rooms.invoices.store import ISSUED

Row = Invoice | CreditNote
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """An issued document with whom it comes from, and how it is to be drawn."""

    row: Row
    entity: BillingEntity
    organization: Organization
    locale: str

    @property
    def marked(self) -> bool:
        """Whether it bears the product's name."""
        return not self.organization.remove_branding_watermark


Render = Callable[..., bytes]
WriteXml = Callable[[Body, Body, str], tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document. `name` is also the kind of its mails; `table` has its rows and names its folder."""

    name: str
    table: str
    task: str
    generated: str
    find: Callable[[Tx, Sequence[uuid.UUID]], Awaitable[list[Found]]]
    bodies: Callable[[Tx, Sequence[Row], str], Awaitable[list[dict[str, Any]]]]
    draw: Callable[[Documents], Render]
    write: Callable[[Einvoices], WriteXml]


async def _invoices(tx: Tx, ids: Sequence[uuid.UUID]) -> list[Found]:
    statement = _issued(select(Invoice, BillingEntity, Organization, Customer.document_locale))
    issued = statement.where(Invoice.id.in_(ids), Invoice.status.in_(ISSUED)).order_by(Invoice.id)
    return [_found(*row) for row in await tx.execute(issued)]


async def _credit_notes(tx: Tx, ids: Sequence[uuid.UUID]) -> list[Found]:
    statement = _issued(
        select(CreditNote, BillingEntity, Organization, Customer.document_locale), CreditNote.invoice_id == Invoice.id
    )
    issued = statement.where(CreditNote.id.in_(ids), CreditNote.status == "finalized").order_by(CreditNote.id)
    return [_found(*row) for row in await tx.execute(issued)]


def _issued(statement: Any, belongs: ColumnElement[bool] | None = None) -> Select[Any]:
    """The issuer, organization and customer of an invoice, or of what belongs to one."""
    statement = statement.join(Invoice, belongs) if belongs is not None else statement
    joined: Select[Any] = (
        statement.join(BillingEntity, BillingEntity.id == Invoice.billing_entity_id)
        .join(Organization, Organization.id == Invoice.organization_id)
        .join(Customer, Customer.id == Invoice.customer_id)
    )
    return joined


def _found(row: Row, entity: BillingEntity, organization: Organization, locale: str | None) -> Found:
    return Found(row, entity, organization, locale or entity.document_locale)


async def _invoice_bodies(tx: Tx, rows: Sequence[Row], url: str) -> list[dict[str, Any]]:
    own = [row for row in rows if isinstance(row, Invoice)]
    now = await now_of(tx, {row.organization_id for row in own})
    return await invoices(tx, own, at=max(now.values()), public_api_url=url, include=DRAWN)


async def _note_bodies(tx: Tx, rows: Sequence[Row], url: str) -> list[dict[str, Any]]:
    """Notes with the taxes of their fees and the day of the invoice that they correct."""
    own = [row for row in rows if isinstance(row, CreditNote)]
    bodies = await credit_notes(tx, own, public_api_url=url, include=SHOWN | {"fee_taxes"})
    statement = select(Invoice.id, Invoice.issuing_date).where(Invoice.id.in_({row.invoice_id for row in own}))
    days = {row.id: row.issuing_date for row in await tx.execute(statement)}
    for row, body in zip(own, bodies, strict=True):
        body["invoice_issuing_date"] = days[row.invoice_id].isoformat()
    return bodies


INVOICES = Kind(
    name="invoice",
    table="invoices",
    task="generate_documents",
    generated="invoice.generated",
    find=_invoices,
    bodies=_invoice_bodies,
    draw=lambda documents: documents.render_invoice,
    write=lambda einvoices: einvoices.invoice_files,
)
CREDIT_NOTES = Kind(
    name="credit_note",
    table="credit_notes",
    task="generate_credit_notes",
    generated="credit_note.generated",
    find=_credit_notes,
    bodies=_note_bodies,
    draw=lambda documents: documents.render_credit_note,
    write=lambda einvoices: einvoices.credit_note_files,
)
KINDS = {kind.name: kind for kind in (INVOICES, CREDIT_NOTES)}
