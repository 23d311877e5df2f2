"""The list of invoices with its filters (api.md §6). Checks of what callers send are the door's work."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from tallystick.ground import search
from tallystick.ground.tables import Customer, Invoice, InvoiceMetadata
from tallystick.rooms.invoices.store import VISIBLE


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and empty filters let everything through. Amounts are totals in cents."""

    customer_id: uuid.UUID | None = None
    external_customer_id: str | None = None
    statuses: Sequence[str] = VISIBLE
    payment_statuses: Sequence[str] = ()
    payment_overdue: bool | None = None
    payment_dispute_lost: bool | None = None
    partially_paid: bool | None = None
    self_billed: bool | None = None
    invoice_type: str | None = None
    currency: str | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    issuing_date_from: dt.date | None = None
    issuing_date_to: dt.date | None = None
    purchase_order_number: str | None = None
    #: how invoices were settled: payment, credit_note
    settlements: Sequence[str] = ()
    billing_entity_ids: Sequence[uuid.UUID] = ()
    #: key -> value; an empty value asks for invoices without the key
    metadata: Mapping[str, str] = field(default_factory=dict)
    search_term: str | None = None


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[Invoice]:
    """Invoices by issuing date, the newest first."""
    statement = select(Invoice).where(
        Invoice.organization_id == organization_id,
        Invoice.status.in_(filters.statuses),
        *_party(filters),
        *_payment(filters),
        *_document(filters),
        *_metadata(filters.metadata),
    )
    return statement.order_by(Invoice.issuing_date.desc(), Invoice.created_at.desc(), Invoice.id)


def _party(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.customer_id is not None:
        yield Invoice.customer_id == filters.customer_id
    if filters.external_customer_id is not None:
        yield exists().where(Customer.id == Invoice.customer_id, Customer.external_id == filters.external_customer_id)
    if filters.billing_entity_ids:
        yield Invoice.billing_entity_id.in_(filters.billing_entity_ids)
    if filters.search_term is not None:
        one_customer = filters.customer_id is not None or filters.external_customer_id is not None
        yield search.of_document(Invoice, filters.search_term, one_customer=one_customer)


def _payment(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.payment_statuses:
        yield Invoice.payment_status.in_(filters.payment_statuses)
    if filters.payment_overdue is not None:
        yield Invoice.payment_overdue.is_(filters.payment_overdue)
    if filters.payment_dispute_lost is not None:
        lost = Invoice.payment_dispute_lost_at.is_not(None)
        yield lost if filters.payment_dispute_lost else ~lost
    if filters.partially_paid is not None:
        partly = (Invoice.total_paid_amount_cents > 0) & (Invoice.total_paid_amount_cents < Invoice.total_amount_cents)
        yield partly if filters.partially_paid else ~partly
    if filters.settlements:
        settled = {
            "payment": Invoice.total_paid_amount_cents > 0,
            "credit_note": Invoice.offset_amount_cents > 0,
        }
        yield or_(*(settled[name] for name in filters.settlements))


def _document(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for wanted, column in ((filters.invoice_type, Invoice.invoice_type), (filters.currency, Invoice.currency)):
        if wanted is not None:
            yield column == wanted
    if filters.self_billed is not None:
        yield Invoice.self_billed.is_(filters.self_billed)
    if filters.amount_from is not None:
        yield Invoice.total_amount_cents >= filters.amount_from
    if filters.amount_to is not None:
        yield Invoice.total_amount_cents <= filters.amount_to
    if filters.issuing_date_from is not None:
        yield Invoice.issuing_date >= filters.issuing_date_from
    if filters.issuing_date_to is not None:
        yield Invoice.issuing_date <= filters.issuing_date_to
    if filters.purchase_order_number is not None:
        yield func.lower(Invoice.purchase_order_number) == filters.purchase_order_number.lower()


def _metadata(wanted: Mapping[str, str]) -> Iterator[ColumnElement[bool]]:
    for key, value in wanted.items():
        pair = exists().where(InvoiceMetadata.invoice_id == Invoice.id, InvoiceMetadata.key == key)
        yield pair.where(InvoiceMetadata.value == value) if value else ~pair
