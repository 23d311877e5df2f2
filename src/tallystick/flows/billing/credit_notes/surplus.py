"""Notes for progressive invoices that billed more than the final one finds (credits.md §1.7, §3.8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tallystick.core.credit_note import Parts, amounts_of, spread
from tallystick.core.money import ZERO, exact
from tallystick.flows.billing.credit_notes.book import Entry, open_book
from tallystick.ground.db import Tx


@dataclass(frozen=True, slots=True)
class Surplus:
    """So much of what a progressive invoice billed, before taxes, is not used after all."""

    invoice_id: UUID
    amount_cents: int
    at: dt.datetime


async def credit_surpluses(tx: Tx, surpluses: Sequence[Surplus]) -> None:
    """Credit the surpluses with their taxes, spread over the fees; the customers are locked."""
    if not surpluses:
        return
    book = await open_book(tx, [each.invoice_id for each in surpluses])
    for each in surpluses:
        invoice = book.invoice(each.invoice_id)
        with exact():
            # coupons took their share of the fees: what is left of those is worth less than its amount
            net = sum((item.precise_cents - item.coupon_cents for item in invoice.remaining), ZERO)
        if net > 0:
            amounts = amounts_of(invoice, spread(invoice, Decimal(each.amount_cents), net))
            book.enter(invoice.id, amounts, Parts(credit_cents=amounts.worth_cents), each.at, Entry())
    await book.store(tx)
