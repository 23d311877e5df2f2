"""Wire JSON of invoices in the field order of webhooks.md §4.2, with the room's own members.

Customers and subscriptions in them come from flows/wire; fees are in fees.py, billing periods in periods.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.payment import due_cents
from tallystick.ground.db import Tx
from tallystick.ground.file_links import FileKind, file_url
from tallystick.ground.tables import BillingEntity, Invoice, InvoiceMetadata, InvoiceTax, Organization
from tallystick.ground.wire import dt3_or_none, dt_, dt_or_none, num
from tallystick.rooms.invoices import links, store


async def invoices(tx: Tx, rows: Sequence[Invoice], public_api_url: str) -> list[dict[str, Any]]:
    """Invoice objects in the order given, without optional members (api.md §15.18)."""
    issuers = await _issuers(tx, {row.billing_entity_id for row in rows})
    return [_invoice(row, *issuers[row.billing_entity_id], public_api_url) for row in rows]


async def _issuers(tx: Tx, entity_ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """billing entity -> (its code, the key that signs its organization's links)."""
    statement = (
        select(BillingEntity.id, BillingEntity.code, Organization.hmac_key)
        .join(Organization, Organization.id == BillingEntity.organization_id)
        .where(BillingEntity.id.in_(entity_ids))
    )
    return {entity_id: (code, key) for entity_id, code, key in await tx.execute(statement)}


def total_due_cents(row: Invoice) -> int:
    """What is still to be paid: nothing on a voided invoice."""
    return due_cents(
        status=row.status,
        total_cents=row.total_amount_cents,
        paid_cents=row.total_paid_amount_cents,
        offset_cents=row.offset_amount_cents,
    )


def _invoice(row: Invoice, entity_code: str, hmac_key: str, public_api_url: str) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "billing_entity_code": entity_code,
        "sequential_id": row.sequential_id,
        "number": row.number,
        "purchase_order_number": row.purchase_order_number,
        "issuing_date": row.issuing_date.isoformat(),
        "payment_due_date": row.payment_due_date.isoformat(),
        "net_payment_term": row.net_payment_term,
        "invoice_type": row.invoice_type,
        "status": row.status,
        "payment_status": row.payment_status,
        "payment_dispute_lost_at": dt3_or_none(row.payment_dispute_lost_at),
        "payment_overdue": row.payment_overdue,
        "currency": row.currency,
        "fees_amount_cents": row.fees_amount_cents,
        "taxes_amount_cents": row.taxes_amount_cents,
        "progressive_billing_credit_amount_cents": row.progressive_billing_credit_amount_cents,
        "coupons_amount_cents": row.coupons_amount_cents,
        "credit_notes_amount_cents": row.credit_notes_amount_cents,
        "sub_total_excluding_taxes_amount_cents": row.sub_total_excluding_taxes_amount_cents,
        "sub_total_including_taxes_amount_cents": row.sub_total_including_taxes_amount_cents,
        "total_amount_cents": row.total_amount_cents,
        "total_due_amount_cents": total_due_cents(row),
        "total_paid_amount_cents": row.total_paid_amount_cents,
        "total_offsetted_credit_note_amount_cents": row.offset_amount_cents,
        "prepaid_credit_amount_cents": row.prepaid_credit_amount_cents,
        "prepaid_granted_credit_amount_cents": row.prepaid_granted_credit_amount_cents,
        "prepaid_purchased_credit_amount_cents": row.prepaid_purchased_credit_amount_cents,
        "file_url": file_url(row.id, hmac_key, public_api_url) if row.file_key else None,
        "xml_url": file_url(row.id, hmac_key, public_api_url, FileKind.INVOICE_XML) if row.xml_key else None,
        "web_url": links.web_url(row.id, row.status, public_api_url),
        "version_number": row.version_number,
        "self_billed": row.self_billed,
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
        "voided_at": dt_or_none(row.voided_at),
    }


async def applied_taxes(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """invoice -> its taxes (credits.md §2.5), oldest first; invoices without taxes are absent."""
    statement = select(InvoiceTax).where(InvoiceTax.invoice_id.in_(invoice_ids))
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in await tx.scalars(statement.order_by(InvoiceTax.created_at, InvoiceTax.id)):
        found.setdefault(row.invoice_id, []).append(applied_tax(row))
    return found


def applied_tax(row: InvoiceTax) -> dict[str, Any]:
    """One tax of an invoice."""
    return {
        "lago_id": row.id,
        "lago_invoice_id": row.invoice_id,
        "lago_tax_id": row.tax_id,
        "tax_name": row.tax_name,
        "tax_code": row.tax_code,
        "tax_rate": num(row.tax_rate),
        "tax_description": row.tax_description,
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "fees_amount_cents": row.fees_amount_cents,
        "created_at": dt_(row.created_at),
    }


async def metadata(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """invoice -> its metadata, oldest first; invoices without any are absent."""
    found = await store.metadata_of(tx, invoice_ids)
    return {invoice_id: [_pair(pair) for pair in pairs] for invoice_id, pairs in found.items()}


def _pair(pair: InvoiceMetadata) -> dict[str, Any]:
    return {"lago_id": pair.id, "key": pair.key, "value": pair.value, "created_at": dt_(pair.created_at)}
