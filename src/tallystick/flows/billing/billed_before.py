"""Take off bills what progressive invoices of the same windows billed already (subscriptions.md §5.4, credits.md §1.7).

Arithmetic is core/progressive.py; this finds the invoices that count and leaves everything else as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from tallystick.core.invoice import Credit, CreditKind
from tallystick.core.occasion import Reason
from tallystick.core.progressive import ProgressiveInvoice, credit
from tallystick.flows.billing.compose import Rated
from tallystick.flows.billing.due import Bill
from tallystick.ground.db import Tx
from tallystick.rooms.invoices import progressive

#: bills of the usage of a window; what is paid in advance was on no progressive invoice
_OF_USAGE = (Reason.PERIODIC, Reason.TERMINATING, Reason.PROGRESSIVE)


async def less_billed_before(tx: Tx, rated: Sequence[Rated], rewritten_ids: Sequence[uuid.UUID] = ()) -> list[Rated]:
    """The bills with their fees lowered and the credits for it; `rewritten_ids`: drafts that these bills replace."""
    newest = await newest_of_bills(tx, [item.bill for item in rated], rewritten_ids)
    return [_less(item, newest.get(item.bill.contract.subscription_id)) for item in rated]


async def newest_of_bills(
    tx: Tx, bills: Sequence[Bill], rewritten_ids: Sequence[uuid.UUID] = ()
) -> dict[uuid.UUID, ProgressiveInvoice]:
    """subscription -> the newest progressive invoice of the usage window that is billed."""
    windows = [
        (bill.contract.subscription_id, bill.charges_window)
        for bill in bills
        if bill.occasion.reason in _OF_USAGE and bill.charges_window is not None
    ]
    return await progressive.newest(tx, windows, rewritten_ids)


def _less(item: Rated, invoice: ProgressiveInvoice | None) -> Rated:
    if invoice is None or item.bill.occasion.reason not in _OF_USAGE or item.bill.charges_window is None:
        return item
    made = credit(invoice, item.fees)
    if made.surplus_cents:
        item = replace(item, surplus=(invoice.id, made.surplus_cents))
    if not made.amount_cents:
        return item
    taken = Credit(CreditKind.INVOICE, invoice.id, made.amount_cents, before_taxes=True)
    return replace(item, fees=made.fees, billed_before=(*item.billed_before, taken))
