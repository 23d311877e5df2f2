"""Invoices become paid, or turn out not to be: the one place where that is decided and other rooms are told of it.

Payments by hand, payment providers, credit notes and callers end here, with the customers locked (payments.md §1.5).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.billing.wallets.paid import issue_paid
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices import payment_state, verbs
from tallystick.rooms.wallets import ledger as wallets


async def set_payment_status(tx: Tx, invoices: Sequence[Invoice], status: str, at: dt.datetime) -> None:
    """Give locked invoices a payment status; what follows is done for those whose status really changes."""
    changed = await payment_state.set_payment_status(tx, invoices, status, at)
    await _purchases(tx, changed, status, at)
    if status == "succeeded":
        await issue_paid(tx, changed, at)


async def _purchases(tx: Tx, invoices: Sequence[Invoice], status: str, at: dt.datetime) -> None:
    """Credits that were bought can be used, or were not paid (wallets.md §4.1)."""
    bought = [invoice.id for invoice in invoices if invoice.invoice_type == "credit"]
    if status == "succeeded":
        await wallets.settle(tx, bought, at)
    elif status == "failed":
        await wallets.fail(tx, bought, at)


async def update(tx: Tx, invoice: Invoice, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """PUT of a locked invoice (invoicing.md §17); `fields`: payment_status, metadata. It records no payment."""
    await verbs.update_invoice(tx, invoice, at, fields)
    if fields.get("payment_status") is not None:
        await set_payment_status(tx, [invoice], fields["payment_status"], at)


async def paid(tx: Tx, cents_of: Mapping[uuid.UUID, int], at: dt.datetime) -> None:
    """Payments of invoices succeeded: what they brought is not due any more; with nothing left an invoice is paid."""
    settled = await payment_state.lower_due(tx, cents_of, at, paid=True)
    await set_payment_status(tx, settled, "succeeded", at)


async def offset(tx: Tx, cents_of: Mapping[uuid.UUID, int], at: dt.datetime) -> None:
    """Credit notes take amounts off what is due of their invoices; with nothing left one is paid (credits.md §3.10)."""
    settled = await payment_state.lower_due(tx, cents_of, at, paid=False)
    changed = await payment_state.set_payment_status(tx, settled, "succeeded", at)
    # credits whose price was taken off are not given (wallets.md §4.1, 7)
    await _purchases(tx, changed, "failed", at)
