"""Purchases of credits whose invoices had to be paid before they are issued (wallets.md §4.1, 5; invoicing.md §14).

Only the issuing: that the credits can be used is the wallets room's work, and comes before.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from tallystick.core.invoice import FeeDraft, compose
from tallystick.flows.billing.load import load_customers, load_issuers
from tallystick.flows.billing.stored import document_of, line_of
from tallystick.flows.billing.write import announce, numbered
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices import ledger, store


async def issue_paid(tx: Tx, invoices: Sequence[Invoice], at: dt.datetime) -> None:
    """Issue those of the locked, paid invoices that waited for it; their dates are those of `at`.

    Amounts, lines and custom sections stay as they were when the credits were ordered.
    """
    waiting = [invoice for invoice in invoices if invoice.status == "open" and invoice.invoice_type == "credit"]
    if not waiting:
        return
    customers = await load_customers(tx, {invoice.customer_id for invoice in waiting})
    issuers = await load_issuers(tx, {invoice.billing_entity_id for invoice in waiting})
    lines = await _lines(tx, [invoice.id for invoice in waiting])
    documents = [
        document_of(
            invoice,
            compose(lines[invoice.id]),
            customers[invoice.customer_id],
            issuers[invoice.billing_entity_id],
            at,
            status="finalized",
        )
        for invoice in waiting
    ]
    documents = await numbered(tx, documents)
    await ledger.write_headers(tx, documents)
    await announce(tx, documents)
    await store.read_again(tx, [invoice.id for invoice in waiting])


async def _lines(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[FeeDraft]]:
    """invoice -> its lines, which are never taxed."""
    found: dict[uuid.UUID, list[FeeDraft]] = defaultdict(list)
    for row in await store.fees_of(tx, invoice_ids):
        assert row.invoice_id is not None
        found[row.invoice_id].append(line_of(row, ()))
    return found
