"""Balances of credit notes in billing: what customers have, and what invoices used of it.

How much an invoice takes of which note is decided in core/credit_note; the credits themselves are rows of the invoices
room. Callers hold the customers' locks.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import select, text

from tallystick.core.credit_note import AvailableNote
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote


async def available(tx: Tx, customer_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[AvailableNote]]:
    """customer -> its final notes with a balance, in one query; customers without any are absent."""
    row = CreditNote
    statement = select(
        row.customer_id, row.id, row.invoice_id, row.currency, row.balance_amount_cents, row.created_at
    ).where(row.customer_id.in_(set(customer_ids)), row.status == "finalized", row.balance_amount_cents > 0)
    found: dict[uuid.UUID, list[AvailableNote]] = {}
    for customer_id, note_id, invoice_id, currency, cents, created_at in await tx.execute(statement):
        found.setdefault(customer_id, []).append(AvailableNote(note_id, invoice_id, currency, cents, created_at))
    return found


async def consume(tx: Tx, used: Mapping[uuid.UUID, tuple[int, dt.datetime]]) -> None:
    """note -> (what invoices took of its balance, when the last one did)."""
    if used:
        columns = {
            "ids": list(used),
            "cents": [cents for cents, _ in used.values()],
            "instants": [at for _, at in used.values()],
        }
        await tx.execute(_CONSUME, columns)


_CONSUME = text("""
    update credit_notes n
    set balance_amount_cents = n.balance_amount_cents - u.cents,
        credit_status = case when n.balance_amount_cents = u.cents then 'consumed' else n.credit_status end,
        updated_at = u.at
    from unnest(cast(:ids as uuid[]), cast(:cents as bigint[]), cast(:instants as timestamptz[])) as u(id, cents, at)
    where n.id = u.id
""")
