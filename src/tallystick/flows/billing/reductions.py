"""What lowers invoices in billing, in order: coupons, then after taxes credit notes and wallets (credits.md §0.1).

Loaded for a set of customers, used up invoice by invoice, stored as used. Drafts are never reduced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.core.contract import Contract
from tallystick.core.invoice import NO_PURSE, Composition, Credit, FeeDraft, compose
from tallystick.flows.billing.credit_notes.consumption import Balances, load_balances
from tallystick.flows.billing.discounts import Coupons, load_coupons
from tallystick.flows.billing.wallets.consumption import Purses, load_purses, metrics_of
from tallystick.ground.db import Tx


@dataclass(frozen=True, slots=True)
class Reductions:
    """Coupons, credit notes and wallets of a set of customers; each invoice finds them as the one before left them."""

    coupons: Coupons
    balances: Balances
    purses: Purses

    def compose(
        self,
        customer_id: UUID,
        fees: Sequence[FeeDraft],
        contracts: Sequence[Contract],
        *,
        currency: str,
        at: dt.datetime,
        billed_before: Sequence[Credit] = (),
        invoice_id: UUID | None = None,
        taxes_known: bool = True,
    ) -> Composition:
        """The customer's next invoice, made at `at` of these fees of these contracts, with all that lowers it.

        `billed_before` goes off first; the fees bear it already. `invoice_id`: a draft, which uses no notes of its own.
        Without `taxes_known` the total is not known either, and neither notes nor wallets pay of it yet.
        """
        discount = self.coupons.discount(
            customer_id, fees, contracts, currency=currency, at=at, billed_before=billed_before
        )
        notes = self.balances.notes(customer_id, currency, invoice_id) if taxes_known else []
        purse = self.purses.purse(customer_id, currency, metrics_of(contracts)) if taxes_known else NO_PURSE
        composition = compose(fees, discount, billed_before, notes, purse)
        self.balances.use(customer_id, composition, at)
        self.purses.use(customer_id, composition)
        return composition

    async def store(self, tx: Tx) -> None:
        """Write what the invoices left; they are stored before, and with them what wallets paid."""
        await self.coupons.store(tx)
        await self.balances.store(tx)


async def load_reductions(tx: Tx, customer_ids: Iterable[UUID]) -> Reductions:
    """The coupons, notes and wallets of these locked customers, in a constant number of queries."""
    ids = set(customer_ids)
    return Reductions(await load_coupons(tx, ids), await load_balances(tx, ids), await load_purses(tx, ids))
