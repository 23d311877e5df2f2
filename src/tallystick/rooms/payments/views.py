"""Wire JSON of payments in the field order of payments.md §4. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer, Invoice, Payment
from tallystick.ground.wire import dt_


async def payments(tx: Tx, rows: Sequence[Payment]) -> list[dict[str, Any]]:
    """Payment objects in the order given; one query for what they name."""
    statement = (
        select(Payment.id, Invoice.number, Customer.external_id)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .join(Customer, Customer.id == Payment.customer_id)
        .where(Payment.id.in_([row.id for row in rows]))
    )
    names = {payment_id: (number, external_id) for payment_id, number, external_id in await tx.execute(statement)}
    return [_payment(row, *names[row.id]) for row in rows]


def _payment(row: Payment, invoice_number: str, external_customer_id: str) -> dict[str, Any]:
    """No provider took part: its fields are null. A null reference is spelled as an empty one (sdk-compat.md R2)."""
    return {
        "lago_id": row.id,
        "lago_customer_id": row.customer_id,
        "external_customer_id": external_customer_id,
        "invoice_ids": [row.invoice_id],
        "invoice_numbers": [invoice_number],
        "lago_payable_id": row.invoice_id,
        "payable_type": "Invoice",
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "status": row.status,
        "payment_status": row.payment_status,
        "type": row.payment_type,
        "reference": row.reference or "",
        "payment_provider_code": None,
        "payment_provider_type": None,
        "external_payment_id": None,
        "provider_payment_id": None,
        "provider_customer_id": None,
        "next_action": None,
        "created_at": dt_(row.created_at),
    }
