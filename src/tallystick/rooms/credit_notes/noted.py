"""Invoices as credit notes see them, read for sets: fees with what notes took of them, and the sums of their notes.

What may still be taken is decided in core/credit_note.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Select, func, select

from tallystick.core.contract import TaxTerms
from tallystick.core.credit_note import NotedInvoice, NoteFee
from tallystick.core.money import ZERO
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillingEntity,
    CreditNote,
    CreditNoteItem,
    Customer,
    Fee,
    FeeTax,
    Invoice,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """An invoice with what its notes take over from it; `timezone` is the customer's."""

    organization_id: uuid.UUID
    customer_id: uuid.UUID
    number: str
    currency: str
    timezone: str
    tax_status: str | None
    invoice: NotedInvoice


@dataclass(frozen=True, slots=True)
class _Notes:
    """Sums over the notes of one invoice; credits, refunds and offsets of the final ones."""

    count: int = 0
    credits_cents: int = 0
    refunds_cents: int = 0
    offsets_cents: int = 0
    gap_cents: Decimal = ZERO


async def subjects(
    tx: Tx, invoice_ids: Sequence[uuid.UUID], *, without_notes: bool = False
) -> dict[uuid.UUID, Subject]:
    """invoice -> itself, in at most five queries. `without_notes`: as if it had none yet, for those that are redone."""
    await tx.flush()
    rows = (await tx.execute(_headers(invoice_ids))).all()
    fees = await _fees(tx, invoice_ids, {} if without_notes else await _credited(tx, invoice_ids))
    notes = {} if without_notes else await _notes(tx, invoice_ids)
    return {
        row.id: Subject(
            organization_id=row.organization_id,
            customer_id=row.customer_id,
            number=row.number,
            currency=row.currency,
            timezone=timezone,
            tax_status=row.tax_status,
            invoice=_noted(row, fees[row.id], notes.get(row.id, _Notes())),
        )
        for row, timezone in rows
    }


def _headers(invoice_ids: Sequence[uuid.UUID]) -> Select[Invoice, str]:
    timezone = func.coalesce(Customer.timezone, BillingEntity.timezone)
    return (
        select(Invoice, timezone)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(BillingEntity, BillingEntity.id == Customer.billing_entity_id)
        .where(Invoice.id.in_(invoice_ids))
        .execution_options(populate_existing=True)
    )


def _noted(row: Invoice, fees: Sequence[NoteFee], notes: _Notes) -> NotedInvoice:
    return NotedInvoice(
        id=row.id,
        fees=tuple(fees),
        total_cents=row.total_amount_cents,
        sub_total_including_cents=row.sub_total_including_taxes_amount_cents,
        paid_cents=row.total_paid_amount_cents,
        invoice_type=row.invoice_type,
        status=row.status,
        payment_status=row.payment_status,
        credits_cents=notes.credits_cents,
        refunds_cents=notes.refunds_cents,
        offsets_cents=notes.offsets_cents,
        gap_cents=notes.gap_cents,
        notes_count=notes.count,
    )


async def _fees(
    tx: Tx, invoice_ids: Sequence[uuid.UUID], credited: dict[uuid.UUID, int]
) -> dict[uuid.UUID, list[NoteFee]]:
    statement = select(Fee).where(Fee.invoice_id.in_(invoice_ids), Fee.deleted_at.is_(None))
    rows = list(await tx.scalars(statement.order_by(Fee.created_at, Fee.id)))
    taxes = await _taxes(tx, invoice_ids)
    found: dict[uuid.UUID, list[NoteFee]] = defaultdict(list)
    for row in rows:
        assert row.invoice_id is not None
        fee = NoteFee(
            id=row.id,
            amount_cents=row.amount_cents,
            precise_coupons_cents=row.precise_coupons_amount_cents,
            taxes_cents=row.taxes_amount_cents,
            taxes=tuple(taxes[row.id]),
            credited_cents=credited.get(row.id, 0),
        )
        found[row.invoice_id].append(fee)
    return found


async def _taxes(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[TaxTerms]]:
    statement = (
        select(FeeTax)
        .join(Fee, Fee.id == FeeTax.fee_id)
        .where(Fee.invoice_id.in_(invoice_ids))
        .order_by(FeeTax.created_at, FeeTax.id)
    )
    found: dict[uuid.UUID, list[TaxTerms]] = defaultdict(list)
    for row in await tx.scalars(statement):
        terms = TaxTerms(row.tax_id or row.id, row.tax_code, row.tax_name, row.tax_rate, row.tax_description)
        found[row.fee_id].append(terms)
    return found


async def _credited(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """fee -> what items of its notes took of it; those of voided notes too (credits.md §3.7)."""
    statement = (
        select(CreditNoteItem.fee_id, func.sum(CreditNoteItem.amount_cents))
        .join(CreditNote, CreditNote.id == CreditNoteItem.credit_note_id)
        .where(CreditNote.invoice_id.in_(invoice_ids), CreditNote.status != "deleted")
        .group_by(CreditNoteItem.fee_id)
    )
    return {fee_id: int(cents) for fee_id, cents in await tx.execute(statement)}


async def _notes(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Notes]:
    final, kept = CreditNote.status == "finalized", CreditNote.status != "deleted"
    gap = CreditNote.taxes_amount_cents - CreditNote.precise_taxes_amount_cents
    statement = (
        select(
            CreditNote.invoice_id,
            # numbers of deleted notes are not given again
            func.max(CreditNote.sequential_id).label("last"),
            func.sum(CreditNote.credit_amount_cents).filter(final).label("credits"),
            func.sum(CreditNote.refund_amount_cents).filter(final).label("refunds"),
            func.sum(CreditNote.offset_amount_cents).filter(final).label("offsets"),
            func.sum(gap).filter(kept).label("gap"),
        )
        .where(CreditNote.invoice_id.in_(invoice_ids))
        .group_by(CreditNote.invoice_id)
    )
    return {
        row.invoice_id: _Notes(
            count=row.last,
            credits_cents=int(row.credits or 0),
            refunds_cents=int(row.refunds or 0),
            offsets_cents=int(row.offsets or 0),
            gap_cents=row.gap or ZERO,
        )
        for row in await tx.execute(statement)
    }
