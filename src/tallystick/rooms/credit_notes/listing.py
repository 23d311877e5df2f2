"""The list of credit notes with its filters (api.md §6). Checks of what callers send are the door's work."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from tallystick.ground import search
from tallystick.ground.tables import CreditNote, Customer, Invoice

TYPES = ("credit", "refund", "offset")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and empty filters let everything through. Amounts are totals in cents."""

    customer_id: uuid.UUID | None = None
    external_customer_id: str | None = None
    currency: str | None = None
    reasons: Sequence[str] = ()
    credit_statuses: Sequence[str] = ()
    refund_statuses: Sequence[str] = ()
    #: a note of any of these has an amount of it
    types: Sequence[str] = ()
    invoice_number: str | None = None
    purchase_order_number: str | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    issuing_date_from: dt.date | None = None
    issuing_date_to: dt.date | None = None
    self_billed: bool | None = None
    billing_entity_ids: Sequence[uuid.UUID] = ()
    search_term: str | None = None


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[CreditNote]:
    """Final notes, the newest first."""
    statement = select(CreditNote).where(
        CreditNote.organization_id == organization_id,
        CreditNote.status == "finalized",
        *_own(filters),
        *_of_customers(filters),
        *_of_invoices(filters),
    )
    return statement.order_by(CreditNote.created_at.desc(), CreditNote.id.desc())


def _own(filters: Filters) -> Iterator[ColumnElement[bool]]:
    sets = (
        (filters.reasons, CreditNote.reason),
        (filters.credit_statuses, CreditNote.credit_status),
        (filters.refund_statuses, CreditNote.refund_status),
    )
    for values, column in sets:
        if values:
            yield column.in_(values)
    if filters.types:
        amounts = {
            "credit": CreditNote.credit_amount_cents,
            "refund": CreditNote.refund_amount_cents,
            "offset": CreditNote.offset_amount_cents,
        }
        yield or_(*(amounts[name] > 0 for name in filters.types))
    if filters.currency is not None:
        yield CreditNote.currency == filters.currency
    if filters.amount_from is not None:
        yield CreditNote.total_amount_cents >= filters.amount_from
    if filters.amount_to is not None:
        yield CreditNote.total_amount_cents <= filters.amount_to
    if filters.issuing_date_from is not None:
        yield CreditNote.issuing_date >= filters.issuing_date_from
    if filters.issuing_date_to is not None:
        yield CreditNote.issuing_date <= filters.issuing_date_to


def _of_customers(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.customer_id is not None:
        yield CreditNote.customer_id == filters.customer_id
    if filters.external_customer_id is not None:
        yield exists().where(
            Customer.id == CreditNote.customer_id, Customer.external_id == filters.external_customer_id
        )
    if filters.search_term is not None:
        one_customer = filters.customer_id is not None or filters.external_customer_id is not None
        yield search.of_document(CreditNote, filters.search_term, one_customer=one_customer)


def _of_invoices(filters: Filters) -> Iterator[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.invoice_number is not None:
        wanted.append(Invoice.number == filters.invoice_number)
    if filters.purchase_order_number is not None:
        wanted.append(func.lower(Invoice.purchase_order_number) == filters.purchase_order_number.lower())
    if filters.self_billed is not None:
        wanted.append(Invoice.self_billed.is_(filters.self_billed))
    if filters.billing_entity_ids:
        wanted.append(Invoice.billing_entity_id.in_(filters.billing_entity_ids))
    if wanted:
        yield exists().where(Invoice.id == CreditNote.invoice_id, *wanted)
