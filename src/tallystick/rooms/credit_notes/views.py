"""Wire JSON of credit notes in the field order of webhooks.md §4.16, with the room's own members.

Customers and fees in them come from flows/wire.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.credit_note import Estimate
from tallystick.ground.db import Tx
from tallystick.ground.file_links import FileKind, file_url
from tallystick.ground.tables import BillingEntity, CreditNote, CreditNoteTax, Invoice, Organization
from tallystick.ground.wire import dec, dt_, num
from tallystick.rooms.credit_notes import store
from tallystick.rooms.credit_notes.noted import Subject

Wire = dict[str, Any]


async def credit_notes(tx: Tx, rows: Sequence[CreditNote], public_api_url: str) -> list[Wire]:
    """Credit note objects in the order given, without optional members (api.md §15.21)."""
    statement = (
        select(Invoice.id, Invoice.number, Invoice.purchase_order_number, Invoice.self_billed, BillingEntity.code)
        .add_columns(Organization.hmac_key)
        .join(BillingEntity, BillingEntity.id == Invoice.billing_entity_id)
        .join(Organization, Organization.id == Invoice.organization_id)
        .where(Invoice.id.in_({row.invoice_id for row in rows}))
    )
    invoices = {invoice.id: invoice for invoice in await tx.execute(statement)}
    return [_note(row, invoices[row.invoice_id], public_api_url) for row in rows]


def _note(row: CreditNote, invoice: Any, public_api_url: str) -> Wire:
    def url(key: str | None, kind: FileKind) -> str | None:
        return file_url(row.id, invoice.hmac_key, public_api_url, kind) if key else None

    return {
        "lago_id": row.id,
        "billing_entity_code": invoice.code,
        "sequential_id": row.sequential_id,
        "number": row.number,
        "lago_invoice_id": row.invoice_id,
        "invoice_number": invoice.number,
        "purchase_order_number": invoice.purchase_order_number,
        "issuing_date": row.issuing_date.isoformat(),
        "credit_status": row.credit_status,
        "refund_status": row.refund_status,
        "reason": row.reason,
        "description": row.description,
        "currency": row.currency,
        "total_amount_cents": row.total_amount_cents,
        "precise_total_amount_cents": dec(row.precise_total_amount_cents),
        "taxes_amount_cents": row.taxes_amount_cents,
        "precise_taxes_amount_cents": dec(row.precise_taxes_amount_cents),
        "sub_total_excluding_taxes_amount_cents": row.sub_total_excluding_taxes_amount_cents,
        "balance_amount_cents": row.balance_amount_cents,
        "credit_amount_cents": row.credit_amount_cents,
        "refund_amount_cents": row.refund_amount_cents,
        "offset_amount_cents": row.offset_amount_cents,
        "coupons_adjustment_amount_cents": row.coupons_adjustment_amount_cents,
        "taxes_rate": num(row.taxes_rate),
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
        "file_url": url(row.file_key, FileKind.CREDIT_NOTE_PDF),
        "xml_url": url(row.xml_key, FileKind.CREDIT_NOTE_XML),
        "self_billed": invoice.self_billed,
    }


async def applied_taxes(tx: Tx, note_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Wire]]:
    """note -> its taxes (credits.md §2.5); notes without taxes are absent."""
    found = await store.taxes_of(tx, note_ids)
    return {note_id: [_tax(row) for row in rows] for note_id, rows in found.items()}


def _tax(row: CreditNoteTax) -> Wire:
    return {
        "lago_id": row.id,
        "lago_credit_note_id": row.credit_note_id,
        "lago_tax_id": row.tax_id,
        "tax_name": row.tax_name,
        "tax_code": row.tax_code,
        "tax_rate": num(row.tax_rate),
        "tax_description": row.tax_description,
        "base_amount_cents": row.base_amount_cents,
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "created_at": dt_(row.created_at),
    }


def estimated(subject: Subject, found: Estimate) -> Wire:
    """What a note would be (credits.md §3.6)."""
    amounts = found.amounts
    return {
        "lago_invoice_id": subject.invoice.id,
        "invoice_number": subject.number,
        "currency": subject.currency,
        "taxes_amount_cents": found.taxes_cents,
        "precise_taxes_amount_cents": dec(amounts.precise_taxes_cents),
        "sub_total_excluding_taxes_amount_cents": amounts.sub_total_cents,
        "max_creditable_amount_cents": found.total_cents,
        "max_refundable_amount_cents": found.refundable_cents,
        "max_offsettable_amount_cents": found.offsettable_cents,
        "coupons_adjustment_amount_cents": amounts.coupons_cents,
        "precise_coupons_adjustment_amount_cents": dec(amounts.precise_coupons_cents),
        "taxes_rate": num(amounts.taxes_rate),
        "items": [{"lago_fee_id": item.fee.id, "amount_cents": item.amount_cents} for item in amounts.items],
        "applied_taxes": [
            {
                "lago_tax_id": row.tax.id,
                "tax_name": row.tax.name,
                "tax_code": row.tax.code,
                "tax_rate": num(row.tax.rate),
                "tax_description": row.tax.description,
                "base_amount_cents": row.base_cents,
                "amount_cents": row.amount_cents,
                "amount_currency": subject.currency,
            }
            for row in amounts.taxes
        ],
    }
