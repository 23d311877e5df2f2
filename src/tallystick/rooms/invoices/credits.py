"""The credits of invoices as they are shown: on the invoice, and with what they were taken from (webhooks.md §4.5).

The ledger writes them with the lines of an invoice.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select

from tallystick.core.invoice import CreditKind
from tallystick.ground.db import Tx
from tallystick.ground.tables import AppliedCoupon, Coupon, CreditNote, Invoice, InvoiceCredit
from tallystick.ground.wire import dec

Wire = dict[str, Any]


async def of_invoices(
    tx: Tx, invoice_ids: Sequence[uuid.UUID], *, with_rates: bool = False
) -> dict[uuid.UUID, list[Wire]]:
    """invoice -> its credits in the order in which they were taken; invoices without any are absent.

    `with_rates` adds the `percentage_rate` of coupons to the items, as documents name them.
    """
    found: dict[uuid.UUID, list[Wire]] = {}
    for row, body in await _credits(tx, InvoiceCredit.invoice_id.in_(invoice_ids), with_rates):
        found.setdefault(row.invoice_id, []).append(body)
    return found


async def of_sources(tx: Tx, kind: CreditKind, source_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Wire]]:
    """source -> every credit that was made of it, whatever became of the invoice; unused sources are absent."""
    chosen = (InvoiceCredit.kind == kind.value) & InvoiceCredit.source_id.in_(source_ids)
    found: dict[uuid.UUID, list[Wire]] = {}
    for row, body in await _credits(tx, chosen, with_rates=False):
        found.setdefault(row.source_id, []).append(body)
    return found


async def of_unstored(
    tx: Tx, rows: Sequence[InvoiceCredit], payment_status: str, items: Mapping[uuid.UUID, Item]
) -> list[Wire]:
    """The credits of an invoice that is not stored; `items` names the sources that are not stored either."""
    known = {**await _items(tx, [row for row in rows if row.source_id not in items]), **items}
    return [_credit(row, payment_status, known[row.source_id], with_rates=False) for row in rows]


async def _credits(tx: Tx, chosen: ColumnElement[bool], with_rates: bool) -> list[tuple[InvoiceCredit, Wire]]:
    statement = (
        select(InvoiceCredit, Invoice.payment_status)
        .join(Invoice, Invoice.id == InvoiceCredit.invoice_id)
        .where(chosen)
        .order_by(InvoiceCredit.created_at, InvoiceCredit.id)
    )
    rows = (await tx.execute(statement)).all()
    items = await _items(tx, [row for row, _ in rows])
    return [(row, _credit(row, status, items[row.source_id], with_rates)) for row, status in rows]


@dataclass(frozen=True, slots=True)
class Item:
    """What a credit was taken from, as the wire names it."""

    id: uuid.UUID
    code: str
    name: str
    description: str | None
    percentage_rate: Decimal | None = None


async def _items(tx: Tx, rows: Sequence[InvoiceCredit]) -> dict[uuid.UUID, Item]:
    """source -> what it is."""
    of_kind = {kind: {row.source_id for row in rows if row.kind == kind} for kind in CreditKind}
    return {
        **await _coupons(tx, of_kind[CreditKind.COUPON]),
        **await _progressive_invoices(tx, of_kind[CreditKind.INVOICE]),
        **await _notes(tx, of_kind[CreditKind.CREDIT_NOTE]),
    }


async def _progressive_invoices(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, Item]:
    if not ids:
        return {}
    rows = await tx.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(ids)))
    return {invoice_id: Item(invoice_id, number, number, None) for invoice_id, number in rows}


async def _notes(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, Item]:
    """A note goes by its number, named after the invoice that it credits."""
    if not ids:
        return {}
    statement = (
        select(CreditNote.id, CreditNote.number, Invoice.number, CreditNote.description)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(CreditNote.id.in_(ids))
    )
    rows = await tx.execute(statement)
    return {note_id: Item(note_id, number, invoice, text) for note_id, number, invoice, text in rows}


async def _coupons(tx: Tx, applied: set[uuid.UUID]) -> dict[uuid.UUID, Item]:
    """Deleted coupons keep their names."""
    if not applied:
        return {}
    statement = (
        select(AppliedCoupon.id, Coupon, AppliedCoupon.percentage_rate)
        .join(Coupon, Coupon.id == AppliedCoupon.coupon_id)
        .where(AppliedCoupon.id.in_(applied))
    )
    return {
        source_id: Item(
            coupon.id,
            coupon.code,
            coupon.name,
            coupon.description,
            rate if coupon.coupon_type == "percentage" else None,
        )
        for source_id, coupon, rate in await tx.execute(statement)
    }


def _credit(row: InvoiceCredit, payment_status: str, item: Item, with_rates: bool) -> Wire:
    shown: Wire = {
        "lago_item_id": item.id,
        "type": row.kind,
        "code": item.code,
        "name": item.name,
        "description": item.description,
    }
    if with_rates and item.percentage_rate is not None:
        shown["percentage_rate"] = dec(item.percentage_rate)
    return {
        "lago_id": row.id,
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "before_taxes": row.before_taxes,
        "item": shown,
        "invoice": {"lago_id": row.invoice_id, "payment_status": payment_status},
    }
